"""Whether a generator hands out its training images: a test against held-out real images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.stats import mannwhitneyu, norm

_BLOCK_ELEMENTS = 2**24
_STEP_ASIDE = 1e-10


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
    """

    value: float
    n: int
    n_held_out: int
    interval: tuple[float, float]
    p_value: float
    median_generated: float
    median_held_out: float


def memorisation(
    generated_distances: ArrayLike, held_out_distances: ArrayLike, *, confidence: float = 0.95
) -> Memorisation:
    """Compare d(generated -> training) with d(held-out real -> training).

    Parameters
    ----------
    generated_distances : float array, shape [n]
        Distance of each generated image to the nearest training image of its class
        (`nearest_distances`, or the column `nearest_training_distance` of metadata.csv).
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
        return Memorisation(
            nan, n, m, (nan, nan), nan, *(float(np.median(d)) if len(d) else nan for d in (generated, held_out))
        )
    test = mannwhitneyu(generated, held_out, alternative="less")
    # SciPy's U counts the pairs in which the generated image is the further one.
    auc = float(1 - test.statistic / (n * m))
    return Memorisation(
        value=auc,
        n=n,
        n_held_out=m,
        interval=_auc_interval(auc, n, m, confidence),
        p_value=float(test.pvalue),
        median_generated=float(np.median(generated)),
        median_held_out=float(np.median(held_out)),
    )


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


def nearest_distances(queries: ArrayLike, references: ArrayLike) -> NDArray[np.float32]:
    """Return the Euclidean distance of each query to the nearest reference, block by block.

    Parameters
    ----------
    queries : array, shape [n, d] or [n, ...]
        Features, or images of any dtype, which are flattened.
    references : array, shape [m, d] or [m, ...]

    Returns
    -------
    float32 array, shape [n]
        Exactly 0 for a query that equals a reference; infinite when there is no reference.
    """
    q, r = _flat(queries), _flat(references)
    nearest = torch.full((len(q),), torch.inf)
    rows = max(1, _BLOCK_ELEMENTS // max(len(r), q.shape[1], 1))
    for block in range(0, len(q) if len(r) else 0, rows):
        # Not by matrix product: that gives an image a distance to itself of up to 1.5.
        distances = torch.cdist(q[block : block + rows], r, compute_mode="donot_use_mm_for_euclid_dist")
        nearest[block : block + rows] = distances.amin(dim=1)
    return nearest.numpy()


def _flat(points: ArrayLike) -> torch.Tensor:
    array = np.asarray(points)
    return torch.from_numpy(np.array(array.reshape(len(array), int(np.prod(array.shape[1:]))), dtype=np.float32))


def _auc_interval(auc: float, n: int, m: int, confidence: float) -> tuple[float, float]:
    z, more = norm.ppf((1 + confidence) / 2), (n + m) / 2 - 1

    def excess(theta: float) -> float:
        spread = 1 + more * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return float((auc - theta) ** 2 - z**2 * theta * (1 - theta) * spread / (n * m))

    # The excess is also 0 at an AUC of exactly 0 or 1, which is not the root that is looked for.
    low = 0.0 if auc <= 0 else float(brentq(excess, 0.0, auc - _STEP_ASIDE))
    high = 1.0 if auc >= 1 else float(brentq(excess, auc + _STEP_ASIDE, 1.0))
    return low, high
