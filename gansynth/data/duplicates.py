"""Pictures that are in a data set twice: exactly, and nearly under the eight flips and rotations.

Near duplicates are looked for in two steps. A perceptual hash (the signs of the 63 lowest
frequencies of a 32 x 32 grey thumbnail's cosine transform) names candidates: flipping an image
only flips signs of that hash, and a quarter turn also transposes it, so the hashes of all eight
orientations come from one transform. A candidate counts when the RGB thumbnails themselves differ
by no more than a few grey levels in the best orientation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

THUMBNAIL = 32
HASH_EDGE = 8
# Chosen by looking at the pairs found in 13,649 blood cells; docs/data.md says what was seen.
MAX_HASH_DISTANCE = 10
MAX_GREY_LEVELS = 6.0
_BLOCK = 1024


@dataclass(frozen=True)
class Duplicates:
    """What `find_duplicates` found among N images.

    Attributes
    ----------
    exact : list of int64 arrays
        Groups of two or more positions with equal pixels.
    near : int64 array, shape [P, 2]
        Pairs of positions (smaller first) that show nearly the same picture. Of each exact group
        only the first image takes part.
    distance : float64 array, shape [P]
        Root-mean-square difference of each near pair's thumbnails in the best orientation, in grey levels.
    component : int64 array, shape [N]
        The same number for images that belong together, exactly or nearly, also through others.
    """

    exact: list[NDArray[np.int64]]
    near: NDArray[np.int64]
    distance: NDArray[np.float64]
    component: NDArray[np.int64]


def find_duplicates(
    images: NDArray[np.uint8],
    sha256: list[str],
    *,
    max_hash_distance: int = MAX_HASH_DISTANCE,
    max_grey_levels: float = MAX_GREY_LEVELS,
) -> Duplicates:
    """Find exact and near duplicates.

    Parameters
    ----------
    images : uint8 array, shape [N, 3, S, S]
    sha256 : list of str
        One per image; equal for equal pixels.
    max_hash_distance : int
        Largest number of differing hash bits (of 63) of a candidate.
    max_grey_levels : float
        Largest root-mean-square difference of the thumbnails, 0..255.

    Returns
    -------
    Duplicates
    """
    n = len(images)
    _, first, inverse = np.unique(np.array(sha256, dtype=object).astype(str), return_index=True, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    runs = np.split(order, np.flatnonzero(np.diff(inverse[order])) + 1) if n else []
    exact = sorted((run.astype(np.int64) for run in runs if len(run) > 1), key=lambda run: int(run[0]))
    distinct = np.sort(first).astype(np.int64)
    thumbnails = _thumbnails(images, distinct)
    pairs, distance = _near_pairs(thumbnails, max_hash_distance, max_grey_levels)
    near = distinct[pairs]
    links = np.concatenate([near, *[np.stack([np.full(len(g) - 1, g[0]), g[1:]], axis=1) for g in exact]])
    graph = coo_array((np.ones(len(links), np.int8), (links[:, 0], links[:, 1])), shape=(n, n))
    component = connected_components(graph, directed=False)[1].astype(np.int64) if n else np.zeros(0, np.int64)
    return Duplicates(exact, near, distance, component)


def _thumbnails(images: NDArray[np.uint8], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the area means of each image on a 32 x 32 grid, float32 [n, 3, 32, 32], 0..255."""
    area = _area_weights(images.shape[-1])
    found = np.empty((len(rows), 3, THUMBNAIL, THUMBNAIL), np.float32)
    for start in range(0, len(rows), 256):
        block = images[rows[start : start + 256]].astype(np.float32)
        found[start : start + 256] = area @ block @ area.T
    return found


def _area_weights(size: int) -> NDArray[np.float32]:
    """Return [32, size]: how much of each pixel row lies in each thumbnail row, rows summing to one."""
    edges = np.linspace(0, size, THUMBNAIL + 1)
    pixel = np.arange(size)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return (np.clip(overlap, 0, None) * THUMBNAIL / size).astype(np.float32)


def _near_pairs(
    thumbnails: NDArray[np.float32], max_hash_distance: int, max_grey_levels: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    signs = _signs(thumbnails)
    turned = _orientations(signs).reshape(8, len(signs), -1)
    plain = turned[0]
    bits = HASH_EDGE * HASH_EDGE - 1
    pairs, distances = [], []
    for start in range(0, len(plain), _BLOCK):
        for other in range(start, len(plain), _BLOCK):
            rows, columns = plain[start : start + _BLOCK], turned[:, other : other + _BLOCK]
            agreement = np.max([rows @ turn.T for turn in columns], axis=0)
            i, j = np.nonzero(agreement >= bits - 2 * max_hash_distance)
            i, j = i + start, j + other
            i, j = i[i < j], j[i < j]
            distance = _orientation_distance(thumbnails, i, j)
            close = distance <= max_grey_levels
            pairs.append(np.stack([i[close], j[close]], axis=1))
            distances.append(distance[close])
    if not pairs:
        return np.zeros((0, 2), np.int64), np.zeros(0)
    return np.concatenate(pairs).astype(np.int64), np.concatenate(distances)


def _signs(thumbnails: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the signs (-1, 1; 0 for the mean) of the lowest frequencies, float32 [n, 8, 8]."""
    frequency, position = np.arange(HASH_EDGE)[:, None], np.arange(THUMBNAIL)[None, :]
    cosine = np.cos(np.pi * frequency * (2 * position + 1) / (2 * THUMBNAIL)).astype(np.float32)
    grey = np.tensordot(np.array([0.299, 0.587, 0.114], np.float32), thumbnails, (0, 1))
    signs = np.where(cosine @ grey @ cosine.T > 0, np.float32(1), np.float32(-1))
    signs[:, 0, 0] = 0
    return signs


def _orientations(signs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the hashes of the eight orientations, [8, n, 8, 8]; mirroring an axis flips its odd frequencies."""
    odd = np.where(np.arange(HASH_EDGE) % 2, -1, 1).astype(np.float32)
    mirrored = [signs * a[:, None] * b[None, :] for a in (odd * odd, odd) for b in (odd * odd, odd)]
    return np.stack(mirrored + [turn.transpose(0, 2, 1) for turn in mirrored])


def _orientation_distance(
    thumbnails: NDArray[np.float32], i: NDArray[np.int64], j: NDArray[np.int64]
) -> NDArray[np.float64]:
    found = np.empty(len(i))
    for start in range(0, len(i), 512):
        a, b = thumbnails[i[start : start + 512]], thumbnails[j[start : start + 512]]
        best = np.full(len(a), np.inf)
        for turn in (b, b.transpose(0, 1, 3, 2)):
            for view in (turn, turn[:, :, ::-1], turn[:, :, :, ::-1], turn[:, :, ::-1, ::-1]):
                best = np.minimum(best, np.sqrt(np.mean((a - view) ** 2, axis=(1, 2, 3))))
        found[start : start + 512] = best
    return found
