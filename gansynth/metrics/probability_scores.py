"""How good probabilities are: how they rank the images of a class before others, and whether they are as often right as
they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

BINS = 15

WANTED_RECALL = 0.9
"""Share of a class's images that a laboratory wants found, where nothing else is said."""


@dataclass(frozen=True)
class Ranking:
    """Numbers of one ranking, and what each image adds to them.

    Attributes
    ----------
    auc, average_precision : float
        NaN where there is no positive image, and the AUC also where there is no negative one.
    auc_added, precision_added : float64 arrays, shape [N]
        To first order, what an image does to the number (the infinitesimal jackknife); their sum is 0, and the sum of
        their squares is the variance over images.
    """

    auc: float
    average_precision: float
    auc_added: Floats
    precision_added: Floats


def ranking(scores: ArrayLike, positive: ArrayLike) -> Ranking:
    """Return the area under the ROC curve and the average precision.

    Parameters
    ----------
    scores : float array, shape [N]
        Larger: more likely positive.
    positive : bool array, shape [N]

    Returns
    -------
    Ranking

    Notes
    -----
    Equal scores count as half before each other (AUC), and enter together (average precision), as in scikit-learn.

    References
    ----------
    DeLong, E. R., DeLong, D. M., Clarke-Pearson, D. L. (1988). Comparing the areas under two or more correlated
    receiver operating characteristic curves. Biometrics 44, 837-845 (the variance of the AUC).

    Examples
    --------
    >>> found = ranking([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    >>> found.auc, round(found.average_precision, 4)
    (0.75, 0.8333)
    """
    value, hit = np.asarray(scores, dtype=np.float64), np.asarray(positive, dtype=bool)
    if value.ndim != 1 or hit.shape != value.shape:
        raise ValueError(f"scores and positive must be [N] both, got {value.shape} and {hit.shape}")
    positives = int(hit.sum())
    negatives = len(hit) - positives
    nothing = np.zeros(len(value))
    if not positives:
        return Ranking(np.nan, np.nan, nothing, nothing)
    # Images of equal score are one step; step 0 has the largest score.
    _, step = np.unique(-value, return_inverse=True)
    more_true = np.bincount(step, hit)
    more_false = np.bincount(step, ~hit)
    true, false = np.cumsum(more_true), np.cumsum(more_false)
    precision = true / (true + false)
    average_precision = float(more_true @ precision) / positives
    # An image changes the precision at its own step and at all after it, which the true images there feel.
    felt = more_true / (true + false) ** 2
    as_true, as_false = (np.cumsum((felt * other)[::-1])[::-1] for other in (false, true))
    precision_added = np.where(hit, precision[step] - average_precision + as_true[step], -as_false[step]) / positives
    if not negatives:
        return Ranking(np.nan, average_precision, nothing, precision_added)
    false_after = negatives - false + more_false / 2
    true_before = true - more_true / 2
    auc = float(more_true @ false_after) / (positives * negatives)
    auc_added = np.where(
        hit, (false_after[step] / negatives - auc) / positives, (true_before[step] / positives - auc) / negatives
    )
    return Ranking(auc, average_precision, auc_added, precision_added)


def precision_at_recall(scores: ArrayLike, positive: ArrayLike, recall: float = WANTED_RECALL) -> tuple[float, Floats]:
    """Return how many of the images that are called positive are, where the threshold finds the recall wanted.

    Parameters
    ----------
    scores : float array, shape [N]
        Larger: more likely positive.
    positive : bool array, shape [N]
    recall : float
        Share of the positive images that must be found, above 0 and at most 1; the threshold is the highest that does.

    Returns
    -------
    float
        0..1; NaN where there is no positive image.
    float64 array, shape [N]
        What each image adds to it, to first order; the sum of squares is the variance over images. An image adds
        through the precision at the threshold, and through the threshold, which moves along the precision-recall curve
        by as much as the recall is uncertain: one standard error of it to either side gives the slope.

    Examples
    --------
    >>> precision_at_recall([0.9, 0.8, 0.7, 0.6], [True, False, True, False], recall=1.0)[0]
    0.6666666666666666
    """
    value, hit = np.asarray(scores, dtype=np.float64), np.asarray(positive, dtype=bool)
    if value.ndim != 1 or hit.shape != value.shape:
        raise ValueError(f"scores and positive must be [N] both, got {value.shape} and {hit.shape}")
    if not 0 < recall <= 1:
        raise ValueError(f"a recall of {recall}: give a share above 0, at most 1")
    positives = int(hit.sum())
    if not positives:
        return np.nan, np.zeros(len(value))
    _, step = np.unique(-value, return_inverse=True)
    true, called = np.cumsum(np.bincount(step, hit)), np.cumsum(np.bincount(step))

    def reaching(wanted: float) -> int:
        return int(np.searchsorted(true, np.clip(wanted, 1 / positives, 1) * positives - 1e-9))

    at, error = reaching(recall), np.sqrt(recall * (1 - recall) / positives)
    below, above = reaching(recall - error), reaching(recall + error)
    precision = true / called
    further = (true[above] - true[below]) / positives
    slope = (precision[above] - precision[below]) / further if further else 0.0
    flagged = step <= at
    in_precision = flagged * (hit - precision[at]) / called[at]
    in_recall = hit * (flagged - true[at] / positives) / positives
    return float(precision[at]), in_precision - slope * in_recall


