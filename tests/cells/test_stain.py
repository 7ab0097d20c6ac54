"""What nuclear stain is: optical density in red and green against the slide, whatever the light."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gansynth.cells.stain import background_colour, nuclear_stain, optical_density

BACKGROUND, RED_CELL, NUCLEUS = (250, 230, 210), (200, 165, 160), (90, 60, 120)


def field(background=BACKGROUND, red=RED_CELL, nucleus=NUCLEUS) -> np.ndarray:
    image = np.empty((40, 50, 3), np.uint8)
    image[:] = background
    image[5:30, 5:25] = red
    image[5:30, 30:45] = nucleus
    return image


def test_background_is_the_slide_though_cells_cover_most_of_it_and_glints_are_brighter():
    image = field()
    image[0, :8] = 255
    np.testing.assert_allclose(background_colour(image), BACKGROUND)


def test_density_follows_beer_and_lambert():
    image = field()
    expected = np.log(np.array(BACKGROUND) / np.array(RED_CELL))
    np.testing.assert_allclose(optical_density(image)[10, 10], expected, rtol=1e-5)
    np.testing.assert_allclose(optical_density(image)[35, 10], 0, atol=1e-6)


def test_nucleus_stands_far_above_red_cell_and_background():
    stain = nuclear_stain(field())
    assert stain.dtype == np.float32 and stain.shape == (40, 50)
    assert stain[10, 35] > 1
    assert abs(stain[35, 10]) < 1e-6
    assert abs(stain[10, 10]) < 0.3


@given(st.tuples(*[st.floats(0.6, 1.02)] * 3))
def test_white_balance_changes_nothing_but_rounding(gain):
    balanced = [np.round(np.array(c) * gain).astype(np.uint8) for c in (BACKGROUND, RED_CELL, NUCLEUS)]
    np.testing.assert_allclose(nuclear_stain(field(*balanced)), nuclear_stain(field()), atol=0.04)


@pytest.mark.parametrize("value", [0, 255])
def test_image_of_one_colour_holds_no_stain(value):
    assert np.abs(nuclear_stain(np.full((8, 9, 3), value, np.uint8))).max() < 1e-6


@pytest.mark.parametrize("image", [np.zeros((3, 8, 8), np.uint8), np.zeros((8, 8, 3)), np.zeros((0, 8, 3), np.uint8)])
def test_what_is_no_rgb_image_is_refused(image):
    with pytest.raises(ValueError, match="uint8"):
        nuclear_stain(image)
