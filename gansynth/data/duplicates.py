"""Pictures that are in a data set twice: exactly, and nearly under the eight flips and rotations.

Near duplicates are looked for in two steps. A perceptual hash (the signs of the 63 lowest
frequencies of a 32 x 32 grey thumbnail's cosine transform) names candidates: flipping an image
only flips signs of that hash, and a quarter turn also transposes it, so the hashes of all eight
orientations come from one transform. A candidate counts when the RGB thumbnails themselves, each
freed of its mean colour, differ by less than a share of their contrast in the best orientation.
Their means over an 8 x 8 grid, which are kept, differ by no more than the thumbnails do, and spare
nearly all candidates the thumbnails.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gansynth.runs.display import WorkDisplay

THUMBNAIL = 32
HASH_EDGE = 8
_GRID = 8
# Grey levels by which the grid's means of two pictures, kept in steps of two, may seem to differ more than they do.
_ROUNDING = 2.0
# Chosen by looking at the closest pairs of 13,649 blood cells: the one true near duplicate there has
# 0.12, the closest two different cells 0.48; docs/data.md has what the threshold does and does not find.
MAX_HASH_DISTANCE = 12
MAX_DIFFERENCE = 0.35
# Stain and lamp may differ between two prints of one picture, but not by more than this (grey levels).
_MAX_MEAN_DIFFERENCE = 40.0
# Below this contrast (grey levels) there is no picture to recognise: such images are only compared exactly.
_MIN_CONTRAST = 4.0
_CHUNK = 8192
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
        only the first image takes part; of very many images that are all alike, not every pair is listed.
    distance : float64 array, shape [P]
        Root-mean-square difference of each near pair's thumbnails in the best orientation, as a share of
        their contrast: 0 for the same picture, about 1.4 for unrelated ones.
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
    max_difference: float = MAX_DIFFERENCE,
    progress: bool = False,
) -> Duplicates:
    """Find exact and near duplicates.

    Parameters
    ----------
    images : uint8 array, shape [N, 3, S, S]
    sha256 : list of str
        One per image; equal for equal pixels.
    max_hash_distance : int
        Largest number of differing hash bits (of 63) of a candidate.
    max_difference : float
        Largest `distance` of a near pair.
    progress : bool
        Show how far the search is, on standard error: every image is compared with every other, so that ten times as
        many take a hundred times as long.

    Returns
    -------
    Duplicates
    """
    n = len(images)
    exact, distinct = _equal(sha256)
    # The products are small: threads gain little on a free machine, and wait for each other on a busy one.
    with threadpool_limits(1, "blas"):
        pairs, distance = _near_pairs(images, distinct, max_hash_distance, max_difference, progress)
    near = distinct[pairs]
    links = np.concatenate([near, *[np.stack([np.full(len(g) - 1, g[0]), g[1:]], axis=1) for g in exact]])
    component = _components(links, n) if n else np.zeros(0, np.int64)
    return Duplicates(exact, near, distance, component)


def _equal(sha256: list[str]) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Return the groups of two or more positions with equal hashes, and the first position of every hash."""
    first: dict[str, int] = {}
    repeated: dict[int, list[int]] = {}
    for position, own in enumerate(sha256):
        before = first.setdefault(own, position)
        if before != position:
            repeated.setdefault(before, [before]).append(position)
    exact = [np.array(repeated[position], np.int64) for position in sorted(repeated)]
    return exact, np.fromiter(first.values(), np.int64, len(first))


