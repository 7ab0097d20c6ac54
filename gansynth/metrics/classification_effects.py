"""What a remedy did to a classifier: values of arms and differences between arms, with intervals that hold.

An interval over test images alone knows nothing of the noise of training: two trainings of the same remedy differ by
more than it allows, and it calls that an effect. One over seeds alone knows only these test images. Here both count,
and the noise of the training split too where there are folds (`gansynth.metrics.variance_components`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gansynth.files.json_object import IF_GIVEN, JsonObject
from gansynth.metrics.classification import squared_errors
from gansynth.metrics.classification_tests import TestResult, mcnemar_test, t_test
from gansynth.metrics.confusion_scores import confusion_matrix, contributions
from gansynth.metrics.estimate import Estimate, Interval
from gansynth.metrics.intervals import korn_graubard_interval, t_quantile
from gansynth.metrics.probability_scores import calibration_added, calibration_error, precision_at_recall, ranking
from gansynth.metrics.variance_components import (
    Contributions,
    Variance,
    between_folds,
    images_and_seeds,
    with_folds,
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BY_FOLDS = "nadeau-bengio"
BY_IMAGES_SEEDS_AND_FOLDS = "test images, seeds and folds (nadeau-bengio)"
BY_IMAGES_AND_SEEDS = "test images and seeds"
BY_IMAGES = "test images only"
OF_AGREEMENT = ("kappa", "MCC")
"""Metrics that go from -1 to 1, and are not shares of images."""

ONE_TRAINING = "one training an arm: the noise of training is unknown, and p is too small where there is any"
"""The note of an effect between two trainings."""

PROBABILITY_METRICS = (
    "ROC-AUC", "average-precision", "precision-at-recall", "Brier", "MSE", "RMSE", "calibration-error",
)  # fmt: skip
_RANKS = ("ROC-AUC", "average-precision", "precision-at-recall")


@dataclass(frozen=True)
class Endpoint:
    """A metric that arms are compared by.

    Attributes
    ----------
    metric : str
        A name of `gansynth.metrics.confusion_scores`: of `OVERALL` ("macro-F1"), or of `OF_CLASS` ("recall").
    class_index : int or None
        The class of the latter.
    """

    metric: str = "macro-F1"
    class_index: int | None = None


@dataclass(frozen=True)
class Effect(JsonObject):
    """The difference of an arm and its baseline: the arm's value less the baseline's.

    Attributes
    ----------
    value : float or None
        None where the endpoint cannot be said; `note` then says why.
    interval : (float, float) or None
        95% interval. It leaves out 0 exactly where p < 0.05.
    p : float or None
        Two-sided. Correct it for the number of arms with `gansynth.metrics.classification_tests.holm`.
    n : int
        Test images that can change the value: all, or those of the class for its recall.
    method : str
        What the variance is taken over. "test images and seeds": one fold. "test images, seeds and folds
        (nadeau-bengio)": several folds and seeds. "nadeau-bengio": several folds, one training in each. "test images
        only": one training an arm, so that the noise of training is unknown.
    mcnemar_p : float or None
        McNemar's exact test of "right in most trainings", for comparison: it ignores the noise of training. None for
        metrics that are not shares of right images.
    note : str
        What to bear in mind.
    """

    value: float | None
    interval: Interval
    p: float | None
    n: int
    method: str
    mcnemar_p: float | None = None
    note: Annotated[str, IF_GIVEN] = ""

    def finite(self) -> Effect:
        """Return the effect with None instead of what is neither finite nor known, as JSON holds it."""
        ends = self.interval
        return replace(
            self,
            value=_known(self.value),
            interval=None if ends is None or not all(map(math.isfinite, ends)) else ends,
            p=_known(self.p),
            mcnemar_p=_known(self.mcnemar_p),
        )


def effect(
    labels: ArrayLike,
    predicted: ArrayLike,
    baseline: ArrayLike,
    endpoint: Endpoint,
    *,
    n_classes: int,
    folds: ArrayLike | None = None,
    n_train: Sequence[int] | None = None,
    units: ArrayLike | None = None,
) -> Effect:
    """Compare an arm with its baseline on the same test images.

    Parameters
    ----------
    labels : int array, shape [N]
        True classes of the test images, pooled over the folds.
    predicted, baseline : int arrays, shape [S, N]
        Classes predicted by S trainings of each arm. Rows need not be paired.
    endpoint : Endpoint
    n_classes : int
    folds : int array, shape [N], optional
        The fold each image was tested in. Default: one.
    n_train : sequence of int, optional
        Training images of each fold, in the order of the sorted fold numbers; needed with folds. Real ones: they are
        what folds share.
    units : array, shape [N], optional
        Images with the same value (of one patient, or copies of each other) count as one. Default: each by itself.

    Returns
    -------
    Effect
        Its value is the difference of the pooled values, each the mean over its seeds.

    Raises
    ------
    ValueError
        If shapes do not fit each other, a class lies outside 0..C-1, or there is no such endpoint.

    Notes
    -----
    The variance is that over test images and trainings, and, with folds, what the folds differ by beyond it, multiplied
    by 1 + F n_test/n_train for the training images that they share (Nadeau and Bengio 2003). With one training in each
    fold, trainings and folds cannot be separated, and it is their corrected resampled t-test as it stands. With one
    fold the effect is that of this training split: another split may give another one, and nothing here knows.

    Examples
    --------
    >>> labels = np.repeat([0, 1], 50)
    >>> baseline, better = np.tile(labels, (3, 1)), np.tile(labels, (3, 1))
    >>> baseline[:, 50:70], better[:, 50:55] = 0, 0
    >>> found = effect(labels, better, baseline, Endpoint("recall", 1), n_classes=2)
    >>> round(found.value, 2), found.p < 0.01, found.method
    (0.3, True, 'test images and seeds')
    """
    data = _Data.of(labels, (predicted, baseline), n_classes, folds, units)
    if not data.counts(endpoint):
        return Effect(None, None, None, 0, BY_IMAGES, note=_absent(endpoint))
    values, given = data.linear(endpoint)
    return _tested(float(values[0].mean() - values[1].mean()), given, data, endpoint, n_train)


def probability_effect(
    labels: ArrayLike,
    probabilities: ArrayLike,
    baseline: ArrayLike,
    endpoint: Endpoint,
    *,
    n_classes: int,
    folds: ArrayLike | None = None,
    n_train: Sequence[int] | None = None,
    units: ArrayLike | None = None,
) -> Effect:
    """Compare an arm with its baseline by a metric of probabilities, on the same test images, as `effect` does.

    Parameters
    ----------
    labels : int array, shape [N]
    probabilities, baseline : float arrays, shape [S, N, C]
        Of S trainings of each arm.
    endpoint : Endpoint
        A metric of `PROBABILITY_METRICS`, as in `probability_estimate`.
    n_classes, folds, n_train, units
        As in `effect`.

    Raises
    ------
    ValueError
        If shapes do not fit each other, or there is no such metric.
    """
    sides = [np.asarray(side, dtype=np.float64) for side in (probabilities, baseline)]
    if any(side.ndim != 3 or side.shape[2] != n_classes for side in sides):
        raise ValueError(f"probabilities must be [S, N, {n_classes}], got {' and '.join(str(s.shape) for s in sides)}")
    data = _Data.of(labels, tuple(side.argmax(axis=2) for side in sides), n_classes, folds, units)
    of_class = Endpoint("recall", endpoint.class_index) if endpoint.class_index is not None else endpoint
    if not data.counts(of_class):
        return Effect(None, None, None, 0, BY_IMAGES, note=_absent(endpoint))
    (first, first_added), (second, second_added) = (
        _of_trainings(data.labels, side, endpoint.metric, endpoint.class_index) for side in sides
    )
    if not math.isfinite(first - second):
        return Effect(None, None, None, 0, BY_IMAGES, note=f"{endpoint.metric} cannot be said of these images")
    given = data.contributions([first_added, second_added], endpoint)
    return _tested(first - second, given, data, endpoint, n_train)


def _tested(
    value: float, given: Contributions, data: _Data, endpoint: Endpoint, n_train: Sequence[int] | None
) -> Effect:
    """Return the effect of a value, given what each unit contributes to both sides of it."""
    within, between = images_and_seeds(given), between_folds(given)
    n_folds, several_seeds = len(given.share), given.seeds > 1
    note = ""
    if n_folds == 1:
        found = t_test(value, within.value, within.df)
        method = BY_IMAGES_AND_SEEDS if several_seeds else BY_IMAGES
        if not several_seeds:
            note = ONE_TRAINING
    else:
        if n_train is None or len(n_train) != n_folds:
            raise ValueError(f"n_train must give the training images of each of the {n_folds} folds")
        tested = np.bincount(data.fold, minlength=n_folds)
        correction = 1 + n_folds * float(np.mean(tested / np.asarray(n_train)))
        if several_seeds:
            method, variance = BY_IMAGES_SEEDS_AND_FOLDS, with_folds(within, between, correction)
        else:
            method, variance = BY_FOLDS, Variance(between.value * correction, between.df)
            if n_folds < 5:
                note = f"{n_folds} folds with one training each hardly show an effect; train with more seeds"
        found = t_test(value, variance.value, variance.df) if variance.df else t_test(value, within.value, within.df)
        # Folds that agree by chance do not make the test images more than they are.
        inside = t_test(value, within.value, within.df)
        if _width(inside) > _width(found):
            found = inside
    widest = 2.0 if endpoint.metric in (*OF_AGREEMENT, "Brier") else 1.0
    return Effect(
        value,
        (max(found.interval[0], -widest), min(found.interval[1], widest)),
        found.p,
        data.counts(endpoint),
        method,
        data.mcnemar(endpoint),
        note,
    )


def arm_estimate(
    labels: ArrayLike,
    predicted: ArrayLike,
    endpoint: Endpoint,
    *,
    n_classes: int,
    folds: ArrayLike | None = None,
    units: ArrayLike | None = None,
) -> Estimate:
    """Return an arm's value, with an interval over test images and seeds.

    Parameters
    ----------
    labels : int array, shape [N]
    predicted : int array, shape [S, N]
    endpoint : Endpoint
        Any name of `confusion_scores`.
    n_classes : int
    folds, units : arrays, shape [N], optional
        As in `effect`.

    Returns
    -------
    Estimate
        The mean over the seeds of the value pooled over the folds; `n` counts the test images that it is about. A
        share has Clopper and Pearson's interval at what the images are worth (`korn_graubard_interval`), so that 12 of
        12 images right are not certain to be all.

    Examples
    --------
    >>> found = arm_estimate([0] * 10 + [1] * 10, [[0] * 8 + [1] * 12], Endpoint("recall", 0), n_classes=2)
    >>> found.value, found.n
    (0.8, 10)
    """
    data = _Data.of(labels, (predicted,), n_classes, folds, units)
    n = data.counts(endpoint)
    if not n:
        return Estimate(None, 0, note=_absent(endpoint))
    values, given = data.linear(endpoint)
    value = float(values[0].mean())
    if not math.isfinite(value):
        return Estimate(None, n, note=f"{endpoint.metric} cannot be said of these images")
    df_images = None if endpoint.metric in OF_AGREEMENT else data.df_of_share(endpoint)
    variance = with_folds(images_and_seeds(given, df_images), between_folds(given))
    return Estimate(value, n, _interval(value, variance, endpoint, data))


def probability_estimate(
    labels: ArrayLike,
    probabilities: ArrayLike,
    metric: str,
    class_index: int | None = None,
    *,
    n_classes: int,
    folds: ArrayLike | None = None,
    units: ArrayLike | None = None,
) -> Estimate:
    """Return a metric of an arm's probabilities, with an interval over test images and seeds.

    Parameters
    ----------
    labels : int array, shape [N]
    probabilities : float array, shape [S, N, C]
        Of S trainings.
    metric : str
        "ROC-AUC" or "average-precision" (of a class, or the mean over classes), "precision-at-recall" (of a class),
        "calibration-error" (of a class, or of the predicted one), "Brier", "MSE" or "RMSE" (of all classes).
    class_index : int, optional
    n_classes : int
    folds, units : arrays, shape [N], optional
        As in `effect`.

    Raises
    ------
    ValueError
        If shapes do not fit each other, or there is no such metric.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    if p.ndim != 3 or p.shape[2] != n_classes:
        raise ValueError(f"probabilities must be [S, N, {n_classes}], got {p.shape}")
    data = _Data.of(labels, (p.argmax(axis=2),), n_classes, folds, units)
    n = data.counts(Endpoint("recall", class_index)) if class_index is not None else len(data.labels)
    if not n:
        return Estimate(None, 0, note=_absent(Endpoint(metric, class_index)))
    value, images = _of_trainings(data.labels, p, metric, class_index)
    if not math.isfinite(value):
        return Estimate(None, n, note=f"{metric} cannot be said of these images")
    given = data.contributions([images], Endpoint(metric, class_index))
    ranks = metric in _RANKS
    df_images = data.df_of_share(Endpoint(metric)) if ranks else None
    variance = with_folds(images_and_seeds(given, df_images), between_folds(given))
    if ranks:
        # Ranks vary less than shares of n images would; where nothing varied, n is all there is to go by.
        worth = math.inf if 0 < value < 1 and variance.value > 0 else n
        return Estimate(value, n, korn_graubard_interval(value, variance.value, worth, variance.df))
    half = t_quantile(variance.df) * math.sqrt(variance.value)
    return Estimate(value, n, (max(0.0, value - half), min(2.0 if metric == "Brier" else 1.0, value + half)))


