"""What is said of a classifier on labelled images: overall, class by class, and as a confusion matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gansynth.metrics import confusion_scores
from gansynth.metrics.confusion_scores import class_figure, confusion_matrix, overall_figure
from gansynth.metrics.probability_scores import calibration_error, precision_at_recall, ranking

OVERALL = (*confusion_scores.OVERALL, "ROC-AUC", "average-precision", "Brier", "MSE", "RMSE", "calibration-error")
"""Metrics of all classes together. Balanced accuracy is the macro recall (macro sensitivity)."""

OF_CLASS = (*confusion_scores.OF_CLASS, "ROC-AUC", "average-precision", "precision-at-recall", "calibration-error")
"""Metrics of one class against all others."""


@dataclass(frozen=True)
class Scores:
    """Numbers of one classifier on one set of images.

    Attributes
    ----------
    overall : dict of str to float or None
        The names of `OVERALL`; None where a number cannot be said.
    classes : list of dict of str to float or None
        The names of `OF_CLASS` for class 0..C-1. All None for a class without images; such a class takes no part in
        means over classes.
    confusion : int64 array, shape [C, C]
        Images by true class (row) and predicted class (column).
    """

    overall: dict[str, float | None]
    classes: list[dict[str, float | None]]
    confusion: NDArray[np.int64]


def classification_scores(labels: ArrayLike, probabilities: ArrayLike, n_classes: int) -> Scores:
    """Score a classifier's probabilities.

    Parameters
    ----------
    labels : int array, shape [N]
        True classes, 0..C-1.
    probabilities : float array, shape [N, C]
        Probabilities of each class; the first of the largest is the predicted class.
    n_classes : int
        C.

    Returns
    -------
    Scores

    Raises
    ------
    ValueError
        If the shapes do not fit each other, a class lies outside 0..C-1, or a probability is not finite.

    Notes
    -----
    ROC AUC and average precision are one-vs-rest, and means over the classes overall. ``Brier`` is the sum over the
    classes of squared differences between probability and truth, averaged over images (0..2); ``MSE`` is its mean over
    the classes, which depends on their number, and ``RMSE`` the root of that. ``calibration-error`` is that of the
    predicted class; of a class, that of its own probability. ``precision-at-recall`` is the precision where the
    threshold finds 90% of the class. Weighted means count each class by its images.

    Examples
    --------
    >>> found = classification_scores([0, 0, 1], [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]], 2)
    >>> found.classes[0]["recall"], found.confusion.tolist()
    (0.5, [[1, 1], [0, 1]])
    """
    truth, p = np.asarray(labels, dtype=np.int64), np.asarray(probabilities, dtype=np.float64)
    if truth.ndim != 1 or p.shape != (len(truth), n_classes):
        raise ValueError(f"labels must be [N] and probabilities [N, {n_classes}], got {truth.shape} and {p.shape}")
    if not np.isfinite(p).all():
        raise ValueError("probabilities hold values that are not finite")
    predicted = p.argmax(axis=1) if n_classes else truth
    table = confusion_matrix(truth, predicted, n_classes)
    of_class = {name: class_figure(table, name) for name in confusion_scores.OF_CLASS}
    ranked = [ranking(p[:, c], truth == c) for c in range(n_classes)]
    of_class["ROC-AUC"] = np.array([one.auc for one in ranked])
    of_class["average-precision"] = np.array([one.average_precision for one in ranked])
    there = [(p[:, c], truth == c) for c in range(n_classes)]
    of_class["precision-at-recall"] = np.array([precision_at_recall(*one)[0] for one in there])
    of_class["calibration-error"] = np.array([calibration_error(*one) if one[1].any() else np.nan for one in there])
    overall = {name: _known(overall_figure(table, name)) for name in confusion_scores.OVERALL}
    for name in ("ROC-AUC", "average-precision"):
        known = of_class[name][~np.isnan(of_class[name])]
        overall[name] = float(known.mean()) if len(known) else None
    brier = squared_errors(truth, p).mean() if len(truth) else np.nan
    mse = brier / max(n_classes, 1)
    overall["Brier"], overall["MSE"], overall["RMSE"] = _known(brier), _known(mse), _known(np.sqrt(mse))
    overall["calibration-error"] = _known(calibration_error(p.max(axis=1, initial=0.0), predicted == truth))
    return Scores(
        overall,
        [{name: _known(values[c]) for name, values in of_class.items()} for c in range(n_classes)],
        table,
    )


def squared_errors(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the squared distance of each image's probabilities from its truth, float64 [N], 0..2."""
    return ((probabilities - np.eye(probabilities.shape[1])[labels]) ** 2).sum(axis=1)


def _known(value: float | NDArray[np.float64]) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