def _thumbnails(images: NDArray[np.uint8], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the area means of each image on a 32 x 32 grid, float32 [n, 3, 32, 32], 0..255."""
    size = images.shape[-1]
    area = _area_weights(size)
    found = np.empty((len(rows), 3, THUMBNAIL, THUMBNAIL), np.float32)
    for start in range(0, len(rows), 128):
        block = images[rows[start : start + 128]].astype(np.float32)
        # Two large matrix products instead of one small product per image.
        narrow = (block.reshape(-1, size) @ area.T).reshape(len(block), 3, size, THUMBNAIL)
        flat = narrow.transpose(0, 1, 3, 2).reshape(-1, size) @ area.T
        found[start : start + 128] = flat.reshape(len(block), 3, THUMBNAIL, THUMBNAIL).transpose(0, 1, 3, 2)
    return found


def _area_weights(size: int) -> NDArray[np.float32]:
    """Return [32, size]: how much of each pixel row lies in each thumbnail row, rows summing to one."""
    edges = np.linspace(0, size, THUMBNAIL + 1)
    pixel = np.arange(size)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return (np.clip(overlap, 0, None) * THUMBNAIL / size).astype(np.float32)


def _near_pairs(
    images: NDArray[np.uint8], rows: NDArray[np.int64], max_hash_distance: int, max_difference: float, progress: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    signs, means, contrast, grids = _outlines(images, rows, progress)
    least_agreement = HASH_EDGE * HASH_EDGE - 1 - 2 * max_hash_distance
    pairs, distances = np.zeros((0, 2), np.int64), np.zeros(0)
    # Of every block, pairs with itself and with those after it.
    total = sum((len(rows) - start) * min(_BLOCK, len(rows) - start) for start in range(0, len(rows), _BLOCK))
    compared = 0
    with WorkDisplay("looking for duplicates, in pairs", total, shown=progress) as display:
        for start in range(0, len(rows), _BLOCK):
            own = _flat(signs[start : start + _BLOCK].astype(np.float32))
            for other in range(start, len(rows), _BLOCK):
                upright, *turned = _orientations(signs[other : other + _BLOCK].astype(np.float32))
                agreement = own @ _flat(upright).T
                for turn in turned:
                    np.maximum(agreement, own @ _flat(turn).T, out=agreement)
                i, j = np.nonzero(agreement >= least_agreement)
                i, j = i + start, j + other
                likely = (i < j) & (np.minimum(contrast[i], contrast[j]) >= _MIN_CONTRAST)
                likely &= np.abs(means[i] - means[j]).max(axis=1) <= _MAX_MEAN_DIFFERENCE
                i, j = i[likely], j[likely]
                while len(i):
                    first, second = i[:_CHUNK], j[:_CHUNK]
                    scale = np.sqrt(contrast[first] * contrast[second])
                    apart = _grid_distance(grids[first], grids[second]) > max_difference * scale + _ROUNDING
                    first, second, scale = first[~apart], second[~apart], scale[~apart]
                    distance = _orientation_distance(images, rows[first], rows[second]) / scale
                    close = distance <= max_difference
                    pairs = np.concatenate([pairs, np.stack([first[close], second[close]], axis=1)])
                    distances = np.concatenate([distances, distance[close]])
                    i, j = i[_CHUNK:], j[_CHUNK:]
                    if len(i) and close.any():
                        # Thousands of images that are all alike: what is linked already needs no second proof.
                        linked = _components(pairs, len(rows))
                        i, j = i[linked[i] != linked[j]], j[linked[i] != linked[j]]
            compared += (len(rows) - start) * len(own)
            display.update(compared)
    return pairs, distances


def _outlines(
    images: NDArray[np.uint8], rows: NDArray[np.int64], progress: bool
) -> tuple[NDArray[np.int8], NDArray[np.float32], NDArray[np.float32], NDArray[np.int8]]:
    """Return what is kept of each image: 272 bytes, where a thumbnail has 12,288.

    Returns
    -------
    signs : int8 array, shape [n, 8, 8]
    means : float32 array, shape [n, 3]
        Of the colours.
    contrast : float32 array, shape [n]
    grids : int8 array, shape [n, 3, 8, 8]
        Means of the centred thumbnail, halved.
    """
    signs = np.empty((len(rows), HASH_EDGE, HASH_EDGE), np.int8)
    grids = np.empty((len(rows), 3, _GRID, _GRID), np.int8)
    means, contrast = np.empty((len(rows), 3), np.float32), np.empty(len(rows), np.float32)
    with WorkDisplay("outlining images", len(rows), shown=progress) as display:
        for start in range(0, len(rows), 128):
            part = slice(start, start + 128)
            thumbnails = _thumbnails(images, rows[part])
            signs[part] = _signs(thumbnails)
            means[part] = thumbnails.mean(axis=(2, 3))
            centred = _centred(thumbnails)
            contrast[part] = np.sqrt(np.mean(centred**2, axis=(1, 2, 3)))
            side = THUMBNAIL // _GRID
            cells = centred.reshape(-1, 3, _GRID, side, _GRID, side).mean(axis=(3, 5))
            grids[part] = np.clip(np.rint(cells / 2), -127, 127)
            display.update(min(start + 128, len(rows)))
    return signs, means, contrast, grids


def _centred(thumbnails: NDArray[np.float32]) -> NDArray[np.float32]:
    return thumbnails - thumbnails.mean(axis=(2, 3), keepdims=True)


def _flat(signs: NDArray[np.float32]) -> NDArray[np.float32]:
    return signs.reshape(len(signs), HASH_EDGE * HASH_EDGE)


def _components(links: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    from scipy.sparse import coo_array  # opening a folder needs neither, and they take half as long to import as pandas
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(links), np.int8), (links[:, 0], links[:, 1])), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)


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


def _orientation_distance(images: NDArray[np.uint8], i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.float64]:
    found = np.empty(len(i))
    for start in range(0, len(i), 512):
        a, b = (_centred(_thumbnails(images, rows[start : start + 512])) for rows in (i, j))
        found[start : start + 512] = _in_the_best_orientation(a, b)
    return found


def _grid_distance(a: NDArray[np.int8], b: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return a distance that the thumbnails' exceeds, or nearly (`_ROUNDING`): means over squares differ less."""
    return 2 * _in_the_best_orientation(a.astype(np.float32), b.astype(np.float32))


def _in_the_best_orientation(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the root-mean-square difference of pictures [n, 3, s, s], each pair's least of the eight orientations."""
    best = np.full(len(a), np.inf)
    for turn in (b, b.transpose(0, 1, 3, 2)):
        for view in (turn, turn[:, :, ::-1], turn[:, :, :, ::-1], turn[:, :, ::-1, ::-1]):
            best = np.minimum(best, np.sqrt(np.mean((a - view) ** 2, axis=(1, 2, 3))))
    return best
