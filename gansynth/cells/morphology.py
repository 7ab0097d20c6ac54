"""Morphology of the small masks in which a cell is looked for: what scipy and scikit-image find, several times as fast.

At 112 to 160 px these packages are slow beside what numpy does with whole rows: a mask is spread by moving it, and a
hull follows from the ends of a mask's rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]
Reach = Sequence[int]
"""A symmetric neighbourhood: how many columns to either side it has in its middle row, in the rows beside that, ..."""

CROSS: Reach = (1, 0)
"""A pixel and the four that share an edge with it."""

_BESIDE = ndimage.generate_binary_structure(2, 1)
_AROUND = np.ones((3, 3), dtype=bool)


@lru_cache
def disk(radius: float) -> Reach:
    """Return the pixels whose middles are at most `radius` away."""
    away = np.arange(int(radius) + 1)
    return tuple(int((np.sqrt(row**2 + away**2) <= radius).sum()) - 1 for row in away)


def diamond(steps: int) -> Reach:
    """Return the pixels that a cross reaches in so many steps."""
    return range(steps, -1, -1)


def dilated(mask: Mask, reach: Reach = CROSS) -> Mask:
    """Return the mask spread by a neighbourhood; nothing lies outside of the image."""
    return _spread(mask, reach, outside=False)


def eroded(mask: Mask, reach: Reach = CROSS) -> Mask:
    """Return where the whole neighbourhood lies in the mask; nothing lies outside of the image."""
    return ~_spread(~mask, reach, outside=True)


def opened(mask: Mask, reach: Reach = CROSS) -> Mask:
    """Return the mask without what is narrower than the neighbourhood."""
    return dilated(eroded(mask, reach), reach)


def closed(mask: Mask, reach: Reach = CROSS) -> Mask:
    """Return the mask with its narrow gaps closed, except along the border of the image."""
    return eroded(dilated(mask, reach), reach)


def filled(mask: Mask) -> Mask:
    """Return the mask with its holes: what no way over edges of pixels joins to the border of the image."""
    beside, count = ndimage.label(~mask, _BESIDE)
    inside = np.ones(count + 1, dtype=bool)
    for border in (beside[0], beside[-1], beside[:, 0], beside[:, -1]):
        inside[border] = False
    inside[0] = True
    return np.asarray(inside.take(beside))


def without_small_objects(mask: Mask, most: int) -> Mask:
    """Return the mask without the objects of at most so many pixels; pixels of an object share edges."""
    objects, _ = ndimage.label(mask, _BESIDE)
    kept = np.bincount(objects.ravel()) > most
    kept[0] = False
    return np.asarray(kept.take(objects))


def without_small_holes(mask: Mask, most: int) -> Mask:
    """Return the mask with its holes of at most so many pixels filled, those at the border of the image included."""
    return ~without_small_objects(~mask, most)


def box(mask: Mask, margin: int) -> tuple[slice, slice]:
    """Return the rows and columns of a mask that is not empty, and so many more on every side as the image has."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(int(rows[0]) - margin, 0), int(rows[-1]) + 1 + margin),
        slice(max(int(columns[0]) - margin, 0), int(columns[-1]) + 1 + margin),
    )


def solidity(mask: Mask) -> float:
    """Return the share of its convex hull, drawn around all corners of its pixels, that a mask fills; 1 where empty."""
    rows, first, last = _ends(mask)
    if not len(rows):
        return 1.0
    # The ends of a row of pixels are corners on the line of the grid above it and on the one below it.
    left, right = np.full(mask.shape[0] + 1, mask.shape[1]), np.zeros(mask.shape[0] + 1, dtype=np.int64)
    left[rows], right[rows] = first, last + 1
    left[rows + 1], right[rows + 1] = np.minimum(left[rows + 1], first), np.maximum(right[rows + 1], last + 1)
    lines = np.flatnonzero(left < right)
    twice = 0  # the area between the two sides of the hull: trapezia from line to line
    for ends in (left, -right):
        corners = _hull(zip(lines.tolist(), ends[lines].tolist(), strict=True))
        twice -= sum((x + before) * (y - above) for (above, before), (y, x) in pairwise(corners))
    return float(2 * np.count_nonzero(mask) / twice)


