"""Claims about finding the cells of a smear field."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PIL import Image

from gansynth.data.picture import read_image
from gansynth.errors import InputError
from gansynth.smears.boxes import RED_CELL, WHITE_CELL, CellBox, DetectionScore, score_boxes
from gansynth.smears.diameter import red_cell_diameter
from gansynth.smears.finding import find_cells
from gansynth.smears.hough_circles import dark_circles
from gansynth.smears.voc import kind_of, read_voc

from ..data.trees import SHARED
from .smears import draw_smear, of_kind, usual_smear

needs_bccd = pytest.mark.skipif(not (SHARED / "bccd").is_dir(), reason="the shared data folder is not here")


def scores(found: list[CellBox], drawn: list[CellBox], least: float = 0.5) -> dict[str, DetectionScore]:
    return {name: score_boxes(of_kind(found, name), of_kind(drawn, name), least) for name in (RED_CELL, WHITE_CELL)}


@pytest.mark.parametrize("seed", range(3))
def test_every_cell_of_a_sparse_smear_is_found_once(seed: int) -> None:
    image, drawn = usual_smear(seed)
    found = find_cells(image)
    for name, score in scores(found, drawn, 0.6).items():
        assert score.f1 == 1, name
        assert score.drawn > 0


def test_overlapping_red_cells_are_told_apart() -> None:
    red = [(60, 60, 50), (96, 66, 50), (200, 60, 50), (226, 92, 50), (60, 200, 50), (150, 150, 50)]
    image, drawn = draw_smear(260, 280, red)
    assert scores(find_cells(image, 50), drawn)[RED_CELL].f1 == 1


def test_cells_are_found_whatever_the_magnification() -> None:
    image, drawn = usual_smear(1)
    for factor in (0.6, 2.0):
        size = round(image.shape[1] * factor)
        resized = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.LANCZOS))
        boxes = [
            CellBox(box.name, *(edge * factor for edge in (box.left, box.top, box.right, box.bottom))) for box in drawn
        ]
        assert all(score.f1 == 1 for score in scores(find_cells(resized), boxes).values())


@pytest.mark.parametrize("gain", [(1.0, 0.9, 0.75), (0.8, 0.95, 1.2), (0.7, 0.7, 0.7)])
def test_cells_are_found_whatever_the_white_balance(gain: tuple[float, float, float]) -> None:
    image, drawn = usual_smear(2)
    tinted = np.clip(image * np.array(gain), 0, 255).astype(np.uint8)
    assert all(score.f1 == 1 for score in scores(find_cells(tinted), drawn).values())


def test_found_boxes_lie_inside_the_field() -> None:
    red = [(0, 40, 50), (150, 0, 50), (299, 299, 50), (100, 120, 50), (200, 180, 50)]
    image, _ = draw_smear(300, 300, red, [(280, 90, 90)])
    found = find_cells(image, 50)
    assert found
    for box in found:
        assert 0 <= box.left < box.right <= 300
        assert 0 <= box.top < box.bottom <= 300


@pytest.mark.parametrize("diameter", [30, 50, 80])
def test_the_diameter_of_red_cells_is_measured(diameter: float) -> None:
    image, _ = usual_smear(0, 400, diameter)
    measured = red_cell_diameter([image])
    assert measured == pytest.approx(diameter, rel=0.08)


@pytest.mark.parametrize("diameter", [30, 60])
def test_where_no_red_cell_lies_alone_the_diameter_is_that_of_crowded_ones_and_a_warning_says_so(
    diameter: float,
) -> None:
    step = 0.9 * diameter
    crowd = [(x + step / 2 * (row % 2), row * step, diameter) for row in range(12) for x in np.arange(0, 400, step)]
    image, _ = draw_smear(320, 400, [cell for cell in crowd if (cell[0] + 2 * cell[1]) % 7 > 1])
    with pytest.warns(UserWarning, match="no red cell lies alone, so their diameter, .* is that of crowded cells"):
        measured = red_cell_diameter([image])
    assert measured == pytest.approx(diameter, rel=0.17)


def test_an_empty_field_has_no_cells_and_no_diameter() -> None:
    image, _ = draw_smear(120, 160, [])
    assert find_cells(image, 40) == []
    with pytest.raises(InputError, match="no red cell lies alone"):
        find_cells(image)


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_a_field_of_one_colour_is_no_error(colour: int) -> None:
    assert find_cells(np.full((90, 100, 3), colour, dtype=np.uint8), 40) == []


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (30, 30)])
def test_a_field_smaller_than_a_cell_is_no_error(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    find_cells(noise, 40)


def test_a_dark_circle_is_found_where_it_is_and_a_bright_one_is_not() -> None:
    y, x = np.mgrid[:100, :120]
    dark = 1.0 - (np.hypot(x - 40, y - 55) < 17)
    found = dark_circles(dark, np.arange(12, 25))
    assert (found.x[0], found.y[0], found.radius[0]) == pytest.approx((40, 55, 17), abs=1.01)
    assert found.visible[0] == 1
    bright = dark_circles(1.0 - dark, np.arange(12, 25))
    assert found.support[0] > 0.6
    assert not len(bright) or bright.support.max() < 0.5 * found.support[0]


def test_a_circle_half_outside_is_half_visible() -> None:
    y, x = np.mgrid[:100, :100]
    found = dark_circles(1.0 - (np.hypot(x - 0, y - 50) < 20), np.arange(15, 26))
    best = np.argmax(found.support / np.maximum(found.visible, 0.3))
    assert (found.x[best], found.y[best], found.radius[best]) == pytest.approx((0, 50, 20), abs=1.5)
    assert found.visible[best] == pytest.approx(0.5, abs=0.05)


@needs_bccd
def test_real_smears_are_found_as_well_as_claimed() -> None:
    fields = sorted((SHARED / "bccd" / "JPEGImages").glob("*.jpg"))[100::16]
    images = [read_image(field) for field in fields]
    diameter = red_cell_diameter(images)
    total = {RED_CELL: DetectionScore(0, 0, 0), WHITE_CELL: DetectionScore(0, 0, 0)}
    quickest = float("inf")
    for field, image in zip(fields, images, strict=True):
        drawn = read_voc(SHARED / "bccd" / "Annotations" / f"{field.stem}.xml").boxes
        begun = time.process_time()
        found = find_cells(image, diameter)
        quickest = min(quickest, time.process_time() - begun)
        for name in total:
            total[name] += score_boxes(of_kind(found, name), [box for box in drawn if kind_of(box.name) == name])
    # Five fields; eval/smear_detection.py measures all of them.
    assert total[WHITE_CELL].f1 >= 0.85
    assert total[RED_CELL].f1 >= 0.65
    assert quickest < 1
