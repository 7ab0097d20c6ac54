"""Small objects and holes are left out as scikit-image leaves them out."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.measure import label, regionprops

from gansynth.cells.small_parts import without_small_holes, without_small_objects


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("most", [0, 1, 5, 40])
def test_objects_and_holes_of_at_most_so_many_pixels_are_gone(share: float, most: int) -> None:
    mask = np.random.default_rng(0).random((40, 50)) < share

    def kept(mask: np.ndarray) -> np.ndarray:
        objects = label(mask, connectivity=1)
        return np.isin(objects, [one.label for one in regionprops(objects) if one.area > most])

    np.testing.assert_array_equal(without_small_objects(mask, most), kept(mask))
    np.testing.assert_array_equal(without_small_holes(mask, most), ~kept(~mask))


def test_nothing_and_all_stay() -> None:
    for mask in (np.zeros((5, 6), bool), np.ones((5, 6), bool)):
        np.testing.assert_array_equal(without_small_objects(mask, 3), mask)
        np.testing.assert_array_equal(without_small_holes(mask, 3), mask)
