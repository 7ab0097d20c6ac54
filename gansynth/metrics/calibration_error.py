"""Whether a classifier is as often right as it says."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 15


def calibration_error(
    confidence: ArrayLike, right: ArrayLike, weights: ArrayLike | None = None, *, bins: int = BINS
) -> NDArray[np.float64]:
    """Return the expected calibration error: the mean gap between confidence and accuracy.

    Parameters
    ----------
    confidence : float array, shape [N]
        Probability of the predicted class, 0..1.
    right : bool array, shape [N]
        Whether the prediction was right.
    weights : float array, shape [B, N], optional
        How often each image counts, B times. Without them every image counts once.
    bins : int
        Equal parts of 0..1 in which confidence and accuracy are compared; each weighs by its images.

    Returns
    -------
    float64 array, shape [B] (or [])
        0 (says what it knows) to 1; NaN without images. With few images it is above 0 by chance alone.

    References
    ----------
    Guo, C., Pleiss, G., Sun, Y., Weinberger, K. Q. (2017). On calibration of modern neural networks. ICML, eq. 3.

    Examples
    --------
    >>> round(calibration_error([0.9, 0.9, 0.6, 0.6], [True, False, True, True]).item(), 3)
    0.4
    """
    value, hit = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if value.ndim != 1 or hit.shape != value.shape:
        raise ValueError(f"confidence and right must be [N] both, got {value.shape} and {hit.shape}")
    counts = np.ones((1, len(value))) if weights is None else np.atleast_2d(np.asarray(weights, dtype=np.float64))
    # Bins are open below and closed above, as in the paper.
    which = np.clip(np.ceil(value * bins).astype(np.int64) - 1, 0, bins - 1)
    surplus = np.zeros((len(value), bins))
    surplus[np.arange(len(value)), which] = hit - value
    total = counts.sum(axis=1)
    gaps = np.abs(counts @ surplus).sum(axis=1)
    found = np.divide(gaps, total, out=np.full(len(gaps), np.nan), where=total > 0)
    return found[0] if weights is None else found
