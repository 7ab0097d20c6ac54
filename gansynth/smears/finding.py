"""The cells of a smear field: white ones by their stain, red ones by their outline, or both by a network."""

from __future__ import annotations

from enum import Enum

import numpy as np
from numpy.typing import NDArray

from gansynth.smears.boxes import CellBox
from gansynth.smears.diameter import given_or_measured
from gansynth.smears.field import working_field
from gansynth.smears.red_cells import DEFAULT_RED, RedCellSettings, find_red_cells
from gansynth.smears.white_cells import DEFAULT_WHITE, WhiteCellSettings, find_white_cells, white_cell_regions


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
