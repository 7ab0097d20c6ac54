"""Cuts are held against drawn cells, whose masks are known; eval/naturalize_cuts.py holds them against real boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gansynth.cells.segmentation import NOTHING, segment_cell

from .drawn_cells import NUCLEUS, PLASMA, RED, SLIDE, drawn, overlap


@pytest.mark.parametrize("edge", [32, 64, 128, 200])
def test_cell_nucleus_and_red_cells_are_found_at_every_size(edge: int) -> None:
    image, nucleus, cell, reds = drawn(edge)
    masks = segment_cell(image)
    assert masks.problem is None
    least = 0.85 if edge < 64 else 0.9
    assert overlap(masks.cell, cell) > least and overlap(masks.nucleus, nucleus) > least - 0.1
    assert len(reds) >= masks.red.max() >= (len(reds) if edge > 64 else 2)
    for number in range(1, masks.red.max() + 1):
        assert max(overlap(masks.red == number, red) for red in reds) > least - 0.1


@settings(max_examples=5, deadline=None)
@given(gain=st.tuples(*[st.floats(0.75, 1.0)] * 3))
def test_white_balance_does_not_move_the_outline(gain: tuple[float, ...]) -> None:
    plain = segment_cell(drawn(96)[0])
    colours = [np.array(colour) * gain for colour in (SLIDE, RED, PLASMA, NUCLEUS)]
    masks = segment_cell(drawn(96, colours=colours)[0])
    assert overlap(masks.cell, plain.cell) > 0.95 and overlap(masks.nucleus, plain.nucleus) > 0.9


def test_a_flipped_or_turned_image_is_cut_alike() -> None:
    image = drawn(96)[0]
    plain = segment_cell(image).cell
    for turned, back in ((image[:, ::-1], plain[::-1]), (np.rot90(image, axes=(1, 2)), np.rot90(plain))):
        assert overlap(segment_cell(np.ascontiguousarray(turned)).cell, back) > 0.97


def test_a_red_cell_that_touches_is_not_part_of_the_cell_and_is_not_cut_out_itself() -> None:
    image, _, cell, reds = drawn(reds=((0.5, 0.765), (0.2, 0.2), (0.8, 0.2)))
    masks = segment_cell(image)
    assert masks.problem is None
    assert overlap(masks.cell, cell) > 0.9
    assert (masks.cell & reds[0] & ~cell).sum() < 0.1 * reds[0].sum()
    assert masks.red.max() == 2 and not (masks.red[reds[0]] > 0).any()


def test_red_cells_at_the_border_and_pairs_are_left_out() -> None:
    masks = segment_cell(drawn(reds=((0.03, 0.2), (0.8, 0.2), (0.8, 0.3), (0.2, 0.8), (0.85, 0.8)))[0])
    assert masks.red.max() == 2


@pytest.mark.parametrize(
    ("middle", "why"), [((0.5, 0.9), "border"), ((0.25, 0.25), "middle")], ids=["at the border", "off the middle"]
)
def test_a_cell_that_is_cut_off_or_not_in_the_middle_is_a_problem(middle: tuple[float, float], why: str) -> None:
    masks = segment_cell(drawn(middle=middle, reds=((0.8, 0.2),))[0])
    assert masks.problem is not None and why in masks.problem


def test_a_burst_cell_is_a_problem() -> None:
    image, _, cell, _ = drawn(reds=())
    rows, columns = np.mgrid[:128, :128]
    spokes = np.cos(7 * np.arctan2(rows - 63.5, columns - 63.5)) > 0.3
    far = np.hypot(rows - 63.5, columns - 63.5) > 0.11 * 128
    image[:, cell & spokes & far] = np.array(SLIDE, np.uint8)[:, None]
    assert "ragged" in str(segment_cell(image).problem)


def test_a_slide_with_red_cells_only_holds_no_cell() -> None:
    masks = segment_cell(drawn(colours=(SLIDE, RED, SLIDE, SLIDE))[0])
    assert masks.problem == NOTHING and not masks.cell.any() and not masks.nucleus.any()


@settings(max_examples=15, deadline=None)
@given(image=st.tuples(st.integers(16, 50), st.integers(16, 50)).flatmap(lambda s: arrays(np.uint8, (3, *s))))
def test_whatever_the_image_masks_fit_into_each_other(image: np.ndarray) -> None:
    masks = segment_cell(image)
    assert masks.cell.shape == masks.nucleus.shape == masks.red.shape == image.shape[1:]
    assert masks.cell.dtype == masks.nucleus.dtype == bool and masks.red.dtype == np.int32
    assert not (masks.nucleus & ~masks.cell).any()
    assert not (masks.cell & (masks.red > 0)).any()
    assert masks.problem is not None or masks.cell.any()


@pytest.mark.parametrize("noise", [0, 60])
def test_noise_is_no_cell(noise: int) -> None:
    image = np.random.default_rng(0).integers(128 - noise, 129 + noise, (3, 64, 64)).astype(np.uint8)
    assert segment_cell(image).problem is not None


@pytest.mark.parametrize(
    "image", [np.zeros((32, 32, 3), np.uint8), np.zeros((3, 32, 32)), np.zeros((3, 8, 32), np.uint8)]
)
def test_what_is_no_cell_image_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="cell image"):
        segment_cell(image)
