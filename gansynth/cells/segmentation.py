"""One cell image to masks: nucleus, white cell, red cells, and whether the cut can be trusted. No weights needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage.measure import label, regionprops

from gansynth.cells.white_cell import Slide, read_slide, white_cell

WORK_EDGES = (112, 160)
"""Shortest side, in pixels, at which masks are found: smaller images are enlarged, larger ones reduced."""

LEAST_EDGE = 16
"""Pixels of a side below which no cell is looked for."""

LEAST_SOLIDITY = 0.85
"""Share of its convex hull that a white cell fills; even monocytes with their feet fill 0.87."""

NOTHING = "no stained cell was found"

_FOREIGN = 0.15  # share of a cell that may look like red cells: granules and thin plasma do, here and there


@dataclass(frozen=True)
class CellMasks:
    """Where things are in one cell image.

    Attributes
    ----------
    nucleus, cell : bool [H, W]
        The nucleus and the whole nucleated cell (or platelet) in the middle of the image; the nucleus lies in the cell.
    red : int32 [H, W]
        0, or the number (from 1) of a red cell that is whole, lies alone and can be cut out.
    problem : str or None
        Why the cut of the white cell is not to be used; None where it is good.
    """

    nucleus: NDArray[np.bool_]
    cell: NDArray[np.bool_]
    red: NDArray[np.int32]
    problem: str | None = None


def segment_cell(image: NDArray[np.uint8]) -> CellMasks:
    """Find the nucleated cell in the middle of an image, its nucleus, and the whole red cells around it.

    Nuclear stain is thresholded (Otsu) for the nucleus; everything that is denser than the slide is split at its necks
    (watershed on the distance to the slide); the part with the nucleus is the cell. Where its outline is not convex,
    what looks like the image's red cells in colour and grain is cut off.

    Parameters
    ----------
    image : uint8 [3, H, W]
        RGB, with the cell in the middle and about a third of the image wide, as data sets of single cells are framed.

    Returns
    -------
    CellMasks

    Raises
    ------
    ValueError
        If `image` is not such an array, or a side is shorter than 16 pixels.
    """
    pixels = as_rgb(image)
    height, width = pixels.shape[:2]
    least, most = WORK_EDGES
    scale = np.clip(min(height, width), least, most) / min(height, width)
    if scale != 1:
        size = (round(width * scale), round(height * scale))
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
    slide = read_slide(pixels)
    found = white_cell(slide)
    if found is None:
        nothing = np.zeros((height, width), dtype=bool)
        return CellMasks(nothing, nothing, np.zeros((height, width), np.int32), NOTHING)
    nucleus, cell, foreign = found
    red = single_red_cells(slide, cell)
    problem = outline_problem(cell)
    if problem is None and foreign > _FOREIGN:
        problem = "a part of the cut looks like a red cell"
    if scale != 1:
        nucleus, cell = _resized(nucleus, height, width), _resized(cell, height, width)
        red = _resized_labels(red, height, width)
        if not cell.any():  # smaller than a pixel of the image
            problem = NOTHING
    return CellMasks(nucleus & cell, cell, red, problem)


def as_rgb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return uint8 [3, H, W] as [H, W, 3]; refuse (ValueError) anything else, and sides below 16 pixels."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[0] != 3 or min(image.shape[1:]) < LEAST_EDGE:
        raise ValueError(
            f"a cell image must be uint8 [3, H, W] of at least {LEAST_EDGE} pixels, got {image.dtype} {image.shape}"
        )
    return np.ascontiguousarray(image.transpose(1, 2, 0))


def outline_problem(cell: NDArray[np.bool_]) -> str | None:
    """Return why a cut with this outline is not to be used, judged by its place and shape; None where it is good.

    Parameters
    ----------
    cell : bool [H, W]
    """
    height, width = cell.shape
    if not cell.any():
        return NOTHING
    if cell[[0, -1]].any() or cell[:, [0, -1]].any():
        return "the cell is cut off by the border of the image"
    shape = regionprops(cell.astype(np.uint8))[0]
    away = np.hypot(shape.centroid[0] - (height - 1) / 2, shape.centroid[1] - (width - 1) / 2)
    if away > 0.2 * min(height, width):
        return "no cell lies in the middle of the image"
    if shape.solidity < LEAST_SOLIDITY:
        return "the outline is ragged: other cells touch the cell, or it has burst"
    return None


def _resized(mask: NDArray[np.bool_], height: int, width: int) -> NDArray[np.bool_]:
    soft = Image.fromarray(mask.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(soft) >= 0.5


def _resized_labels(labels: NDArray[np.int32], height: int, width: int) -> NDArray[np.int32]:
    grown = np.zeros((height, width), np.int32)
    for i in range(1, int(labels.max()) + 1):
        grown[_resized(labels == i, height, width)] = i
    return grown


def single_red_cells(slide: Slide, cell: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Number the red cells that hang together with nothing else.

    Parameters
    ----------
    slide : Slide
    cell : bool [H, W]
        The white cell, which is left out with a margin.

    Returns
    -------
    int32 [H, W]
        0, or the number of the red cell from 1.
    """
    edge = min(cell.shape)
    rest = slide.dense & ~ndimage.binary_dilation(cell, iterations=max(1, round(1.5 * slide.unit)))
    objects = label(rest)
    touches_white = np.unique(objects[ndimage.binary_dilation(cell, iterations=max(2, round(3 * slide.unit)))])
    kept = []
    for shape in regionprops(objects, intensity_image=slide.stain):
        top, left, bottom, right = shape.bbox
        whole = top > 0 and left > 0 and bottom < cell.shape[0] and right < cell.shape[1]
        if not whole or shape.label in touches_white or not 0.005 <= shape.area / edge**2 <= 0.1:
            continue
        one = shape.solidity > 0.94 and shape.eccentricity < 0.75 and 4 * np.pi * shape.area > 0.85 * shape.perimeter**2
        stained = float((shape.image_intensity[shape.image] > slide.stained).mean())
        if one and stained < 0.02:
            kept.append(shape)
    if not kept:
        return np.zeros(cell.shape, np.int32)
    # Overlapping pairs that pass for one are far larger than the others.
    usual = float(np.median([shape.area for shape in kept]))
    numbers = np.zeros(int(objects.max()) + 1, np.int32)
    for i, shape in enumerate((s for s in kept if 0.45 * usual <= s.area <= 1.5 * usual), 1):
        numbers[shape.label] = i
    return np.asarray(numbers[objects])
