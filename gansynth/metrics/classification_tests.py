"""Tests of two classifiers against each other, each as its authors gave it.

`gansynth.metrics.classification_effects` says which of them, or what else, a comparison of remedies stands on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from gansynth.metrics.intervals import t_quantile


@dataclass(frozen=True)
class TestResult:
    """A difference with its 95% interval and its two-sided p value; NaN where they cannot be said."""

    __test__ = False  # pytest takes every class of this name for its own

    value: float
    interval: tuple[float, float]
    p: float


def corrected_t_test(differences: ArrayLike, test_to_train: float) -> TestResult:
    """Return Nadeau and Bengio's corrected resampled t-test over folds.

    The folds of a cross-validation share training images, so their differences vary together and too little; the
    ordinary paired t-test calls chance an effect in up to half of all comparisons (5 x 5 cross-validation).

    Parameters
    ----------
    differences : float array, shape [J]
        A value of one classifier less that of the other, on each of J different splits. Average the seeds inside a
        split first: they are not splits of their own.
    test_to_train : float
        Images of a test part for each image of its training part; 1/4 in five folds.

    References
    ----------
    Nadeau, C., Bengio, Y. (2003). Inference for the generalization error. Machine Learning 52, 239-281.

    Examples
    --------
    >>> found = corrected_t_test([0.02, 0.05, 0.03, 0.04, 0.01], 0.25)
    >>> round(found.value, 3), round(found.p, 3)
    (0.03, 0.047)
    """
    d = np.asarray(differences, dtype=np.float64)
    if d.ndim != 1:
        raise ValueError(f"differences must be [J], got {d.shape}")
    mean = float(d.mean()) if len(d) else math.nan
    if len(d) < 2:
        return TestResult(mean, (math.nan, math.nan), math.nan)
    return t_test(mean, float(d.var(ddof=1)) * (1 / len(d) + test_to_train), len(d) - 1)


def t_test(value: float, variance: float, df: float) -> TestResult:
    """Return Student's test of `value` against 0, given an estimate of its variance with `df` degrees of freedom."""
    if variance <= 0:
        return TestResult(value, (value, value), 1.0 if value == 0 else 0.0)
    error = math.sqrt(variance)
    half = t_quantile(df) * error
    return TestResult(value, (value - half, value + half), float(2 * special.stdtr(df, -abs(value) / error)))


def mcnemar_test(first_right: ArrayLike, second_right: ArrayLike) -> float:
    """Return the exact p value of McNemar's test that two classifiers are right equally often.

    Parameters
    ----------
    first_right, second_right : bool arrays, shape [N]
        Whether each is right on the same N independent test images.

    Returns
    -------
    float
        Two-sided; 1 where they are right and wrong on the same images. It speaks of two trained networks: another
        training of the same remedy may differ by more.

    References
    ----------
    McNemar, Q. (1947). Note on the sampling error of the difference between correlated proportions or percentages.
    Psychometrika 12, 153-157.

    Examples
    --------
    >>> mcnemar_test([True] * 6 + [False], [False] * 6 + [False])
    0.03125
    """
    first, second = np.asarray(first_right, dtype=bool), np.asarray(second_right, dtype=bool)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"both must be [N], got {first.shape} and {second.shape}")
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    return float(min(1.0, 2 * special.bdtr(min(only_first, only_second), only_first + only_second, 0.5)))


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return p values corrected for their number, so that all those up to 0.05 together are false at most 5% of times.

    Parameters
    ----------
    p_values : float array, shape [C]
        NaN takes no part and stays NaN.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6,
    65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.array(p_values, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    p[order] = np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)).clip(max=1)
    return p
