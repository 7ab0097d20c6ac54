"""A confidence interval of a share whose images are not independent of each other."""

from __future__ import annotations

import math

from scipy import special

from gansynth.metrics.classification_tests import Z, t_quantile


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
