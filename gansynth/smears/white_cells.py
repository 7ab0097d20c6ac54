"""White cells in a smear field, by their stain.

alkrimi2023, section 2.2, finds leukocytes by a threshold on the nucleus, smoothed edges and seed filling. So does this:
nuclear stain above a threshold is a nucleus, neighbouring lobes are one nucleus, and from this seed the cell is filled
over cytoplasm, which takes green light and, unlike red cells, no blue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gansynth.cells.stain import NUCLEAR_WEIGHTS
from gansynth.smears.boxes import WHITE_CELL, CellBox
from gansynth.smears.field import WORKING_DIAMETER, SmearField, disk


@dataclass(frozen=True)
class WhiteCellSettings:
    """What counts as a white cell. Lengths are shares of a red cell's diameter, areas of its area.

    Attributes
    ----------
    nucleus : float
        Least nuclear stain (`gansynth.cells.stain.nuclear_stain`) of a nucleus.
    cytoplasm : float
        Least optical density in green beyond that in blue of cytoplasm.
    lobe_gap : float
        Lobes at most twice this apart are one nucleus.
    smallest : float
        Least area of the nuclei of one cell: platelets and debris have less.
    reach : float
        How far from the nucleus cytoplasm is looked for.
    margin : float
        What is added around the cell on every side.
    """

    nucleus: float = 0.35
    cytoplasm: float = 0.09
    lobe_gap: float = 0.2
    smallest: float = 0.45
    reach: float = 0.6
    margin: float = 0.05


DEFAULT_WHITE = WhiteCellSettings()


def white_cell_regions(field: SmearField, settings: WhiteCellSettings = DEFAULT_WHITE) -> NDArray[np.int32]:
    """Return which pixels of the working picture belong to which white cell.

    Returns
    -------
    int32 [h, w]
        0 outside of white cells, else 1, 2, ...
    """
    stain = field.density @ np.array(NUCLEAR_WEIGHTS, dtype=np.float32)
    purple = field.density[..., 1] - field.density[..., 2]
    nuclei = ndimage.binary_opening(stain > settings.nucleus, disk(0.04 * WORKING_DIAMETER))
    near = ndimage.distance_transform_edt(~nuclei) <= settings.lobe_gap * WORKING_DIAMETER
    groups, count = ndimage.label(near)
    groups[~nuclei] = 0
    area = np.bincount(groups.ravel(), minlength=count + 1)[1:] / (np.pi / 4 * WORKING_DIAMETER**2)
    regions = np.zeros(groups.shape, dtype=np.int32)
    stained = (purple > settings.cytoplasm) | nuclei
    for cell in 1 + np.flatnonzero(area >= settings.smallest):
        nucleus = groups == cell
        reach = ndimage.distance_transform_edt(~nucleus) <= settings.reach * WORKING_DIAMETER
        whole = ndimage.binary_opening(stained & reach, disk(0.08 * WORKING_DIAMETER)) | nucleus
        parts, _ = ndimage.label(whole)
        touched = np.unique(parts[nucleus])
        regions[np.isin(parts, touched[touched > 0]) & (regions == 0)] = regions.max() + 1
    return regions


def find_white_cells(
    field: SmearField, regions: NDArray[np.int32], settings: WhiteCellSettings = DEFAULT_WHITE
) -> list[CellBox]:
    """Return a box around every white cell, in pixels of the field.

    Parameters
    ----------
    field : SmearField
    regions : int32 [h, w]
        Of `white_cell_regions`.
    settings : WhiteCellSettings

    Returns
    -------
    list of CellBox
        From left to right; `score` is the area of the cell in red cells, at most 1, as share of certainty.
    """
    stain = field.density @ np.array(NUCLEAR_WEIGHTS, dtype=np.float32)
    margin = settings.margin * WORKING_DIAMETER
    boxes = []
    for number, slices in enumerate(ndimage.find_objects(regions), 1):
        if slices is None:
            continue
        rows, columns = slices
        nucleus = (regions[slices] == number) & (stain[slices] > settings.nucleus)
        area = nucleus.sum() / (np.pi / 4 * WORKING_DIAMETER**2)
        box = CellBox(
            WHITE_CELL,
            (columns.start - margin) / field.scale,
            (rows.start - margin) / field.scale,
            (columns.stop + margin) / field.scale,
            (rows.stop + margin) / field.scale,
            score=float(min(1.0, area)),
        )
        boxes.append(box.within(field.height, field.width))
    return sorted(boxes, key=lambda box: (box.left, box.top))
