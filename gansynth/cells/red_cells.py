"""Red cells that can be cut out of an image: whole, alone, and round enough to be one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label, regionprops

from gansynth.cells.white_cell import Slide


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
