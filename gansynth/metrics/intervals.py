"""Intervals of numbers whose images are not independent of each other: from jackknife variances, and of shares.

Distances between sets and neighbourhoods cannot be bootstrapped: a resample holds an image twice, and an image has
distance 0 to itself. The jackknife leaves images out instead, and by the inequality of Efron and Stein its variance is
not too small on average, for any statistic that treats images alike.

References
----------
Efron, B., Stein, C. (1981). The jackknife estimate of variance. Annals of Statistics 9, 586-596.
"""

from __future__ import annotations

import math

from scipy import special

Z = 1.959963984540054
"""Standard errors on each side of a 95% interval."""


def t_quantile(df: float) -> float:
    """Return how many standard errors of a variance with `df` degrees of freedom lie on each side of a 95% interval."""
    return float(special.stdtrit(df, 0.975)) if math.isfinite(df) else Z


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


def korn_graubard_interval(share: float, variance: float, n: float, df: float = math.inf) -> tuple[float, float]:
    """Return Clopper and Pearson's 95% interval at the number of independent images that the variance is worth.

    It stays inside 0..1, has a width where all images or none count, and holds for shares close to 0 or 1 too.

    Parameters
    ----------
    share : float
        0 to 1.
    variance : float
        Of the share.
    n : float
        Images; they are never worth more. Infinite: the variance alone says what they are worth.
    df : float
        Degrees of freedom of what `variance` was estimated from; the fewer, the less the images are worth.

    Returns
    -------
    (float, float)

    References
    ----------
    Korn, E. L., Graubard, B. I. (1998). Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data. Survey Methodology 24, 193-201.

    Examples
    --------
    >>> low, high = korn_graubard_interval(1.0, 0.0, 12)
    >>> round(low, 3), high
    (0.735, 1.0)
    """
    worth = float(n)
    if 0 < share < 1 and variance > 0:
        worth = min(worth, share * (1 - share) / variance)
    worth *= (Z / t_quantile(df)) ** 2
    counted = share * worth
    low = special.betaincinv(counted, worth - counted + 1, 0.025) if share > 0 else 0.0
    high = special.betaincinv(counted + 1, worth - counted, 0.975) if share < 1 else 1.0
    return float(low), float(high)