@dataclass(frozen=True)
class _Data:
    """Checked arguments: labels [N], sides of predictions [S, N], fold [N] from 0 on, unit [N] from 0 on."""

    labels: Ints
    sides: tuple[Ints, ...]
    n_classes: int
    fold: Ints
    unit: Ints

    @classmethod
    def of(
        cls,
        labels: ArrayLike,
        sides: tuple[ArrayLike, ...],
        n_classes: int,
        folds: ArrayLike | None,
        units: ArrayLike | None,
    ) -> _Data:
        truth = np.asarray(labels, dtype=np.int64)
        rows = tuple(np.atleast_2d(np.asarray(side, dtype=np.int64)) for side in sides)
        n = len(truth)
        fold = np.zeros(n, dtype=np.int64) if folds is None else np.unique(np.asarray(folds), return_inverse=True)[1]
        unit = np.arange(n) if units is None else np.unique(np.asarray(units), return_inverse=True)[1]
        for name, array in (("folds", fold), ("units", unit)):
            if array.shape != (n,):
                raise ValueError(f"{name} must be [{n}], got {array.shape}")
        if any(len(side) == 0 for side in rows):
            raise ValueError("predictions must be [S, N] with S at least 1")
        # What belongs together lies in one fold; if it does not, its parts count by themselves.
        unit = np.unique(fold * (unit.max(initial=0) + 1) + unit, return_inverse=True)[1]
        return cls(truth, rows, n_classes, fold, unit)

    def counts(self, endpoint: Endpoint) -> int:
        """Return the test images that the endpoint is about; 0 where it cannot be said."""
        c = endpoint.class_index
        if c is None:
            return len(self.labels)
        of_class = int((self.labels == c).sum())
        if not of_class or endpoint.metric not in ("specificity", "accuracy", "calibration-error"):
            return of_class
        return len(self.labels) - (of_class if endpoint.metric == "specificity" else 0)

    def linear(self, endpoint: Endpoint) -> tuple[list[Floats], Contributions]:
        """Return the value of every training, side by side, and what units contribute to it."""
        tables = [confusion_matrix(self.labels, side, self.n_classes).astype(np.float64) for side in self.sides]
        values, added = contributions(np.concatenate(tables), endpoint.metric, endpoint.class_index)
        ends = np.cumsum([len(side) for side in self.sides])[:-1]
        images = [
            np.take_along_axis(table.reshape(len(side), -1), self.labels * self.n_classes + side, axis=1)
            for side, table in zip(self.sides, np.split(added, ends), strict=True)
        ]
        return list(np.split(values, ends)), self.contributions(images, endpoint)

    def contributions(self, images: Sequence[Floats], endpoint: Endpoint) -> Contributions:
        """Return what units contribute, given what images contribute, [S, N] for each side."""
        units = int(self.unit.max()) + 1
        sums = [np.stack([np.bincount(self.unit, row, minlength=units) for row in side]) for side in images]
        fold = np.zeros(units, dtype=np.int64)
        fold[self.unit] = self.fold
        asked = self._asked(endpoint)
        share = np.bincount(self.fold, asked, minlength=int(self.fold.max()) + 1) / asked.sum()
        return Contributions([side.astype(np.float64) for side in sums], fold, share, self._step(endpoint))

    def worth(self, endpoint: Endpoint) -> float:
        """Return the images of equal weight that would say as much as these: fewer where small classes weigh much."""
        if endpoint.class_index is not None or not endpoint.metric.startswith(("macro", "balanced")):
            return float(self.counts(endpoint))
        sizes = np.bincount(self.labels, minlength=self.n_classes)
        sizes = sizes[sizes > 0]
        return float(len(sizes) ** 2 / (1 / sizes).sum())

    def df_of_share(self, endpoint: Endpoint) -> float:
        """Return how well is known how a share varies with the images, in degrees of freedom.

        It follows from the share where every image stands for itself; where images belong together, their units
        estimate it.
        """
        asked = self._asked(endpoint) > 0
        units = len(np.unique(self.unit[asked]))
        return math.inf if units == int(asked.sum()) else max(1.0, units - 1.0)

    def mcnemar(self, endpoint: Endpoint) -> float | None:
        c, metric = endpoint.class_index, endpoint.metric
        if (metric, c is None) not in (("recall", False), ("macro-F1", True), ("accuracy", True)):
            return None
        of = slice(None) if c is None else self.labels == c
        first, second = (((side == self.labels).mean(axis=0) > 0.5)[of] for side in self.sides)
        return mcnemar_test(first, second)

    def _asked(self, endpoint: Endpoint) -> Floats:
        if endpoint.metric == "recall" and endpoint.class_index is not None:
            return (self.labels == endpoint.class_index).astype(np.float64)
        return np.ones(len(self.labels))

    def _step(self, endpoint: Endpoint) -> float:
        c, metric = endpoint.class_index, endpoint.metric
        sizes = np.bincount(self.labels, minlength=self.n_classes)
        if c is not None and metric in ("recall", "precision", "F1", "precision-at-recall"):
            return 1 / int(sizes[c])
        if c is None and metric.startswith(("macro", "balanced")) and metric != "macro-specificity":
            sizes = sizes[sizes > 0]
            return math.sqrt(float((1 / (len(sizes) * sizes) ** 2).mean()))
        return 1 / max(self.counts(endpoint), 1)


