"""The cells of a smear field: white ones by their stain, red ones by their outline, or both by a network.

White cells: alkrimi2023, section 2.2, finds leukocytes by a threshold on the nucleus, smoothed edges and seed filling.
So does this: nuclear stain above a threshold is a nucleus, neighbouring lobes are one nucleus, and from this seed the
cell is filled over cytoplasm, which takes green light and, unlike red cells, no blue.

Red cells: grey level, adaptive histogram equalisation and Hough's circles (pasupa2020, algorithm 1) find cells also
where they overlap. Two things are added. A cell that lies alone has its outline already: its box is that of its region,
which is right for ovals too. And circles are held against each other and against white cells, so that one cell is found
once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.exposure import equalize_adapthist
from skimage.measure import label, regionprops

from gansynth.cells.stain import NUCLEAR_WEIGHTS
from gansynth.smears.boxes import RED_CELL, WHITE_CELL, CellBox, one_each
from gansynth.smears.diameter import given_or_measured
from gansynth.smears.field import WORKING_DIAMETER, SmearField, disk, fill_holes, working_field
from gansynth.smears.hough_circles import dark_circles


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
    found = []
    for number, slices in enumerate(ndimage.find_objects(regions), 1):
        if slices is None:
            continue
        rows, columns = slices
        nucleus = (regions[slices] == number) & (stain[slices] > settings.nucleus)
        area = nucleus.sum() / (np.pi / 4 * WORKING_DIAMETER**2)
        found.append((columns.start, rows.start, columns.stop, rows.stop, area))
    return _boxes(WHITE_CELL, field, np.array(found, dtype=np.float64).reshape(-1, 5), settings.margin)


@dataclass(frozen=True)
class RedCellSettings:
    """What counts as a red cell. Lengths are shares of the usual red cell's diameter, areas of its area.

    Attributes
    ----------
    clip_limit : float
        Of the adaptive histogram equalisation.
    edge : float
        Least gradient of an outline, in grey levels (0 to 1) per pixel of the working picture.
    smallest, largest : float
        Diameters of circles looked for.
    pull : float
        How far a circle's diameter, which votes give roughly only, is pulled to the usual one: 0 not, 1 all the way.
    support : float
        Least share of a circle's outline that is seen, times the share inside the field.
    visible : float
        Least share of a circle's outline inside the field.
    overlap : float
        Two boxes that overlap by more (intersection over union) are one cell.
    foreground : float
        Least optical density in green of a cell.
    alone : float
        Least solidity (area over area of the convex hull) of a region that is one cell.
    alone_smallest, alone_largest : float
        Areas of a region that is one cell.
    margin : float
        What is added around the cell on every side.
    """

    clip_limit: float = 0.003
    edge: float = 0.02
    smallest: float = 0.8
    largest: float = 1.3
    pull: float = 0.4
    support: float = 0.45
    visible: float = 0.6
    overlap: float = 0.2
    foreground: float = 0.04
    alone: float = 0.93
    alone_smallest: float = 0.5
    alone_largest: float = 1.8
    margin: float = 0.09


DEFAULT_RED = RedCellSettings()


def equalised_grey(field: SmearField, clip_limit: float = DEFAULT_RED.clip_limit) -> NDArray[np.float64]:
    """Return the field's green light with local contrast raised: algorithm 1, lines 4 and 5.

    Green is the grey level in which red cells, whose haemoglobin takes it, stand out most.

    Returns
    -------
    float64 [h, w], in 0 to 1
    """
    grey = field.pixels[..., 1].astype(np.float64)
    low, high = np.percentile(grey, (1, 99))
    grey = np.clip((grey - low) / max(high - low, 1.0), 0, 1)
    return np.asarray(equalize_adapthist(grey, kernel_size=4 * WORKING_DIAMETER, clip_limit=clip_limit))


def find_red_cells(
    field: SmearField, white: NDArray[np.int32], settings: RedCellSettings = DEFAULT_RED
) -> list[CellBox]:
    """Return a box around every red cell, in pixels of the field.

    Parameters
    ----------
    field : SmearField
    white : int32 [h, w]
        Where white cells are: above 0 (`white_cell_regions`).
    settings : RedCellSettings

    Returns
    -------
    list of CellBox
        From left to right; `score` is the share of the outline that is seen (squared where the field's
        border cuts it), 1 for a cell that lies alone.
    """
    cells = _foreground(field, white > 0, settings)
    alone, rest = _alone(cells, settings)
    candidates = np.concatenate([alone, _circles(field, white > 0, rest, settings)])
    kept = candidates[one_each(candidates[:, :4], candidates[:, 4], settings.overlap)]
    return _boxes(RED_CELL, field, kept, settings.margin)


def _boxes(name: str, field: SmearField, found: NDArray[np.float64], margin: float) -> list[CellBox]:
    """Return found cells [N, 5] (edges in the working picture, score) as boxes in pixels of the field, from left to
    right; `margin` is a share of the red cell's diameter."""
    around = np.array([-1, -1, 1, 1, 0]) * margin * WORKING_DIAMETER
    rows = ((found + around) / np.array([field.scale] * 4 + [1.0])).tolist()
    boxes = [
        CellBox(name, left, top, right, bottom, min(1.0, score)).within(field.height, field.width)
        for left, top, right, bottom, score in rows
    ]
    return sorted(boxes, key=lambda box: (box.left, box.top))


