"""Images that show more than one cell of the class: a second nucleus, or a cell that the border cuts (abouali2023, 3.1,
left such images out by hand)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage.measure import label, regionprops

from gansynth.cells.segmentation import WORK_EDGES, CellMasks, as_rgb
from gansynth.cells.white_cell import read_slide

LEAST_SHARE = 0.25
"""Of the own nucleus' area, from which on a stained object beside the cell is a second nucleus, not a platelet."""

TWO = "a second nucleus lies beside the cell"
CUT = "the cell is cut off by the border of the image"


def why_several(image: NDArray[np.uint8], masks: CellMasks) -> str | None:
    """Return what a person should look at: a second nucleus, or a cell at the border; None where neither is found.

    A second nucleus is what lies outside the cell, is stained as deeply as nine tenths of the nucleus, and has a
    quarter of its area at least. Lobes of one nucleus lie in one cell and are not counted.

    Parameters
    ----------
    image : uint8 [3, H, W]
        RGB, as for `segment_cell`.
    masks : CellMasks
        What `segment_cell` found in it.

    Raises
    ------
    ValueError
        If `image` is not such an array.
    """
    pixels = as_rgb(image)
    if masks.problem == CUT:
        return CUT
    if not masks.nucleus.any():
        return None
    height, width = pixels.shape[:2]
    least, most = WORK_EDGES
    scale = np.clip(min(height, width), least, most) / min(height, width)
    size = (round(width * scale), round(height * scale))
    slide = read_slide(np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)))
    nucleus, cell = (_at(mask, size) for mask in (masks.nucleus, masks.cell))
    if not nucleus.any():
        return None
    stained = (slide.stain > slide.stained) & slide.dense
    outside = stained & ~ndimage.binary_dilation(cell, iterations=max(1, round(slide.unit)))
    depth = float(np.quantile(slide.stain[nucleus], 0.1))
    deep = ndimage.binary_opening(outside & (slide.stain >= depth))
    least_area = LEAST_SHARE * float(nucleus.sum())
    objects = label(ndimage.binary_closing(deep, iterations=2))
    return TWO if any(one.area >= least_area for one in regionprops(objects)) else None


def _at(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    return np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST))
