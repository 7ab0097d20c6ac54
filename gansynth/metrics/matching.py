"""Which real image a generated one is compared with, inside one class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

Pairing = Literal["one-to-one", "random", "nearest"]
PAIRINGS: tuple[str, ...] = get_args(Pairing)


def match(distances: ArrayLike, how: Pairing = "one-to-one", *, seed: int = 0) -> NDArray[np.int64]:
    """Pair the rows of a distance matrix with its columns.

    Parameters
    ----------
    distances : float array, shape [n, m]
        Row: a synthetic image, column: a real one of the same class (`feature_distances`).
    how : {"one-to-one", "random", "nearest"}
        "one-to-one": the pairs with the smallest sum of distances in which no image occurs twice; a generator that
        repeats one image is matched once and then pays. "random": pairs drawn at random, no image twice (the distances
        are not looked at). "nearest": each row with its nearest column, which may serve many rows; it rewards
        collapse, and is there to reproduce other papers' numbers.
    seed : int
        Of "random"; the others draw nothing.

    Returns
    -------
    int64 array, shape [k, 2]
        Row and column of each pair, by ascending row. k = min(n, m); for "nearest" k = n (0 without a column).

    Raises
    ------
    ValueError
        If the distances are not a matrix or not finite, or `how` is unknown.

    References
    ----------
    Kuhn, H. W. (1955). The Hungarian method for the assignment problem. Naval Research Logistics Quarterly 2, 83-97.

    Examples
    --------
    >>> match([[0.0, 1.0], [0.1, 5.0]]).tolist()
    [[0, 1], [1, 0]]
    >>> match([[0.0, 1.0], [0.1, 5.0]], "nearest").tolist()
    [[0, 0], [1, 0]]
    """
    matrix = np.asarray(distances, dtype=np.float64)
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        raise ValueError(f"distances must be a finite matrix [n, m], got shape {matrix.shape}")
    if how == "one-to-one":
        rows, columns = linear_sum_assignment(matrix)
    elif how == "random":
        rng, k = np.random.default_rng(seed), min(matrix.shape)
        rows, columns = (rng.permutation(size)[:k] for size in matrix.shape)
    elif how == "nearest":
        rows = np.arange(len(matrix) if matrix.shape[1] else 0)
        columns = matrix.argmin(axis=1) if len(rows) else rows
    else:
        raise ValueError(f"how must be one of {', '.join(PAIRINGS)}, got {how!r}")
    pairs = np.stack([rows, columns], axis=1).astype(np.int64)
    return pairs[np.argsort(pairs[:, 0], kind="stable")]


def feature_distances(a: ArrayLike, b: ArrayLike) -> NDArray[np.float32]:
    """Return the Euclidean distances of all rows of `a` to all rows of `b`, float32 [n, m].

    Parameters
    ----------
    a, b : arrays, shape [n, d] and [m, d], or [n, ...]
        Features of frozen networks, or images, which are flattened.
    """
    x, y = flat_rows(a), flat_rows(b)
    if not (len(x) and len(y)):
        return np.zeros((len(x), len(y)), np.float32)
    # Not by matrix product: that gives an image a distance to itself of up to 1.5.
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist").numpy()


def draw_subsamples(
    n: int, m: int, *, most: int, count: int, seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Draw `count` times equally many of n and of m images, at most `most`.

    Equal numbers on both sides, since a one-to-one match is the better the more there is to choose from. Where nothing
    is left to choose on either side, there is one subsample only: all images.

    Parameters
    ----------
    n, m : int
        Images on either side.
    most : int
        Largest number to draw; it bounds time and memory, whatever n and m are.
    count, seed : int

    Yields
    ------
    (int64 array [k], int64 array [k])
        Positions without repetition, ascending; k = min(n, m, most).
    """
    k, sides = min(n, m, most), [(size, np.random.default_rng([seed, side])) for side, size in enumerate((n, m))]
    for _ in range(count if max(n, m) > k else 1):
        # Each side by itself: which real images are drawn does not depend on how many synthetic ones there are.
        first, second = (np.sort(rng.choice(size, k, replace=False)) for size, rng in sides)
        yield first, second


def flat_rows(points: ArrayLike) -> torch.Tensor:
    """Return arrays [n, ...], images perhaps, as rows, float32 [n, d]."""
    array = np.asarray(points)
    return torch.from_numpy(np.array(array.reshape(len(array), int(np.prod(array.shape[1:]))), dtype=np.float32))
