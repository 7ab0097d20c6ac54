"""Masks are spread, filled and measured as scipy and scikit-image do it, on spots of all shapes and at every border."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull
from skimage.measure import regionprops
from skimage.morphology import disk as scikit_disk
from skimage.morphology import h_maxima

from gansynth.cells import morphology


def spots(seed: int) -> NDArray[np.bool_]:
    """Return a mask of up to 50 px a side: smooth spots or single pixels, few or many; some of them at the border."""
    draw = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(draw.standard_normal(draw.integers(1, 50, 2)), draw.choice([0, 0.7, 1.5, 3]))
    return np.asarray(noise > draw.choice([-0.3, 0.0, 0.1, 0.3, 2.0]))


@pytest.fixture(params=range(40))
def mask(request: pytest.FixtureRequest) -> NDArray[np.bool_]:
    return spots(request.param)


def test_masks_are_spread_and_shrunk_as_scipy_does_it(mask: NDArray[np.bool_]) -> None:
    for radius in (1, 2, 3, 6):
        structure, reach = scikit_disk(radius), morphology.disk(radius)
        np.testing.assert_array_equal(morphology.dilated(mask, reach), ndimage.binary_dilation(mask, structure))
        np.testing.assert_array_equal(morphology.eroded(mask, reach), ndimage.binary_erosion(mask, structure))
        np.testing.assert_array_equal(morphology.opened(mask, reach), ndimage.binary_opening(mask, structure))
        np.testing.assert_array_equal(morphology.closed(mask, reach), ndimage.binary_closing(mask, structure))
        steps = morphology.diamond(radius)
        np.testing.assert_array_equal(morphology.dilated(mask, steps), ndimage.binary_dilation(mask, iterations=radius))
    np.testing.assert_array_equal(morphology.opened(mask), ndimage.binary_opening(mask))


def test_a_disk_is_what_lies_so_far_away(mask: NDArray[np.bool_]) -> None:
    for away in (0.9, 1.0, 1.25, 4.4, 6.25):
        near = ndimage.distance_transform_edt(~mask) <= away if mask.any() else mask
        np.testing.assert_array_equal(morphology.dilated(mask, morphology.disk(away)), near)


def test_holes_are_filled_and_small_things_left_out(mask: NDArray[np.bool_]) -> None:
    np.testing.assert_array_equal(morphology.filled(mask), ndimage.binary_fill_holes(mask))
    objects, holes = ndimage.label(mask)[0], ndimage.label(~mask)[0]
    for most in (0, 1, 5, 20):
        small = [i for i, size in enumerate(np.bincount(objects.ravel())) if i and size <= most]
        np.testing.assert_array_equal(morphology.without_small_objects(mask, most), mask & ~np.isin(objects, small))
        small = [i for i, size in enumerate(np.bincount(holes.ravel())) if i and size <= most]
        np.testing.assert_array_equal(morphology.without_small_holes(mask, most), mask | np.isin(holes, small))


def test_solidity_is_the_share_of_the_hull_that_qhull_and_scikit_image_find(mask: NDArray[np.bool_]) -> None:
    if not mask.any():
        assert morphology.solidity(mask) == morphology.solidity_in_pixels(mask) == 1
        return
    corners = (np.argwhere(mask)[:, None] + [[0, 0], [0, 1], [1, 0], [1, 1]]).reshape(-1, 2)
    assert morphology.solidity(mask) == pytest.approx(mask.sum() / ConvexHull(corners).volume)
    assert morphology.solidity_in_pixels(mask) == regionprops(mask.astype(np.uint8))[0].solidity


@pytest.mark.parametrize("smooth", [0, 1.2])
def test_peaks_are_those_of_scikit_image(mask: NDArray[np.bool_], smooth: float) -> None:
    heights = ndimage.gaussian_filter(ndimage.distance_transform_edt(np.pad(mask, 1)), smooth)
    for least in (0.1, 0.4, 2.0):
        np.testing.assert_array_equal(morphology.peaks(heights, least), h_maxima(heights, least) > 0)


def test_a_box_holds_the_mask_and_its_margin() -> None:
    mask = np.zeros((9, 12), dtype=bool)
    mask[2:4, 8:12] = True
    assert mask[morphology.box(mask, 0)].shape == (2, 4) and mask[morphology.box(mask, 0)].all()
    assert mask[morphology.box(mask, 3)].shape == (7, 7)