def _foreground(field: SmearField, white: NDArray[np.bool_], settings: RedCellSettings) -> NDArray[np.bool_]:
    """Return which pixels lie in red cells, pale middles filled."""
    mask = (field.density[..., 1] > settings.foreground) & ~ndimage.binary_dilation(white, iterations=2)
    mask = fill_holes(mask, 0.5 * np.pi / 4 * WORKING_DIAMETER**2, but=white)
    return np.asarray(ndimage.binary_opening(mask, disk(0.06 * WORKING_DIAMETER)))


def _alone(cells: NDArray[np.bool_], settings: RedCellSettings) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return boxes [N, 5] (edges, score) of regions that are one whole cell, and the mask of all others."""
    height, width = cells.shape
    regions = label(cells, connectivity=1)
    boxes, rest = [], cells.copy()
    for region in regionprops(regions):
        area = region.area / (np.pi / 4 * WORKING_DIAMETER**2)
        top, left, bottom, right = region.bbox
        if top == 0 or left == 0 or bottom == height or right == width:
            continue
        if settings.alone_smallest <= area <= settings.alone_largest and region.solidity >= settings.alone:
            boxes.append((left, top, right, bottom, 2.0))
            rest[regions == region.label] = False
    return np.array(boxes, dtype=np.float64).reshape(-1, 5), rest


def _circles(
    field: SmearField, white: NDArray[np.bool_], cells: NDArray[np.bool_], settings: RedCellSettings
) -> NDArray[np.float64]:
    """Return boxes [N, 5] (edges, score) of the circles among `cells`."""
    radii = np.arange(
        round(settings.smallest * WORKING_DIAMETER / 2), round(settings.largest * WORKING_DIAMETER / 2) + 1
    )
    circles = dark_circles(equalised_grey(field, settings.clip_limit), radii, edge=settings.edge)
    # A cell that the border cuts shows less of its outline, and is less sure.
    seen = circles.support * circles.visible
    circles = circles.select((circles.visible >= settings.visible) & (seen >= settings.support))
    inside = [
        _share(cells, x, y, r) >= 0.4 and _share(white, x, y, r) < 0.45
        for x, y, r in zip(circles.x, circles.y, circles.radius, strict=True)
    ]
    circles = circles.select(np.array(inside, dtype=bool))
    radius = (1 - settings.pull) * circles.radius + settings.pull * WORKING_DIAMETER / 2
    height, width = cells.shape
    return np.stack(
        [
            np.clip(circles.x - radius, 0, width),
            np.clip(circles.y - radius, 0, height),
            np.clip(circles.x + radius, 0, width),
            np.clip(circles.y + radius, 0, height),
            circles.support * circles.visible,
        ],
        axis=1,
    )


def _share(mask: NDArray[np.bool_], x: float, y: float, radius: float) -> float:
    """Return the share of a circle's inner square, as far as it is visible, that `mask` covers."""
    reach = 0.8 * radius
    rows = slice(max(0, int(y - reach)), max(0, int(y + reach) + 1))
    columns = slice(max(0, int(x - reach)), max(0, int(x + reach) + 1))
    part = mask[rows, columns]
    return float(part.mean()) if part.size else 0.0


class Finder(Enum):
    """Who finds the cells."""

    LEARNED = "learned"
    """A network that has learned from boxes which people drew (`gansynth.smears.detector`)."""
    CLASSICAL = "classical"
    """Nuclear stain and Hough's circles (`find_cells`), as pasupa2020, algorithm 1."""


def find_cells(
    image: NDArray[np.uint8],
    cell_diameter: float | None = None,
    red: RedCellSettings = DEFAULT_RED,
    white: WhiteCellSettings = DEFAULT_WHITE,
) -> list[CellBox]:
    """Find the white and the red cells of a smear field.

    Parameters
    ----------
    image : uint8 [H, W, 3]
        RGB, stained by a mixture of the Romanowsky kind (May-Grünwald-Giemsa, Wright, Leishman).
    cell_diameter : float, optional
        Of a usual red cell, in pixels; measured in this field where it is not given.
    red, white : RedCellSettings, WhiteCellSettings

    Returns
    -------
    list of CellBox
        White cells, then red ones, each from left to right; names `WHITE_CELL` and `RED_CELL`.

    Raises
    ------
    InputError
        If no diameter is given and the field shows no red cell by itself.
    """
    field = working_field(image, given_or_measured(image, cell_diameter))
    regions = white_cell_regions(field, white)
    return find_white_cells(field, regions, white) + find_red_cells(field, regions, red)
