"""Whether a generator hands out its training images: a test against held-out real images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.stats import chi2, hypergeom, mannwhitneyu, norm

from gansynth.metrics.matching import flat_rows

_BLOCK_ELEMENTS = 2**24
_STEP_ASIDE = 1e-10
_HELD_OUT_PER_RANK = 50


@dataclass(frozen=True)
class Memorisation:
    """Are generated images nearer to the training images than fresh real images are?

    Attributes
    ----------
    value : float
        AUC: probability that a generated image lies nearer to its nearest training image than a
        held-out real image does. 0.5: as fresh as real ones; 1: all nearer, copies; below 0.5: further away.
        NaN where one side is empty.
    n : int
        Generated images.
    n_held_out : int
        Held-out real images.
    interval : (float, float)
        Interval of `value`.
    p_value : float
        One-sided Mann-Whitney: small when generated images are nearer than chance explains. It is not
        corrected for the number of classes.
    median_generated, median_held_out : float
        Median distances to the nearest training image, in the units of the distance.
    nearer : int
        Generated images nearer to a training image than (almost) any held-out one: than the r-th nearest of m held-out
        images, r = m / 50 rounded up.
    p_nearer : float
        Probability of so many or more if generated images were as fresh as held-out ones (negative hypergeometric,
        exact). Where some images are copies and the rest is fresh, it finds them among far fewer images than the
        Mann-Whitney test, which looks for a shift of all.
    """

    value: float
    n: int
    n_held_out: int
    interval: tuple[float, float]
    p_value: float
    median_generated: float
    median_held_out: float
    nearer: int
    p_nearer: float

    @property
    def p_alarm(self) -> float:
        """Both p values in one: the smaller, doubled for having looked twice; NaN where one side is empty."""
        return float(either(self.p_value, self.p_nearer))


def memorisation(
    generated_distances: ArrayLike, held_out_distances: ArrayLike, *, confidence: float = 0.95
) -> Memorisation:
    """Compare d(generated -> training) with d(held-out real -> training).

    Parameters
    ----------
    generated_distances : float array, shape [n]
        Distance of each generated image to the nearest training image of its class
        (`nearest`, or the column `nearest_training_distance` of metadata.csv).
    held_out_distances : float array, shape [m]
        The same, by the same distance and to the same training images, for real images that were not
        trained on.
    confidence : float
        Level of the interval, between 0 and 1.

    Returns
    -------
    Memorisation

    Raises
    ------
    ValueError
        If a distance is not finite.

    Notes
    -----
    Both tests take images for independent draws. A collapsed generator repeats one distance, which counts as many: look
    at the diversity, too, before calling it a copier.

    References
    ----------
    Meehan, C., Chaudhuri, K., Dasgupta, S. (2020). A non-parametric test to detect data-copying in
    generative models. arXiv:2004.05675. The interval is method 5 of Newcombe, R. G. (2006),
    Confidence intervals for an effect size measure based on the Mann-Whitney statistic, part 2,
    Statistics in Medicine 25, 559-573; it holds at small n and at an AUC of 0 or 1.

    Examples
    --------
    >>> result = memorisation([0.1, 0.2, 0.1, 0.3], [1.0, 1.2, 0.9, 1.1])
    >>> result.value, round(result.p_value, 3)
    (1.0, 0.015)
    """
    generated = np.asarray(generated_distances, dtype=np.float64)
    held_out = np.asarray(held_out_distances, dtype=np.float64)
    if not (np.isfinite(generated).all() and np.isfinite(held_out).all()):
        raise ValueError("distances hold values that are not finite")
    n, m = len(generated), len(held_out)
    if not n or not m:
        nan = float("nan")
        medians = [float(np.median(d)) if len(d) else nan for d in (generated, held_out)]
        return Memorisation(nan, n, m, (nan, nan), nan, medians[0], medians[1], nearer=0, p_nearer=nan)
    auc, p_value, nearer, p_nearer = (part.item() for part in copy_tests(generated, held_out))
    return Memorisation(
        value=auc,
        n=n,
        n_held_out=m,
        interval=_auc_interval(auc, n, m, confidence),
        p_value=p_value,
        median_generated=float(np.median(generated)),
        median_held_out=float(np.median(held_out)),
        nearer=int(nearer),
        p_nearer=p_nearer,
    )


def copy_tests(
    generated: ArrayLike, held_out: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Return what `memorisation` tests, for one class or for any number of sets of equal size at once.

    Parameters
    ----------
    generated, held_out : float arrays, shape [..., n] and [..., m]
        Distances to the nearest training image, n and m at least 1.

    Returns
    -------
    auc, p_value, nearer, p_nearer : arrays, shape [...]
        As in `Memorisation`.
    """
    x, y = np.asarray(generated, dtype=np.float64), np.asarray(held_out, dtype=np.float64)
    n, m = x.shape[-1], y.shape[-1]
    test = mannwhitneyu(x, y, alternative="less", axis=-1)
    # SciPy's U counts the pairs in which the generated image is the further one.
    auc = 1 - np.asarray(test.statistic) / (n * m)
    # Not the very nearest of many held-out images: one that was trained on by mistake would hide every copy.
    rank = -(-m // _HELD_OUT_PER_RANK)
    nearer = (x < np.partition(y, rank - 1, axis=-1)[..., rank - 1 : rank]).sum(axis=-1)
    # So many come before the r-th held-out image when at most r - 1 held-out ones are among the first nearer + r - 1.
    p_nearer = np.where(nearer > 0, hypergeom.cdf(rank - 1, n + m, m, nearer + rank - 1), 1.0)
    return auc, np.asarray(test.pvalue), nearer, p_nearer


def class_memorisation(
    generated_distances: ArrayLike,
    generated_labels: ArrayLike,
    held_out_distances: ArrayLike,
    held_out_labels: ArrayLike,
    n_classes: int,
    *,
    confidence: float = 0.95,
) -> list[Memorisation]:
    """Return `memorisation` for each class, in the order of the labels 0..n_classes-1."""
    generated, held_out = np.asarray(generated_distances), np.asarray(held_out_distances)
    g, h = np.asarray(generated_labels), np.asarray(held_out_labels)
    return [memorisation(generated[g == c], held_out[h == c], confidence=confidence) for c in range(n_classes)]


def memorisation_alarm(classes: Sequence[Memorisation], *, level: float = 0.05) -> tuple[bool, float]:
    """Decide for all classes together whether images were copied, with at most `level` false alarms in all.

    Two ways of copying are looked for: one class much (the smallest p value, times the number of classes), or all
    classes a little (Fisher's sum of logarithms); the better of the two counts double.

    Parameters
    ----------
    classes : sequence of Memorisation
        One per class, of disjoint images. Those without images on either side take no part.
    level : float
        Share of honest generators that may be accused.

    Returns
    -------
    alarm : bool
    p_value : float
        For the whole report; 1 where there is nothing to test. `holm` of every class's `p_alarm` says which classes.

    References
    ----------
    Fisher, R. A. (1932). Statistical Methods for Research Workers, section 21.1.

    Examples
    --------
    >>> honest, copied = memorisation(range(10), range(10)), memorisation([0.0] * 10, range(1, 11))
    >>> memorisation_alarm([honest, honest])[0], memorisation_alarm([honest, copied])[0]
    (False, True)
    """
    p_value = alarm_p_value([c.p_alarm for c in classes if c.n and c.n_held_out]).item()
    return p_value <= level, p_value


def alarm_p_value(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return the p value of `memorisation_alarm` from those of the classes, float64 [...].

    Parameters
    ----------
    p_values : float array, shape [..., C]
        `p_alarm` of C classes, in each of any number of reports.
    """
    p = np.asarray(p_values, dtype=np.float64)
    count = p.shape[-1]
    if count < 2:
        return p[..., 0] if count else np.ones(p.shape[:-1])
    # Fisher's sum, of p values that are at least uniform under the null: exact or on the safe side.
    together = chi2.sf(-2 * np.log(np.maximum(p, np.finfo(float).tiny)).sum(axis=-1), 2 * count)
    return either(count * p.min(axis=-1), together)


def either(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return the p value of two tests of which the better counts: the smaller, doubled, and at most 1."""
    return np.minimum(1.0, 2 * np.minimum(first, second))


def copy_threshold(held_out_distances: ArrayLike) -> float:
    """Return the distance below which a generated image is called a copy of a training image.

    Parameters
    ----------
    held_out_distances : float array, shape [m]
        Distance of real images that were not trained on to their nearest training image.

    Returns
    -------
    float
        Half the median, and not above the distance that one held-out image in a thousand falls below: a real cell is
        no copy, however ordinary. 0 (nothing but an equal image lies below or at it) without held-out images.
    """
    free = np.asarray(held_out_distances, dtype=np.float64)
    return float(min(np.quantile(free, 0.001), np.median(free) / 2)) if len(free) else 0.0


def nearest(queries: ArrayLike, references: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the nearest reference of each query by Euclidean distance, block by block.

    Parameters
    ----------
    queries : array, shape [n, d] or [n, ...]
        Features, or images of any dtype, which are flattened.
    references : array, shape [m, d] or [m, ...]

    Returns
    -------
    distance : float32 array, shape [n]
        Exactly 0 for a query that equals a reference; infinite when there is no reference.
    index : int64 array, shape [n]
        Which reference, the first among equals; -1 when there is none.
    """
    q, r = flat_rows(queries), flat_rows(references)
    distance, index = torch.full((len(q),), torch.inf), torch.full((len(q),), -1)
    rows = max(1, _BLOCK_ELEMENTS // max(len(r), q.shape[1], 1))
    for block in range(0, len(q) if len(r) else 0, rows):
        # Not by matrix product: that gives an image a distance to itself of up to 1.5.
        distances = torch.cdist(q[block : block + rows], r, compute_mode="donot_use_mm_for_euclid_dist")
        distance[block : block + rows], index[block : block + rows] = distances.min(dim=1)
    return distance.numpy(), index.numpy()


def _auc_interval(auc: float, n: int, m: int, confidence: float) -> tuple[float, float]:
    z, more = norm.ppf((1 + confidence) / 2), (n + m) / 2 - 1

    def excess(theta: float) -> float:
        spread = 1 + more * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return float((auc - theta) ** 2 - z**2 * theta * (1 - theta) * spread / (n * m))

    # The excess is also 0 at an AUC of exactly 0 or 1, which is not the root that is looked for.
    low = 0.0 if auc <= 0 else float(brentq(excess, 0.0, auc - _STEP_ASIDE))
    high = 1.0 if auc >= 1 else float(brentq(excess, auc + _STEP_ASIDE, 1.0))
    return low, high
