"""Claims about the figures of a classifier: scikit-learn says the same."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle
from torchmetrics.functional.classification import multiclass_calibration_error

from gansynth.metrics.classification import OF_CLASS, OVERALL, classification_scores
from gansynth.metrics.confusion_scores import class_figure, confusion_matrix, overall_figure
from gansynth.metrics.probability_scores import (
    best_threshold,
    calibration_added,
    calibration_error,
    precision_at_recall,
    ranking,
)

CASES = st.tuples(st.integers(2, 5), st.integers(1, 40), st.integers(0, 10**6), st.booleans())


def _drawn(classes: int, n: int, seed: int, coarse: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return labels, some classes perhaps absent, and probabilities, with many equal ones where `coarse`."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(rng.permutation(classes)[: rng.integers(1, classes + 1)], n)
    odds = rng.integers(1, 4, (n, classes)) if coarse else rng.gamma(1.0, size=(n, classes)) + 1e-9
    return labels, odds / odds.sum(axis=1, keepdims=True)


@settings(max_examples=20, deadline=None)
@given(CASES)
def test_every_figure_is_that_of_scikit_learn(case: tuple[int, int, int, bool]) -> None:
    labels, p = _drawn(*case)
    classes = case[0]
    found = classification_scores(labels, p, classes)
    predicted, there = p.argmax(axis=1), np.unique(labels)
    assert tuple(found.overall) == OVERALL and all(tuple(c) == OF_CLASS for c in found.classes)
    assert found.confusion.tolist() == oracle.confusion_matrix(labels, predicted, labels=range(classes)).tolist()
    precision, recall, f1, _ = oracle.precision_recall_fscore_support(labels, predicted, labels=there, zero_division=0)
    weighted = oracle.precision_recall_fscore_support(labels, predicted, average="weighted", zero_division=0)
    one_hot = np.eye(classes)[labels]
    expected: dict[str, float | None] = {
        "macro-F1": f1.mean(),
        "balanced-accuracy": recall.mean(),
        "macro-precision": precision.mean(),
        "accuracy": oracle.accuracy_score(labels, predicted),
        "weighted-precision": weighted[0],
        "weighted-F1": weighted[2],
        "MCC": oracle.matthews_corrcoef(labels, predicted),
        "Brier": oracle.brier_score_loss(one_hot, p, scale_by_half=False) if classes > 2 else None,
        "MSE": oracle.mean_squared_error(one_hot, p),
        "RMSE": oracle.mean_squared_error(one_hot, p) ** 0.5,
        "kappa": None,
    }
    if len(set(labels) | set(predicted)) > 1:
        expected["kappa"] = oracle.cohen_kappa_score(labels, predicted)
    for name, value in expected.items():
        if name != "Brier" or classes > 2:
            assert found.overall[name] == (None if value is None else pytest.approx(value, abs=1e-12)), name
    for i, c in enumerate(there):
        of_class, truth = found.classes[c], labels == c
        assert of_class["recall"] == pytest.approx(recall[i])
        assert of_class["precision"] == pytest.approx(precision[i])
        assert of_class["F1"] == pytest.approx(f1[i])
        assert of_class["accuracy"] == pytest.approx(oracle.accuracy_score(truth, predicted == c))
        precisions, recalls, _ = oracle.precision_recall_curve(truth, p[:, c])
        assert of_class["precision-at-recall"] == pytest.approx(precisions[recalls >= 0.9 - 1e-9][-1])
        assert of_class["calibration-error"] == pytest.approx(calibration_error(p[:, c], truth))
        assert of_class["average-precision"] == pytest.approx(oracle.average_precision_score(truth, p[:, c]))
        if truth.all():
            assert of_class["specificity"] is None and of_class["ROC-AUC"] is None
        else:
            assert of_class["specificity"] == pytest.approx(oracle.recall_score(~truth, predicted != c))
            assert of_class["ROC-AUC"] == pytest.approx(oracle.roc_auc_score(truth, p[:, c]))
    for c in set(range(classes)) - set(there.tolist()):
        assert set(found.classes[c].values()) == {None}


@settings(max_examples=20, deadline=None)
@given(CASES)
def test_no_threshold_gives_more_precision_and_recall_together_than_the_best(case: tuple[int, int, int, bool]) -> None:
    labels, p = _drawn(*case)
    truth = labels == labels[0]
    precision, recall, thresholds = oracle.precision_recall_curve(truth, p[:, labels[0]])
    together = (precision + recall)[:-1]
    best = thresholds[np.flatnonzero(together >= together.max() - 1e-12)].max()
    assert best_threshold(p[:, labels[0]], truth) == pytest.approx(best)
    with pytest.raises(ValueError, match="with a positive one"):
        best_threshold(p[:, 0], np.zeros(len(p), dtype=bool))


@settings(max_examples=20, deadline=None)
@given(CASES)
def test_calibration_error_is_that_of_torchmetrics(case: tuple[int, int, int, bool]) -> None:
    labels, p = _drawn(*case)
    # Away from the borders of bins, which it gives to the bin above.
    ours = classification_scores(labels, p, case[0]).overall["calibration-error"]
    if np.abs(p.max(axis=1) * 15 - np.round(p.max(axis=1) * 15)).min() > 1e-6:
        theirs = multiclass_calibration_error(torch.from_numpy(p), torch.from_numpy(labels), case[0], n_bins=15)
        assert ours == pytest.approx(theirs.item(), abs=1e-6)


@pytest.mark.parametrize("coarse", [False, True])
def test_what_images_add_is_what_leaving_them_out_takes_away(coarse: bool) -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 400)
    p = rng.dirichlet(np.ones(3), 400) + 0.5 * np.eye(3)[labels]
    p = np.round(p, 1 if coarse else 9) / 2
    hit, right = labels == 0, p.argmax(axis=1) == labels
    found = ranking(p[:, 0], hit)
    error, error_added = calibration_error(p.max(axis=1), right), calibration_added(p.max(axis=1), right)
    without = np.array(
        [
            (r.auc, r.average_precision, calibration_error(p[keep].max(axis=1), right[keep]))
            for i in range(400)
            for keep in [np.arange(400) != i]
            for r in [ranking(p[keep, 0], hit[keep])]
        ]
    ).T
    for value, added, left in zip(
        (found.auc, found.average_precision, error),
        (found.auc_added, found.precision_added, error_added),
        without,
        strict=True,
    ):
        assert added.sum() == pytest.approx(0, abs=1e-9)
        taken = value - left
        assert np.corrcoef(added, taken)[0, 1] > 0.98
        assert np.sqrt((added**2).sum()) == pytest.approx(np.sqrt(((taken - taken.mean()) ** 2).sum()), rel=0.05)


def test_macro_figures_leave_out_classes_without_images() -> None:
    labels, predicted = [0, 0, 1, 1], [0, 2, 1, 1]
    found = classification_scores(labels, np.eye(4)[predicted], 4)
    assert found.overall["balanced-accuracy"] == 0.75
    assert found.overall["macro-F1"] == pytest.approx(
        oracle.f1_score(labels, predicted, labels=[0, 1], average="macro")
    )
    assert found.classes[2]["precision"] is None, "nothing true to be found"


def test_a_class_that_is_never_predicted_has_precision_0() -> None:
    found = classification_scores([0, 1], np.eye(2)[[0, 0]], 2)
    assert found.classes[1]["precision"] == 0 == found.classes[1]["F1"]


def test_no_image_gives_no_figure_and_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = classification_scores([], np.zeros((0, 3)), 3)
    assert set(found.overall.values()) == {None} and found.confusion.sum() == 0


def test_many_matrices_are_scored_in_one_call() -> None:
    rng = np.random.default_rng(0)
    labels, predicted = rng.integers(0, 4, 50), rng.integers(0, 4, (6, 50))
    tables = confusion_matrix(labels, predicted, 4)
    for s in range(6):
        assert tables[s].tolist() == confusion_matrix(labels, predicted[s], 4).tolist()
        assert overall_figure(tables, "kappa")[s] == overall_figure(tables[s], "kappa")
        assert class_figure(tables, "F1")[s].tolist() == class_figure(tables[s], "F1").tolist()


@pytest.mark.parametrize(
    ("labels", "probabilities"),
    [
        ([0, 1], np.full((2, 3), 0.5)),
        ([0, 2], np.full((2, 2), 0.5)),
        ([0], np.array([[np.nan, 1.0]])),
        ([[0]], np.full((1, 2), 0.5)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(labels: list[int], probabilities: np.ndarray) -> None:
    with pytest.raises(ValueError):
        classification_scores(labels, probabilities, 2)


@pytest.mark.parametrize(("n", "positives", "gap"), [(3000, 60, 2.5), (3000, 300, 2.5), (1000, 20, 2.0)])
def test_the_precision_at_a_recall_varies_as_much_as_it_says(n: int, positives: int, gap: float) -> None:
    rng, hit = np.random.default_rng(0), np.arange(n) < positives
    found = [precision_at_recall(rng.normal(size=n) + gap * hit, hit) for _ in range(200)]
    said = np.mean([np.sqrt((added**2).sum()) for _, added in found])
    assert said == pytest.approx(np.std([value for value, _ in found]), rel=0.2)
