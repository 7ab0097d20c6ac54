"""How different the images of one class are from each other: what a collapsed generator lacks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike

_BLOCK_ELEMENTS = 2**24


@dataclass(frozen=True)
class Diversity:
    """Mean distance between two different images of a set.

    Attributes
    ----------
    value : float
        Mean over all pairs, in the units of the distance; NaN with fewer than two images.
    n : int
        Number of images (not of pairs).
    interval : (float, float)
        Percentile bootstrap interval over images; NaN with fewer than three.
    """

    value: float
    n: int
    interval: tuple[float, float]


def mean_pairwise_distance(
    points: ArrayLike, *, resamples: int = 500, confidence: float = 0.95, seed: int = 0
) -> Diversity:
    """Return the mean Euclidean distance over all pairs of different rows.

    The mean over pairs i < j is an unbiased U-statistic, so sets of different size compare; still,
    show it beside the value of as many real images. Memory grows with n, not with n squared.

    Parameters
    ----------
    points : array, shape [n, d] or [n, ...]
        Features, or images of any dtype, which are flattened. Distances of raw pixels are in grey
        levels times sqrt(d): divide by sqrt(d) for the root mean square per pixel.
    resamples : int
        Bootstrap resamples of the images. A resample leaves out the pairs of an image with its own
        copy, whose distance of zero would bias it downwards.
    confidence : float
        Level of the interval, between 0 and 1.
    seed : int
        Seed of the resampling.

    Returns
    -------
    Diversity

    Raises
    ------
    ValueError
        If the points have no second axis or are not finite.

    References
    ----------
    Hoeffding, W. (1948). A class of statistics with asymptotically normal distribution. Annals of
    Mathematical Statistics 19, 293-325. As a sign of mode collapse: Odena et al. (2017),
    arXiv:1610.09585, section 4.3 (there with MS-SSIM).

    Examples
    --------
    >>> mean_pairwise_distance([[0.0], [1.0], [3.0]]).value
    2.0
    """
    array = np.asarray(points)
    if array.ndim < 2:
        raise ValueError(f"points must be [n, d], got {array.shape}")
    n = len(array)
    if n < 2:
        return Diversity(float("nan"), n, (float("nan"), float("nan")))
    # A copy: torch warns of read-only memory, and a memory-mapped pack is that.
    x = torch.from_numpy(np.array(array.reshape(n, -1), dtype=np.float32))
    if not bool(torch.isfinite(x).all()):
        raise ValueError("points hold values that are not finite")
    weights = _weights(n, resamples, seed)
    total = torch.zeros(len(weights), dtype=torch.float64)
    rows = max(1, _BLOCK_ELEMENTS // max(n, x.shape[1]))
    for block in range(0, n, rows):
        # Not by matrix product: that gives an image a distance to itself of up to 1.5.
        distances = torch.cdist(x[block : block + rows], x, compute_mode="donot_use_mm_for_euclid_dist").double()
        total += ((weights[:, block : block + rows] @ distances) * weights).sum(dim=1)
    return _diversity(total, weights, n, confidence)


def mean_off_diagonal(
    distances: ArrayLike, *, resamples: int = 500, confidence: float = 0.95, seed: int = 0
) -> Diversity:
    """Return `mean_pairwise_distance` of a set whose distances are known already.

    Parameters
    ----------
    distances : float array, shape [n, n]
        Symmetric. What stands on the diagonal is not looked at.
    resamples, confidence, seed
        As for `mean_pairwise_distance`.

    Returns
    -------
    Diversity

    Raises
    ------
    ValueError
        If the matrix is not square.

    Examples
    --------
    >>> mean_off_diagonal([[0.0, 1.0, 3.0], [1.0, 0.0, 2.0], [3.0, 2.0, 0.0]]).value
    2.0
    """
    matrix = torch.from_numpy(np.array(distances, dtype=np.float64))
    n = len(matrix)
    if matrix.ndim != 2 or matrix.shape[1] != n:
        raise ValueError(f"distances must be a square matrix, got {tuple(matrix.shape)}")
    if n < 2:
        return Diversity(float("nan"), n, (float("nan"), float("nan")))
    matrix.fill_diagonal_(0)
    weights = _weights(n, resamples, seed)
    return _diversity(((weights @ matrix) * weights).sum(dim=1), weights, n, confidence)


def _weights(n: int, resamples: int, seed: int) -> torch.Tensor:
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples if n > 2 else 0)
    # Row 0 weighs every image once: the estimate itself comes out of the same sum.
    return torch.from_numpy(np.concatenate([np.ones((1, n)), draws]).astype(np.float64))


def _diversity(total: torch.Tensor, weights: torch.Tensor, n: int, confidence: float) -> Diversity:
    pairs = weights.sum(dim=1).square() - weights.square().sum(dim=1)
    # A resample of one single image has no pair and says nothing.
    means = (total / pairs)[pairs > 0].numpy()
    tail = 100 * (1 - confidence) / 2
    low, high = np.percentile(means[1:], [tail, 100 - tail]) if len(means) > 1 else (np.nan, np.nan)
    return Diversity(float(means[0]), n, (float(low), float(high)))


def class_diversity(
    points: ArrayLike,
    labels: ArrayLike,
    n_classes: int,
    *,
    resamples: int = 500,
    confidence: float = 0.95,
    seed: int = 0,
) -> list[Diversity]:
    """Return `mean_pairwise_distance` inside each class, in the order of the labels.

    Parameters
    ----------
    points : array, shape [n, d] or [n, ...]
    labels : int array, shape [n]
        0..n_classes-1.
    n_classes : int

    Returns
    -------
    list of Diversity, length n_classes
        With n = 0 and NaN for a class without images.
    """
    array, of = np.asarray(points), np.asarray(labels)
    return [
        mean_pairwise_distance(array[of == c], resamples=resamples, confidence=confidence, seed=seed)
        for c in range(n_classes)
    ]
