"""What one laboratory's stain makes of another's is found again, from a handful of cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gansynth.cells.stain_matching import StainChange, stain_change
from gansynth.data.phantom import phantom_dataset

CELLS = phantom_dataset({"basophil": 5, "monocyte": 5, "neutrophil": 3}, size=48)
OTHERS = phantom_dataset({"basophil": 5, "monocyte": 5}, size=48, seed=7)
BETWEEN = st.tuples(*[st.floats(0.75, 1.3)] * 3)


@settings(max_examples=15, deadline=None)
@given(gains=BETWEEN, light=st.tuples(*[st.floats(0.9, 1.0)] * 3))
def test_a_known_change_is_found_again(gains: tuple[float, ...], light: tuple[float, ...]) -> None:
    known = StainChange(np.array(gains, np.float32), np.array(light, np.float32))
    found = stain_change(CELLS.images, CELLS.labels, known(CELLS.images), CELLS.labels)
    np.testing.assert_allclose(found.gains, gains, rtol=0.12)
    np.testing.assert_allclose(found.light, light, rtol=0.02)


def test_other_cells_in_another_stain_come_nearer_and_their_own_stain_stays() -> None:
    known = StainChange(np.array((0.7, 1.0, 1.3), np.float32), np.array((0.95, 1.0, 0.9), np.float32))
    change = stain_change(CELLS.images, CELLS.labels, known(OTHERS.images), OTHERS.labels)

    def off(images: np.ndarray) -> float:
        """Grey levels between the mean colours of two sets of basophils and monocytes."""
        shared = images[CELLS.labels < 2].mean(axis=(0, 2, 3))
        return float(np.abs(shared - known(OTHERS.images).mean(axis=(0, 2, 3))).max())

    assert off(change(CELLS.images)) < off(CELLS.images) / 3
    same = stain_change(CELLS.images, CELLS.labels, OTHERS.images, OTHERS.labels)
    np.testing.assert_allclose(same.gains, 1, atol=0.12)


def test_a_class_that_only_one_set_has_does_not_count() -> None:
    dark = np.where((CELLS.labels == 2)[:, None, None, None], CELLS.images // 4, CELLS.images)
    expected = stain_change(CELLS.images, CELLS.labels, OTHERS.images, OTHERS.labels)
    found = stain_change(dark, CELLS.labels, OTHERS.images, OTHERS.labels)
    np.testing.assert_array_equal(found.gains, expected.gains)
    np.testing.assert_array_equal(found.light, expected.light)


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (CELLS.images, np.full(len(CELLS), 9), "share no class"),
        (np.full_like(CELLS.images, 200), CELLS.labels, "more than stains do"),
    ],
)
def test_sets_that_differ_by_more_than_a_stain_are_refused(images: np.ndarray, labels: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        stain_change(CELLS.images, CELLS.labels, images, labels)
