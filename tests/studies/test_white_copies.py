"""A known white cell before other red cells is found, and fresh cells are not called copies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gansynth.cells.segmentation import segment_cell
from gansynth.data.phantom import phantom_dataset
from gansynth.metrics.estimate import Estimate
from gansynth.studies.quality.copies import look_for_copies
from gansynth.studies.quality.real_cache import RealCache
from gansynth.studies.quality.sets import Images, Sets
from gansynth.studies.quality.stages import Stages
from gansynth.studies.quality.white_cells import (
    MOST_TRAINING,
    SLIDE,
    WhiteSides,
    centred,
    masked,
    sum_of,
    white_copies,
)

SIZE = 64


def images_of(pixels: NDArray[np.uint8]) -> Images:
    found = phantom_dataset({"eosinophil": len(pixels)}, size=SIZE)
    found = type(found)(pixels, found.labels, found.class_names, found.records)
    return Images(found, np.arange(len(pixels)), found.labels)


def cells(n: int, seed: int) -> NDArray[np.uint8]:
    return phantom_dataset({"eosinophil": n}, size=SIZE, seed=seed).images


def pasted(white: NDArray[np.uint8], surroundings: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """White cells of one set of images before what lies around those of another."""
    slide = np.array(SLIDE, np.uint8)[:, None, None]
    made = []
    for cell, other in zip(white, surroundings, strict=True):
        mine, theirs = (segment_cell(np.ascontiguousarray(image)).cell for image in (cell, other))
        made.append(np.where(mine, cell, np.where(theirs, slide, other)))
    return np.stack(made)


def found(synthetic: NDArray[np.uint8], training: NDArray[np.uint8], tmp_path: Path) -> tuple[Estimate, Estimate]:
    held_out = images_of(cells(30, seed=5))
    sets = Sets(("eosinophil",), held_out, images_of(training), held_out, images_of(synthetic), True, ())
    cache = RealCache(tmp_path / "cache")
    (book,) = white_copies(sets, cache, Stages(False), WhiteSides.of(sets, Stages(False), 0))
    return book["copies-white"], look_for_copies(sets, cache).overall["copies"]


@pytest.mark.parametrize("edge", [1, 12, 15])
def test_no_cell_is_cut_from_images_too_small_to_hold_one(edge: int) -> None:
    shown, good = masked(np.zeros((3, 3, edge, edge), np.uint8))
    assert not good.any() and (shown == np.array(SLIDE, np.uint8)[:, None, None]).all()


def test_white_cells_of_training_images_are_found_before_other_red_cells(tmp_path: Path) -> None:
    training = cells(20, seed=1)
    synthetic = np.concatenate([pasted(training[:8], cells(8, seed=7)), cells(12, seed=9)])
    white, whole = found(synthetic, training, tmp_path)
    assert white.value is not None and white.value >= 6 and white.floor is not None and white.floor <= 1
    assert whole.value is not None and whole.value < white.value


def test_copies_are_the_same_looked_for_in_one_go_or_block_by_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training, held_out = cells(20, seed=1), images_of(cells(10, seed=5))
    synthetic = images_of(np.concatenate([training[[3, 12, 19]], cells(4, seed=9)]))
    sets = Sets(("eosinophil",), held_out, images_of(training), held_out, synthetic, True, ())
    whole = look_for_copies(sets, RealCache(tmp_path / "one"))
    monkeypatch.setattr("gansynth.studies.quality.copies._BLOCK", 7)
    blocks = look_for_copies(sets, RealCache(tmp_path / "two"))
    assert [(pair.training, pair.distance) for pair in whole.pairs] == [
        (pair.training, pair.distance) for pair in blocks.pairs
    ]
    assert whole.overall == blocks.overall and whole.overall["copies"].value == 3


def test_fresh_white_cells_are_not_called_copies(tmp_path: Path) -> None:
    white, _ = found(cells(30, seed=11), cells(20, seed=1), tmp_path)
    assert white.value is not None and white.value <= 1


def test_a_class_with_many_training_images_is_not_looked_at_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gansynth.studies.quality.white_cells.MOST_TRAINING", 10)
    white, _ = found(cells(10, seed=2), cells(11, seed=1), tmp_path)
    assert white.value is None and "not looked for" in white.note
    assert MOST_TRAINING == 400


def test_a_cell_that_was_moved_is_moved_back() -> None:
    cut, good = masked(cells(4, seed=3))
    assert good.all()
    np.testing.assert_array_equal(centred(np.roll(cut, (5, -4), axis=(2, 3))), centred(cut))


def test_the_classes_together_are_their_sum() -> None:
    one, two = Estimate(2.0, 60, floor=1.0, floor_n=30), Estimate(0.0, 40, floor=0.5, floor_n=20)
    both = sum_of([one, two])
    assert (both.value, both.n, both.floor, both.floor_n) == (2.0, 100, 1.5, 50)
