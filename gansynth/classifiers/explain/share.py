"""One number for explanations: how much of the attribution lies in the cell."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gansynth.metrics.estimate import Estimate


def share_inside(attribution: NDArray[np.floating], mask: NDArray[np.bool_]) -> float:
    """Return the share of an attribution that lies inside a mask.

    Parameters
    ----------
    attribution : float array, shape [H, W]
        At least 0.
    mask : bool array, shape [H, W]

    Returns
    -------
    float
        0..1; NaN where there is no attribution at all. An even attribution has the mask's share of the picture.

    Examples
    --------
    >>> share_inside(np.ones((4, 4)), np.eye(4, dtype=bool))
    0.25
    """
    total = float(attribution.sum(dtype=np.float64))
    return float(attribution[mask].sum(dtype=np.float64)) / total if total > 0 else math.nan


def mean_share(shares: NDArray[np.float64] | list[float], *, lowest: float = 0.0) -> Estimate:
    """Return the mean of shares, or of differences of shares of the same images, with Student's 95% interval.

    Parameters
    ----------
    shares : float array, shape [n]
        NaN where an image has no share: it is left out, and counted in the note.
    lowest : float
        What a share is at least, and the interval too: 0, or -1 for differences. At most it is 1.

    Returns
    -------
    Estimate
        Its n is that of the images which have a share. They are one sample; the training is not repeated, so the
        interval says nothing of other trainings.
    """
    given = np.asarray(shares, np.float64)
    known = given[np.isfinite(given)]
    n, left_out = len(known), len(given) - len(known)
    note = f"{left_out} of {len(given)} images have no share" if left_out else ""
    if n == 0:
        return Estimate(None, 0, note=note or "no images")
    value = float(known.mean())
    if n == 1:
        return Estimate(value, n, note=note)
    from scipy.stats import t

    half = float(t.ppf(0.975, n - 1)) * float(known.std(ddof=1)) / math.sqrt(n)
    return Estimate(value, n, (max(lowest, value - half), min(1.0, value + half)), note=note)
