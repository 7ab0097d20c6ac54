"""Claims about the effects of remedies and their uncertainty."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from gansynth.metrics.classification import OF_CLASS as CLASSIFICATION_OF_CLASS
from gansynth.metrics.classification import OVERALL as CLASSIFICATION_OVERALL
from gansynth.metrics.classification import classification_scores
from gansynth.metrics.classification_effects import (
    PROBABILITY_METRICS,
    Endpoint,
    arm_estimate,
    effect,
    probability_effect,
    probability_estimate,
)
from gansynth.metrics.confusion_scores import (
    OF_CLASS,
    OVERALL,
    class_figure,
    confusion_matrix,
    contributions,
    overall_figure,
)
from gansynth.metrics.estimate import Estimate

ENDPOINTS = [*((name, None) for name in OVERALL), *((name, 1) for name in OF_CLASS)]
CASES = st.tuples(st.integers(2, 4), st.integers(12, 60), st.integers(1, 4), st.integers(1, 5), st.integers(0, 10**6))


def _arms(classes: int, n: int, seeds: int, random: int, *, right: float = 0.7) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(random)
    labels = np.r_[np.arange(classes), rng.integers(0, classes, n - classes)]
    sides = rng.integers(0, classes, (2, seeds, n))
    sides = np.where(rng.random(sides.shape) < right, labels, sides)
    return labels, sides[0], sides[1]


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    path = Path(__file__).parents[2] / "eval" / "comparison_null.py"
    spec = importlib.util.spec_from_file_location("comparison_null", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.path.insert(0, str(path.parent))  # studies import each other from their own folder
    sys.modules["comparison_null"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@settings(max_examples=30, deadline=None)
@given(CASES, st.sampled_from(ENDPOINTS))
def test_contributions_of_images_add_up_to_the_figure(case: tuple[int, ...], which: tuple[str, int | None]) -> None:
    labels, a, b = _arms(case[0], case[1], case[2], case[4])
    predicted = np.concatenate([a, b])
    tables = confusion_matrix(labels, predicted, case[0]).astype(float)
    values, added = contributions(tables, *which)
    if np.isfinite(values).all():
        sums = [added[k][labels, predicted[k]].sum() for k in range(len(predicted))]
        assert sums == pytest.approx(values - values.mean(), abs=1e-6)


@pytest.mark.parametrize("which", ENDPOINTS)
def test_the_variance_over_images_is_that_of_a_bootstrap(which: tuple[str, int | None]) -> None:
    labels, a, _ = _arms(3, 1500, 1, 0)
    table = confusion_matrix(labels, a[0], 3).astype(float)
    _, added = contributions(table[None], *which)
    drawn = np.random.default_rng(1).multinomial(1500, table.ravel() / 1500, size=2000).reshape(-1, 3, 3)
    figures = overall_figure(drawn, which[0]) if which[1] is None else class_figure(drawn, which[0])[:, which[1]]
    assert np.sqrt((added[0][labels, a[0]] ** 2).sum()) == pytest.approx(figures.std(), rel=0.07)


@settings(max_examples=40, deadline=None)
@example((4, 43, 3, 1, 627), ("recall", 1))  # two images of one class: rounding alone decided how sure that is
@given(CASES, st.sampled_from([("macro-F1", None), ("recall", 1), ("F1", 0), ("kappa", None)]))
def test_an_interval_leaves_out_0_exactly_where_p_is_below_5_percent(
    case: tuple[int, ...], which: tuple[str, int | None]
) -> None:
    classes, n, seeds, folds, random = case
    labels, a, b = _arms(classes, n, seeds, random, right=0.5)
    if random % 2:
        b = np.where(np.random.default_rng(random).random(b.shape) < 0.5, labels, b)
    shared = {"n_classes": classes, "folds": np.arange(n) % folds, "n_train": [n] * folds}
    found, turned = effect(labels, a, b, Endpoint(*which), **shared), effect(labels, b, a, Endpoint(*which), **shared)
    assert found.value is not None and found.interval is not None and found.p is not None
    low, high = found.interval
    assert low <= found.value <= high and low < high and 0 < found.p <= 1
    assert (found.p < 0.05) == (low > 0 or high < 0)
    assert turned.value == pytest.approx(-found.value) and turned.p == pytest.approx(found.p)
    assert turned.interval == pytest.approx((-high, -low)) and turned.n == found.n


def test_the_effect_is_the_difference_of_the_arms_figures() -> None:
    labels, a, b = _arms(4, 200, 3, 5)
    found = effect(labels, a, b, Endpoint(), n_classes=4)
    means = [np.mean([oracle.f1_score(labels, row, average="macro") for row in side]) for side in (a, b)]
    assert found.value == pytest.approx(means[0] - means[1])
    arms = [arm_estimate(labels, side, Endpoint(), n_classes=4) for side in (a, b)]
    assert [arm.value for arm in arms] == pytest.approx(means) and found.n == 200
    rare = effect(labels, a, b, Endpoint("recall", 2), n_classes=4)
    assert rare.n == (labels == 2).sum() and rare.mcnemar_p is not None


def test_arms_that_predict_the_same_differ_by_0_but_not_for_certain() -> None:
    labels, a, _ = _arms(3, 60, 2, 6)
    found = effect(labels, a, a, Endpoint("recall", 1), n_classes=3)
    assert found.value == 0 and found.p == pytest.approx(1.0) and found.mcnemar_p == 1
    same = effect(labels, a[:1], a[:1], Endpoint("recall", 1), n_classes=3)
    assert same.interval is not None and same.interval[0] < 0 < same.interval[1]


def test_copies_of_an_image_and_images_of_a_patient_count_as_one() -> None:
    labels, a, b = _arms(3, 90, 3, 7)
    once = effect(labels, a, b, Endpoint("recall", 1), n_classes=3)
    five = [np.repeat(x, 5, axis=-1) for x in (labels, a, b)]
    together = effect(*five, Endpoint("recall", 1), n_classes=3, units=np.repeat(np.arange(90), 5))
    assert together.value == pytest.approx(once.value) and together.p == pytest.approx(once.p)
    apart = effect(*five, Endpoint("recall", 1), n_classes=3)
    assert apart.p is not None and once.p is not None and apart.p < once.p


def test_one_right_answer_on_one_image_proves_nothing() -> None:
    found = effect([0, 0, 0, 1], [[0, 0, 0, 1]] * 3, [[0, 0, 0, 0]] * 3, Endpoint("recall", 1), n_classes=2)
    assert found.value == 1 and found.p is not None and found.p > 0.2


def test_one_training_is_not_taken_for_all_trainings() -> None:
    rng = np.random.default_rng(8)
    labels = np.repeat([0, 1], 500)
    # Every training of either arm has a recall of its own: 0.5, 0.7 or 0.9.
    sides = [np.stack([np.where(rng.random(1000) < q, labels, 1 - labels) for q in rates])
             for rates in ((0.9, 0.7, 0.5), (0.5, 0.7, 0.5))]  # fmt: skip
    one = effect(labels, sides[0][:1], sides[1][:1], Endpoint("accuracy"), n_classes=2)
    three = effect(labels, *sides, Endpoint("accuracy"), n_classes=2)
    assert one.p is not None and one.p < 1e-6 and one.note and one.method == "test images only"
    assert three.p is not None and three.p > 0.1 and three.method == "test images and seeds"


@pytest.mark.parametrize("design", [(1, 3), (2, 3), (5, 1), (5, 3)])
def test_arms_that_are_the_same_are_seldom_told_apart_and_better_ones_are(
    design: tuple[int, int], simulation: ModuleType
) -> None:
    # A small version of eval/comparison_null.py; one training with other seeds is an effect in 1 of 4 cases there.
    p = {
        better: np.array(
            [
                simulation.ours(
                    simulation.drawn(np.random.default_rng((9, r)), *design, better, training=0.5, gain=4.0)
                )
                for r in range(100)
            ]
        )
        for better in (False, True)
    }
    assert (p[False] < 0.05).mean(axis=0).max() <= 0.1
    assert (p[True] < 0.05).mean(axis=0)[1] >= (0.3 if design == (5, 1) else 0.8)


def test_folds_that_disagree_count() -> None:
    rng = np.random.default_rng(10)
    labels, folds = np.tile([0, 1], 3000), np.repeat([0, 1, 2], 2000)
    shared = {"n_classes": 2, "folds": folds, "n_train": [4000] * 3}

    def with_errors(rates: list[float]) -> np.ndarray:
        return np.where(rng.random((3, 6000)) < np.array(rates)[folds], 1 - labels, labels)

    baseline = with_errors([0.3, 0.3, 0.3])
    steady = effect(labels, with_errors([0.23, 0.24, 0.23]), baseline, Endpoint("accuracy"), **shared)
    one = effect(labels, with_errors([0.1, 0.3, 0.3]), baseline, Endpoint("accuracy"), **shared)
    assert steady.value == pytest.approx(one.value, abs=0.01)
    assert one.p is not None and steady.p is not None and steady.p < 0.01 and one.p > 0.1


def test_ten_thousand_images_take_less_than_two_seconds() -> None:
    labels, a, b = _arms(11, 10_000, 3, 11)
    begun = time.perf_counter()
    effect(labels, a, b, Endpoint(), n_classes=11, folds=np.arange(10_000) % 2, n_train=[5000, 5000])
    assert time.perf_counter() - begun < 2


def test_the_interval_of_an_arm_covers_the_truth_over_trainings_and_images() -> None:
    rng = np.random.default_rng(12)
    labels = np.repeat([0, 1], 100)
    covered = 0
    for _ in range(400):
        rates = np.clip(rng.normal(0.8, 0.05, 3), 0, 1)
        predicted = np.where(rng.random((3, 200)) < rates[:, None], labels, 1 - labels)
        interval = arm_estimate(labels, predicted, Endpoint("recall", 1), n_classes=2).interval
        assert interval is not None
        covered += interval[0] <= 0.8 <= interval[1]
    assert 0.92 <= covered / 400 <= 1


def test_all_right_is_not_certain_to_stay_so() -> None:
    found = arm_estimate([0] * 12 + [1] * 5, [[0] * 12 + [1] * 5] * 3, Endpoint("recall", 0), n_classes=2)
    assert found.value == 1 and found.interval is not None and found.interval[0] < 0.9 and found.interval[1] == 1


@pytest.mark.parametrize("errors", [0.5, 2.0])
def test_the_interval_of_a_share_with_hardly_an_error_covers_the_truth_and_is_no_wider_than_it_must(
    errors: float,
) -> None:
    rng = np.random.default_rng(17)
    labels, n = np.repeat([0, 1], [20, 400]), 400
    covered, widths = 0, []
    for _ in range(300):
        wrong = rng.random((1, len(labels))) < errors / n
        interval = arm_estimate(
            labels, np.where(wrong, 1 - labels, labels), Endpoint("recall", 1), n_classes=2
        ).interval
        assert interval is not None
        covered += interval[0] <= 1 - errors / n <= interval[1]
        widths.append(interval[1] - interval[0])
    assert covered / 300 >= 0.94
    assert np.mean(widths) < 0.02  # Student's t with as many degrees of freedom as errors gave 0.2


def test_three_patients_of_a_hundred_images_are_three() -> None:
    rng = np.random.default_rng(18)
    labels, patient = np.ones(300, int), np.repeat(np.arange(3), 100)
    covered = 0
    for _ in range(200):
        of_patient = np.clip(rng.normal(0.8, 0.1, 3), 0, 1)[patient]
        predicted = (rng.random((1, 300)) < of_patient).astype(int)
        interval = arm_estimate(labels, predicted, Endpoint("recall", 1), n_classes=2, units=patient).interval
        assert interval is not None
        covered += interval[0] <= 0.8 <= interval[1]
    assert covered / 200 >= 0.93
    alone = arm_estimate(labels, [labels], Endpoint("recall", 1), n_classes=2).interval
    together = arm_estimate(labels, [labels], Endpoint("recall", 1), n_classes=2, units=patient).interval
    assert alone is not None and together is not None and alone[0] > 0.98 > 0.96 > together[0]


def test_an_auc_that_hangs_on_one_image_is_still_known() -> None:
    labels = np.repeat([0, 1], 100)
    p = np.r_[np.linspace(0, 0.4, 100), np.linspace(0.6, 1, 100)]
    p[150] = 0.001
    found = probability_estimate(labels, np.stack([1 - p, p], axis=1)[None], "ROC-AUC", 1, n_classes=2)
    assert found.interval is not None and found.value is not None
    assert 0.93 < found.interval[0] < found.value < found.interval[1]


def test_a_class_without_test_images_has_no_figure() -> None:
    labels, a, b = _arms(3, 30, 2, 13)
    found = effect(labels, a, b, Endpoint("recall", 3), n_classes=4)
    assert found.value is None and found.p is None and found.note and found.to_json()["interval"] is None
    assert arm_estimate(labels, a, Endpoint("recall", 3), n_classes=4).value is None
    p = np.full((2, 30, 4), 0.25)
    assert probability_estimate(labels, p, "ROC-AUC", 3, n_classes=4).value is None


@pytest.mark.parametrize("metric", PROBABILITY_METRICS)
def test_figures_of_probabilities_are_means_over_seeds_inside_their_interval(metric: str) -> None:
    rng = np.random.default_rng(14)
    labels = rng.integers(0, 3, 200)
    p = rng.dirichlet(np.ones(3), (3, 200)) + 0.7 * np.eye(3)[labels]
    p /= p.sum(axis=2, keepdims=True)

    def estimated(class_index: int | None) -> Estimate:
        return probability_estimate(labels, p, metric, class_index, n_classes=3, units=np.arange(200) // 2)

    scores = [classification_scores(labels, row, 3) for row in p]
    of_all = {metric: [s.overall[metric] for s in scores]} if metric in CLASSIFICATION_OVERALL else {}
    of_one = {metric: [s.classes[1][metric] for s in scores]} if metric in CLASSIFICATION_OF_CLASS else {}
    assert of_all or of_one
    for class_index, n, values in ((None, 200, of_all), (1, int((labels == 1).sum()), of_one)):
        if not values:
            with pytest.raises(ValueError):
                estimated(class_index)
            continue
        found = estimated(class_index)
        assert found.value == pytest.approx(np.mean(values[metric]))
        assert found.interval is not None and found.interval[0] < found.value < found.interval[1] and found.n == n


def test_the_interval_of_the_auc_is_as_wide_as_its_error() -> None:
    rng = np.random.default_rng(15)
    truth, covered = 0.7602, 0  # of two normal distributions one standard deviation apart
    for _ in range(200):
        labels = np.repeat([0, 1], 60)
        logit = rng.normal(size=120) + labels
        p = 1 / (1 + np.exp(-logit))
        found = probability_estimate(labels, np.stack([1 - p, p], axis=1)[None], "ROC-AUC", 1, n_classes=2)
        assert found.interval is not None
        covered += found.interval[0] <= truth <= found.interval[1]
    assert 0.9 <= covered / 200 <= 0.99


def test_arguments_that_do_not_fit_are_refused() -> None:
    labels, a, b = _arms(3, 30, 2, 16)
    with pytest.raises(ValueError):
        effect(labels, a, b[:, :-1], Endpoint(), n_classes=3)
    with pytest.raises(ValueError):
        effect(labels, a, b, Endpoint("recall"), n_classes=3)
    with pytest.raises(ValueError):
        effect(labels, a, b, Endpoint(), n_classes=3, folds=np.arange(30) % 2)
    with pytest.raises(ValueError):
        arm_estimate(labels, a, Endpoint("no such figure", 1), n_classes=3)


@pytest.mark.parametrize("metric", ["precision-at-recall", "calibration-error", "average-precision"])
def test_effects_on_probabilities_are_seldom_seen_where_there_are_none_and_seen_where_there_are(metric: str) -> None:
    """Three trainings an arm; the better arm's training lifts the rare class by as much as it is spread."""
    rng, n, rare = np.random.default_rng(0), 2000, 80
    labels, common = np.repeat([1, 0], [rare, n - rare]), rng.normal(size=n)

    def arm(lift: float) -> np.ndarray:
        odds = [
            2 * (0.8 * common + 0.6 * rng.normal(size=n) + (2.5 + lift + 0.2 * rng.normal()) * labels) - 4
            for _ in range(3)
        ]
        p = 1 / (1 + np.exp(-np.array(odds)))
        return np.stack([1 - p, p], axis=2)

    asked = Endpoint(metric, 1)
    same = [probability_effect(labels, arm(0), arm(0), asked, n_classes=2) for _ in range(100)]
    assert np.mean([one.p is not None and one.p < 0.05 for one in same]) <= 0.08
    better, worse = arm(1.5), arm(0)
    found = probability_effect(labels, better, worse, asked, n_classes=2)
    assert found.p is not None and found.p < 0.05
    sides = np.array(
        [probability_estimate(labels, one, metric, 1, n_classes=2).value for one in (better, worse)], float
    )
    assert found.value == pytest.approx(sides[0] - sides[1])
