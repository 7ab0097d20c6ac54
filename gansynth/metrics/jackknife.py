"""Intervals from jackknife variances.

Distances between sets and neighbourhoods cannot be bootstrapped: a resample holds an image twice, and an image has
distance 0 to itself. The jackknife leaves images out instead, and by the inequality of Efron and Stein its variance is
not too small on average, for any statistic that treats images alike.

References
----------
Efron, B., Stein, C. (1981). The jackknife estimate of variance. Annals of Statistics 9, 586-596.
"""

from __future__ import annotations

import math

Z = 1.959963984540054
"""Standard errors on each side of a 95% interval."""


def interval(
    value: float, variance: float, *, lowest: float = -math.inf, highest: float = math.inf
) -> tuple[float, float]:
    """Return the 95% interval `value` +- 1.96 sqrt(`variance`), cut at what the value can be."""
    half = Z * math.sqrt(variance)
    return max(value - half, lowest), min(value + half, highest)


def share_interval(share: float, variance: float, n: float) -> tuple[float, float]:
    """Return a 95% interval of a share (0..1) of n images that are not judged independently of each other.

    Wilson's interval at the number of independent images that would have this variance, at most n: it stays inside
    0..1 and has a width where all images or none count.

    Parameters
    ----------
    share : float
    variance : float
        Of the share, by the jackknife.
    n : float
    """
    worth = float(n)
    if 0 < share < 1 and variance > 0:
        worth = min(worth, share * (1 - share) / variance)
    square = Z * Z / worth
    middle = (share + square / 2) / (1 + square)
    half = math.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)
