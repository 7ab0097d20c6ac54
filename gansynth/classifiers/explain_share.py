"""One number for explanations: how much of the attribution lies in the cell."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gansynth.metrics.estimate import Estimate
from gansynth.metrics.jackknife import share_interval


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


def mean_share(shares: NDArray[np.float64] | list[float]) -> Estimate:
    """Return the mean of shares with its 95% interval, which stays inside 0..1.

    Parameters
    ----------
    shares : float array, shape [n]
        NaN where an image has no share: it is left out, and counted in the note.

    Returns
    -------
    Estimate
        Its n is that of the images which have a share. They are one sample; the training is not repeated, so the
        interval does not tell of other trainings.
    """
    known, note = _known(shares)
    n = len(known)
    if not n:
        return Estimate(None, 0, note=note or "no images")
    value = float(known.mean())
    if n == 1:
        return Estimate(value, n, note=note)
    return Estimate(value, n, share_interval(value, float(known.var(ddof=1)) / n, n, z=_student(n)), note=note)


def mean_difference(differences: NDArray[np.float64] | list[float]) -> Estimate:
    """Return the mean of differences of shares of the same images, with Student's 95% interval.

    Parameters
    ----------
    differences : float array, shape [n]
        See `mean_share`.
    """
    known, note = _known(differences)
    n = len(known)
    if not n:
        return Estimate(None, 0, note=note or "no images")
    value = float(known.mean())
    if n == 1:
        return Estimate(value, n, note=note)
    half = _student(n) * float(known.std(ddof=1)) / math.sqrt(n)
    return Estimate(value, n, (max(-1.0, value - half), min(1.0, value + half)), note=note)


def _known(values: NDArray[np.float64] | list[float]) -> tuple[NDArray[np.float64], str]:
    given = np.asarray(values, np.float64)
    known = given[np.isfinite(given)]
    left_out = len(given) - len(known)
    return known, f"{left_out} of {len(given)} images have no share" if left_out else ""


def _student(n: int) -> float:
    from scipy.stats import t

    return float(t.ppf(0.975, n - 1))
