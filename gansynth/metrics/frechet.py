"""The Fréchet distance between two sets of features (FID in Inception's), with an honest interval, in seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansynth.errors import InputError
from gansynth.metrics.estimate import Estimate, too_few
from gansynth.metrics.intervals import interval

Features = NDArray[np.floating]

FEWEST = 20
"""Images on each side below which a covariance says nothing."""

_ROWS = 4096


def frechet_distance(x: Features, y: Features) -> float:
    """Return |m_x - m_y|^2 + tr(S_x + S_y - 2 (S_x S_y)^(1/2)), with means m and covariances S.

    With S_x = A^T A and S_y = B^T B the trace of the square root is the sum of the singular values of A B^T, which is
    n x n where there are fewer images n than features d: no d x d matrix is made, and no eigenvalue is 0 but for
    rounding. torch-fidelity sums the roots of such eigenvalues: with d = 2,048 features that makes its distance too
    small by about 3e-5 at n = 40 (`published_frechet_distance` gives that number). Apart from that both agree to 1e-6
    of themselves.

    Parameters
    ----------
    x, y : float array, shape [n, d]
        Features of the two sets, as many of both.

    Raises
    ------
    InputError
        If the sets are of unequal size: the distance is biased upwards by an amount that depends on n.
    ValueError
        If they are not [n, d] with n >= 2, or not finite.

    References
    ----------
    Heusel, M. et al. (2017). GANs trained by a two time-scale update rule converge to a local Nash equilibrium.
    arXiv:1706.08500.

    Examples
    --------
    >>> frechet_distance(np.array([[0.0], [2.0]]), np.array([[3.0], [5.0]]))
    9.0
    """
    _check(x, y)
    return _distance(_Moments.of(x), _Moments.of(y))


def published_frechet_distance(x: Features, y: Features) -> float:
    """Return the distance as torch-fidelity computes it, its rounding included: 5 s at d = 2,048 where n = 40.

    Parameters, errors
    ------------------
    As for `frechet_distance`.
    """
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

    _check(x, y)
    of_x, of_y = (fid_features_to_statistics(torch.from_numpy(np.array(part))) for part in (x, y))
    return float(fid_statistics_to_metric(of_x, of_y, False)[KEY_METRIC_FID])


def frechet_estimate(
    synthetic: Features,
    real: Features,
    floor: tuple[Features, Features] | None = None,
    *,
    name: str = "FID",
    as_published: bool = False,
) -> Estimate:
    """Return `frechet_distance` with a 95% interval and the distance between real images and other real images.

    The interval is for the distance that other sets of the same n would show on average: it does not remove the bias
    of n, which the floor shows. It is the value plus and minus 1.96 standard errors by the infinitesimal jackknife:
    what moving a little weight onto one image does to the distance follows in closed form from the singular vectors
    that give the value, so nothing is computed again. A bootstrap will not do: its resamples hold duplicates, which
    lower the effective n and raise the distance, so that a percentile interval misses the value itself.

    Measured (64 rectified features with a decaying spectrum, n from 20 to 400, 150 repetitions each): the interval
    holds the mean distance at that n in 93% to 97% of the cases where the distributions differ, in 96% to 99% where
    they are equal.

    Parameters
    ----------
    synthetic, real : float array, shape [n, d]
        Features, as many of both.
    floor : (array [m, d], array [m, d]) or None
        Features of real images and of other real images. With m below n their distance is an upper bound of the floor.
    name : str
        What the number is called in messages, such as "FD-cell".
    as_published : bool
        Whether the value is `published_frechet_distance`, to compare with other people's to the last digit.

    Raises
    ------
    InputError
        If the sets are of unequal size.

    References
    ----------
    Efron, B. (1982). The jackknife, the bootstrap and other resampling plans. SIAM, chapter 6.
    """
    if len(synthetic) == len(real) < FEWEST:
        return too_few(len(synthetic), FEWEST, name)
    _check(synthetic, real, name)
    of_x, of_y = _Moments.of(synthetic), _Moments.of(real)
    value, left, right, roots = _decomposed(of_x, of_y)
    if as_published:
        value = published_frechet_distance(synthetic, real)
    shift = of_x.mean - of_y.mean
    variance = _variance(synthetic, of_x, 2 * shift, left, roots) + _variance(real, of_y, -2 * shift, right, roots)
    found = Estimate(value, len(synthetic), interval(value, variance, lowest=0.0))
    if floor is None or min(len(part) for part in floor) < FEWEST:
        return found
    return replace(found, floor=frechet_distance(*floor), floor_n=len(floor[0]))


@dataclass(frozen=True)
class _Moments:
    """A set's mean m, the trace of its covariance S, and S = A^T A with a short A.

    Attributes
    ----------
    half : float64 tensor, shape [min(n, d), d]
        A. With n <= d it is the centred features over sqrt(n - 1): row i is image i.
    whiten : float64 tensor, shape [d, d], or None
        With n > d: what turns a centred feature into its row of the orthonormal Q of Q A = centred / sqrt(n - 1).
    """

    n: int
    mean: Tensor
    trace: float
    half: Tensor
    whiten: Tensor | None

    @classmethod
    def of(cls, features: Features) -> _Moments:
        n, d = features.shape
        mean = sum((rows.sum(dim=0) for rows in _blocks(features)), torch.zeros(d, dtype=torch.float64)) / n
        if n <= d:
            half = (torch.from_numpy(np.asarray(features, dtype=np.float64)) - mean) / (n - 1) ** 0.5
            return cls(n, mean, float(half.square().sum()), half, None)
        scatter = torch.zeros(d, d, dtype=torch.float64)
        for rows in _blocks(features):
            centred = rows - mean
            scatter.addmm_(centred.T, centred)
        scatter /= n - 1
        trace = float(scatter.trace())
        values, vectors = torch.linalg.eigh(scatter)
        values.clamp_(min=0)
        half = vectors.T * values.sqrt()[:, None]
        seen = values > values[-1] * d * torch.finfo(torch.float64).eps
        whiten = vectors * torch.where(seen, ((n - 1) * values).rsqrt(), 0.0)
        return cls(n, mean, trace, half, whiten)


def _distance(x: _Moments, y: _Moments) -> float:
    cross = x.half @ y.half.T
    roots = torch.linalg.eigvalsh(cross @ cross.T).clamp_(min=0).sqrt_()
    return _value(x, y, float(roots.sum()))


def _decomposed(x: _Moments, y: _Moments) -> tuple[float, Tensor, Tensor, Tensor]:
    """Return the distance and the singular vectors and values of A B^T."""
    cross = x.half @ y.half.T
    values, left = torch.linalg.eigh(cross @ cross.T)
    roots = values.clamp_(min=0).sqrt_()
    right = cross.T @ left
    right *= torch.where(roots > roots[-1] * 1e-7, 1 / roots, 0.0)
    return _value(x, y, float(roots.sum())), left, right, roots


def _value(x: _Moments, y: _Moments, root: float) -> float:
    return max(float((x.mean - y.mean).square().sum()) + x.trace + y.trace - 2 * root, 0.0)


def _variance(features: Features, moments: _Moments, slope: Tensor, vectors: Tensor, roots: Tensor) -> float:
    """Return this set's share of the variance: the mean square influence of an image, over n."""
    n, total = moments.n, 0.0
    for start, rows in enumerate(_blocks(features)):
        centred = rows - moments.mean
        if moments.whiten is None:
            scores = vectors[start * _ROWS : start * _ROWS + len(rows)]
        else:
            scores = centred @ moments.whiten @ vectors
        spread = n / (n - 1) * centred.square().sum(dim=1) - moments.trace
        shared = n * (scores.square() @ roots) - roots.sum()
        total += float((centred @ slope + spread - shared).square().sum())
    return total / (n * (n - 1))


def _blocks(features: Features) -> Iterator[Tensor]:
    for start in range(0, len(features), _ROWS):
        yield torch.from_numpy(np.array(features[start : start + _ROWS], dtype=np.float64))


def _check(x: Features, y: Features, name: str = "FID") -> None:
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(f"features must be [n, d] with one d, got {x.shape} and {y.shape}")
    if len(x) != len(y):
        raise InputError(
            f"{name} between sets of unequal size ({len(x)} and {len(y)} images) is refused, since its bias depends "
            "on n; draw as many images of both"
        )
    if len(x) < 2 or not np.isfinite(np.sum(x, dtype=np.float64) + np.sum(y, dtype=np.float64)):
        raise ValueError("features need two rows or more and finite values")