def _interval(value: float, variance: Variance, endpoint: Endpoint, data: _Data) -> tuple[float, float]:
    if endpoint.metric in OF_AGREEMENT:
        half = t_quantile(variance.df) * math.sqrt(variance.value)
        return max(-1.0, value - half), min(1.0, value + half)
    return korn_graubard_interval(value, variance.value, data.worth(endpoint), variance.df)


def _known(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def _width(found: TestResult) -> float:
    return found.interval[1] - found.interval[0]


def _absent(endpoint: Endpoint) -> str:
    return "no test image" if endpoint.class_index is None else "no test image of this class"


def _of_trainings(labels: Ints, p: Floats, metric: str, class_index: int | None) -> tuple[float, Floats]:
    """Return the mean over trainings [S, N, C] of a metric, and what each image and each training adds to it [S, N]."""
    found = [_probability_figure(labels, row, metric, class_index) for row in p]
    values = np.array([one[0] for one in found])
    value = float(values.mean())
    return value, np.stack([one[1] for one in found]) + ((values - value) / len(labels))[:, None]


def _probability_figure(labels: Ints, p: Floats, metric: str, class_index: int | None) -> tuple[float, Floats]:
    """Return a metric of probabilities [N, C], and what each image adds to it."""
    if metric in ("ROC-AUC", "average-precision"):
        classes = np.unique(labels) if class_index is None else np.array([class_index])
        ranked = [ranking(p[:, c], labels == c) for c in classes]
        if metric == "ROC-AUC":
            known = [(one.auc, one.auc_added) for one in ranked if math.isfinite(one.auc)]
        else:
            known = [(one.average_precision, one.precision_added) for one in ranked]
        if not known:
            return math.nan, np.zeros(len(labels))
        return float(np.mean([one[0] for one in known])), np.mean([one[1] for one in known], axis=0)
    if metric == "precision-at-recall" and class_index is not None:
        return precision_at_recall(p[:, class_index], labels == class_index)
    if metric == "calibration-error":
        confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
        if class_index is not None:
            confidence, right = p[:, class_index], labels == class_index
        return calibration_error(confidence, right), calibration_added(confidence, right)
    if class_index is not None or metric not in ("Brier", "MSE", "RMSE"):
        raise ValueError(f"'{metric}' is not a metric of probabilities{'' if class_index is None else ' of a class'}")
    errors = squared_errors(labels, p) / (1 if metric == "Brier" else p.shape[1])
    value, added = float(errors.mean()), (errors - errors.mean()) / len(errors)
    if metric == "RMSE":
        root = math.sqrt(value)
        return root, added / max(2 * root, 1e-12)  # to first order, as everywhere here
    return value, added
