"""Whether a classifier is as often right as it says."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 15


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
