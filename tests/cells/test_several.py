"""Two nuclei in one image and cells at its border are found; one cell among red cells is left in peace."""

from __future__ import annotations

import numpy as np
import pytest

from gansynth.cells.segmentation import segment_cell
from gansynth.cells.several import CUT, TWO, why_several

from .drawn_cells import NUCLEUS, PLASMA, disk, drawn


@pytest.mark.parametrize("edge", [64, 128, 224])
def test_one_cell_among_red_cells_is_nothing_to_look_at(edge: int) -> None:
    image = drawn(edge)[0]
    assert why_several(image, segment_cell(image)) is None


@pytest.mark.parametrize("edge", [64, 128, 224])
def test_a_second_white_cell_beside_the_first_is_found(edge: int) -> None:
    image = drawn(edge, middle=(0.45, 0.42), radius=0.14, reds=[(0.15, 0.2)])[0]
    image[:, disk(edge, 0.8, 0.8, 0.14)] = np.array(PLASMA, np.uint8)[:, None]
    image[:, disk(edge, 0.8, 0.8, 0.08)] = np.array(NUCLEUS, np.uint8)[:, None]
    assert why_several(image, segment_cell(image)) == TWO


def test_a_platelet_is_not_a_second_nucleus() -> None:
    image = drawn()[0]
    image[:, disk(128, 0.85, 0.5, 0.025)] = np.array(NUCLEUS, np.uint8)[:, None]
    assert why_several(image, segment_cell(image)) is None


def test_a_cell_that_the_border_cuts_is_found() -> None:
    image = drawn(middle=(0.5, 0.1), radius=0.2, reds=[(0.15, 0.7)])[0]
    assert why_several(image, segment_cell(image)) == CUT


def test_an_image_without_a_cell_has_nothing_to_find() -> None:
    plain = np.full((3, 64, 64), 240, np.uint8)
    assert why_several(plain, segment_cell(plain)) is None
    with pytest.raises(ValueError, match="uint8"):
        why_several(plain.astype(np.float32), segment_cell(plain))  # type: ignore[arg-type]
