"""Pictures that are spoiled a little stay pictures of the same cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gansynth.cells.spoiling import SPOILINGS, brighter, restained
from gansynth.cells.stain import optical_density
from gansynth.data.phantom import phantom_dataset

CELLS = phantom_dataset({"eosinophil": 3, "neutrophil": 3}, size=48).images


@pytest.mark.parametrize("name", SPOILINGS)
def test_each_changes_pictures_a_little_image_by_image_and_leaves_what_it_is_given(name: str) -> None:
    before = CELLS.copy()
    found = SPOILINGS[name].alter(CELLS)
    assert found.dtype == np.uint8 and found.shape == CELLS.shape
    np.testing.assert_array_equal(CELLS, before)
    change = np.abs(found.astype(int) - CELLS).mean(axis=(1, 2, 3))
    assert (change > 0.5).all() and (change < 25).all()
    np.testing.assert_array_equal(SPOILINGS[name].alter(CELLS[2:4]), found[2:4])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 255), st.integers(0, 60))
def test_a_stronger_lamp_adds_the_same_to_every_pixel_but_no_more_than_white(level: int, levels: int) -> None:
    assert (brighter(np.full((1, 3, 2, 2), level, np.uint8), levels) == min(level + levels, 255)).all()


def test_another_stain_multiplies_optical_densities_and_leaves_the_slide_clean() -> None:
    gains = (0.8, 1.0, 1.25)
    image, found = CELLS[0].transpose(1, 2, 0), restained(CELLS[:1], gains)[0].transpose(1, 2, 0)
    before, after = optical_density(image), optical_density(found)
    stained = (before > 0.2).all(axis=2) & (before < 1.2).all(axis=2)
    assert stained.sum() > 50
    np.testing.assert_allclose((after[stained] / before[stained]).mean(axis=0), gains, atol=0.05)
    assert np.abs(after[(np.abs(before) < 0.02).all(axis=2)]).max() < 0.05