def best_threshold(scores: ArrayLike, positive: ArrayLike) -> float:
    """Return the threshold at which precision and recall add up to most.

    Parameters
    ----------
    scores : float array, shape [N]
        Larger: more likely positive. Positive is called what reaches the threshold.
    positive : bool array, shape [N]
        With a positive image at least.

    Returns
    -------
    float
        One of the scores; of several that are as good, the highest. Find it on other images than those that are
        classified by it: on the same ones it is too good by chance.

    References
    ----------
    Alkrimi, J. A. et al. (2023), section 4.1, which says that it is that of the highest F1; it need not be.

    Examples
    --------
    >>> best_threshold([0.9, 0.8, 0.7, 0.6], [True, False, True, False])
    0.7
    """
    value, hit = np.asarray(scores, dtype=np.float64), np.asarray(positive, dtype=bool)
    if value.ndim != 1 or hit.shape != value.shape or not hit.any():
        raise ValueError(f"scores and positive must be [N] both, with a positive one; got {value.shape}, {hit.shape}")
    known, step = np.unique(-value, return_inverse=True)
    true, called = np.cumsum(np.bincount(step, hit)), np.cumsum(np.bincount(step))
    return float(-known[int(np.argmax(true / called + true / hit.sum()))])


def calibration_error(confidence: ArrayLike, right: ArrayLike, *, bins: int = BINS) -> float:
    """Return the expected calibration error: the mean gap between confidence and accuracy.

    Parameters
    ----------
    confidence : float array, shape [N]
        Probability of the predicted class, 0..1; or of one class, for the calibration of that class.
    right : bool array, shape [N]
        Whether the prediction was right; or whether the image is of the class.
    bins : int
        Equal parts of 0..1 in which confidence and accuracy are compared; each weighs by its images.

    Returns
    -------
    float
        0 (says what it knows) to 1; NaN without images. With few images it is above 0 by chance alone.

    References
    ----------
    Guo, C., Pleiss, G., Sun, Y., Weinberger, K. Q. (2017). On calibration of modern neural networks. ICML, eq. 3.
    Of one class (classwise): Kull, M. et al. (2019). Beyond temperature scaling: obtaining well-calibrated multi-class
    probabilities with Dirichlet calibration. NeurIPS.

    Examples
    --------
    >>> round(calibration_error([0.9, 0.9, 0.6, 0.6], [True, False, True, True]), 3)
    0.4
    """
    gaps, _ = _gaps(confidence, right, bins)
    return float(np.abs(gaps).sum())


def calibration_added(confidence: ArrayLike, right: ArrayLike, *, bins: int = BINS) -> NDArray[np.float64]:
    """Return what each image adds to the calibration error, to first order: float64 [N], whose sum is 0."""
    gaps, surplus = _gaps(confidence, right, bins)
    of_image = (np.sign(gaps) * surplus).sum(axis=1)
    return np.asarray((of_image - np.abs(gaps).sum()) / max(len(of_image), 1))


def _gaps(confidence: ArrayLike, right: ArrayLike, bins: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return accuracy less confidence: of bins, weighted by their images [bins], and of every image [N, bins]."""
    value, hit = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if value.ndim != 1 or hit.shape != value.shape:
        raise ValueError(f"confidence and right must be [N] both, got {value.shape} and {hit.shape}")
    # Bins are open below and closed above, as in the paper.
    which = np.clip(np.ceil(value * bins).astype(np.int64) - 1, 0, bins - 1)
    surplus = np.zeros((len(value), bins))
    surplus[np.arange(len(value)), which] = hit - value
    return surplus.sum(axis=0) / len(value) if len(value) else np.full(bins, np.nan), surplus