def solidity_in_pixels(mask: Mask) -> float:
    """Return the share that a mask fills of the pixels whose middles lie in the hull around the middles of its pixels'
    edges: what scikit-image's `regionprops` calls solidity. 1 for an empty mask."""
    rows, first, last = _ends(mask)
    if not len(rows):
        return 1.0
    # In halves of a pixel: the middle line of a row is odd. Its pixels end at odd columns there, at even ones above and
    # below.
    middles, pixels = 2 * np.arange(rows[0], rows[-1] + 1) + 1, int(rows[-1] - rows[0]) + 1
    for ends in (first, -last):
        outmost = np.full(2 * mask.shape[0] + 1, 2 * mask.shape[1])
        outmost[2 * rows], outmost[2 * rows + 1] = 2 * ends, 2 * ends - 1
        outmost[2 * rows + 2] = np.minimum(outmost[2 * rows + 2], 2 * ends)
        lines = np.flatnonzero(outmost < 2 * mask.shape[1])
        y, x = np.array(_hull(zip(lines.tolist(), outmost[lines].tolist(), strict=True))).T
        at = np.searchsorted(y, middles, side="right") - 1
        above, below = y[at], y[at + 1]
        reached = x[at] * (below - above) + (x[at + 1] - x[at]) * (middles - above)
        pixels += int((reached // (-2 * (below - above))).sum())  # less the first column that lies in the hull
    return float(np.count_nonzero(mask) / pixels)


def peaks(heights: NDArray[np.float64], least: float) -> Mask:
    """Return the peaks from which no way leads higher without a descent by `least`: scikit-image's `h_maxima`.

    That sorts all pixels. There are some twenty peaks in an image of cells, and a few pixels around one show mostly
    whether a higher one can be reached.
    """
    if np.ptp(heights) < least:
        return np.zeros(heights.shape, dtype=bool)
    lowered = heights - 2e-15 * np.abs(heights)  # what is higher by no more than rounding is not higher
    tops, count = ndimage.label(heights >= ndimage.maximum_filter(lowered, 3), _AROUND)
    pixels = np.flatnonzero(tops)[::-1]
    one = np.zeros(count + 1, dtype=np.int64)
    one[tops.ravel()[pixels]] = pixels
    highest = np.zeros(count + 1, dtype=bool)
    for top in range(1, count + 1):
        y, x = divmod(int(one[top]), heights.shape[1])
        highest[top] = not _leads_higher(heights, lowered, y, x, least)
    return np.asarray(highest.take(tops))


def _leads_higher(heights: NDArray[np.float64], lowered: NDArray[np.float64], y: int, x: int, least: float) -> bool:
    height, reach, (rows, columns) = heights[y, x], 4, heights.shape
    while True:
        up, left, down, right = max(y - reach, 0), max(x - reach, 0), y + reach + 1, x + reach + 1
        near = (slice(up, down), slice(left, right))
        ways, _ = ndimage.label(heights[near] > height - least, _AROUND)
        own = ways == ways[y - up, x - left]
        if (lowered[near][own] > height).any():
            return True
        if not (
            (up > 0 and own[0].any())
            or (left > 0 and own[:, 0].any())
            or (down < rows and own[-1].any())
            or (right < columns and own[:, -1].any())
        ):
            return False
        reach *= 3


def _ends(mask: Mask) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows that have pixels, and the first and the last pixel of each."""
    rows = np.flatnonzero(mask.any(axis=1))
    return rows, mask[rows].argmax(axis=1), mask.shape[1] - 1 - mask[rows, ::-1].argmax(axis=1)


def _hull(points: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the corners of the lower hull of points (y, x), of which y grows (Andrew's monotone chain)."""
    hull: list[tuple[int, int]] = []
    for y, x in points:
        while len(hull) > 1:
            (above, before), (last, at) = hull[-2:]
            if (at - before) * (y - above) < (x - before) * (last - above):
                break
            hull.pop()
        hull.append((y, x))
    return hull


def _spread(mask: Mask, reach: Reach, outside: bool) -> Mask:
    rows, columns = mask.shape
    tall, wide = len(reach) - 1, reach[0]
    padded = np.full((rows + 2 * tall, columns + 2 * wide), outside)
    padded[tall : tall + rows, wide : wide + columns] = mask
    row, spread = padded[:, wide : wide + columns].copy(), np.zeros(mask.shape, dtype=bool)
    widened = 0
    for away in range(tall, -1, -1):  # the rows of the neighbourhood, which widen towards its middle
        while widened < reach[away]:
            widened += 1
            row |= padded[:, wide - widened : wide - widened + columns]
            row |= padded[:, wide + widened : wide + widened + columns]
        spread |= row[tall - away : tall - away + rows]
        spread |= row[tall + away : tall + away + rows]
    return spread
