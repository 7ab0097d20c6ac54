"""How well a probability ranks the images of a class before all others: ROC AUC and average precision."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def ranking_scores(
    scores: ArrayLike, positive: ArrayLike, weights: ArrayLike | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the area under the ROC curve, and the average precision.

    The images are sorted once, however many sets of weights there are: a bootstrap costs two cumulative sums each.

    Parameters
    ----------
    scores : float array, shape [N]
        Larger: more likely positive.
    positive : bool array, shape [N]
    weights : float array, shape [B, N], optional
        How often each image counts, B times. Without them every image counts once.

    Returns
    -------
    auc, average_precision : float64 arrays, shape [B] (or [])
        NaN where no positive image counts, and the AUC also where no negative one does.

    Notes
    -----
    Equal scores count as half before each other (AUC), and enter together (average precision), as in scikit-learn.

    Examples
    --------
    >>> auc, average_precision = ranking_scores([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    >>> auc.item(), round(average_precision.item(), 4)
    (0.75, 0.8333)
    """
    value, hit = np.asarray(scores, dtype=np.float64), np.asarray(positive, dtype=bool)
    if value.ndim != 1 or hit.shape != value.shape:
        raise ValueError(f"scores and positive must be [N] both, got {value.shape} and {hit.shape}")
    order = np.argsort(-value, kind="stable")
    hit = hit[order]
    counts = np.ones((1, len(value))) if weights is None else np.atleast_2d(np.asarray(weights, np.float64))[:, order]
    last = np.flatnonzero(np.diff(value[order], append=-np.inf))  # where a run of equal scores ends
    true = np.cumsum(counts * hit, axis=1)[:, last]
    false = np.cumsum(counts * ~hit, axis=1)[:, last]
    if not len(value):
        true = false = np.zeros((len(counts), 1))
    positives, negatives = true[:, -1], false[:, -1]
    more_true, more_false = np.diff(true, axis=1, prepend=0.0), np.diff(false, axis=1, prepend=0.0)
    area = (more_false * (true - more_true / 2)).sum(axis=1)
    auc = np.divide(area, positives * negatives, out=np.full(len(area), np.nan), where=positives * negatives > 0)
    taken = true + false
    precision = np.divide(true, taken, out=np.zeros_like(taken), where=taken > 0)
    gained = (more_true * precision).sum(axis=1)
    average_precision = np.divide(gained, positives, out=np.full(len(gained), np.nan), where=positives > 0)
    return (auc[0], average_precision[0]) if weights is None else (auc, average_precision)
