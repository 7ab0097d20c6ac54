"""Claims about the learned finder of cells: what it is taught, how it answers, and how it is kept."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from gansynth.cli import run
from gansynth.data.picture import read_image
from gansynth.errors import InputError
from gansynth.networks.cell_detector import CellDetectorNetwork
from gansynth.smears.boxes import RED_CELL, WHITE_CELL, CellBox, DetectionScore, score_boxes
from gansynth.smears.cropping import CropSettings, crop_smears
from gansynth.smears.detector import INFO, KINDS, UNIT, WEIGHTS, CellDetector, candidates, open_detector
from gansynth.smears.detector_fields import DrawnField, WantedMaps, drawn_field, seen_otherwise, wanted_maps
from gansynth.smears.detector_training import best_thresholds, detection_loss, train_detector
from gansynth.smears.diameter import red_cell_diameter
from gansynth.smears.finding import Finder
from gansynth.smears.folder import FieldFile, list_fields
from gansynth.smears.voc import kind_of, read_voc

from ..data.trees import SHARED
from .smears import draw_smear, of_kind

needs_bccd = pytest.mark.skipif(not (SHARED / "bccd").is_dir(), reason="the shared data folder is not here")


def field_of(boxes: list[CellBox], height: int = 96, width: int = 128, density: float = 0.3) -> DrawnField:
    """Return a field in which every box is filled with stain."""
    picture = torch.zeros(3, height, width)
    for box in boxes:
        picture[:, round(box.top) : round(box.bottom), round(box.left) : round(box.right)] = density
    edges = torch.tensor([[box.left, box.top, box.right, box.bottom] for box in boxes]).reshape(-1, 4)
    return DrawnField(picture, edges, torch.tensor([KINDS.index(box.name) for box in boxes], dtype=torch.int64))


class Answers(torch.nn.Module):
    """A network that has learned everything: it answers the maps that were wanted, of a field that is `ruled`."""

    def __init__(self, maps: WantedMaps) -> None:
        super().__init__()
        self.maps = maps

    def forward(self, density: Tensor) -> tuple[Tensor, Tensor]:
        column, row = density[0, 0], density[0, 1]
        centres, (left, top, right, bottom) = self.maps.centres, self.maps.edges
        if column[0, 0] == column[0, -1]:  # the field lies on its side
            column, row = row, column
            centres = centres.transpose(1, 2)
            left, top, right, bottom = top.T, left.T, bottom.T, right.T
        edges = torch.stack([left, top, right, bottom])
        if column[0, 0] > column[0, -1]:
            centres, edges = centres.flip(2), edges.flip(2)[[2, 1, 0, 3]]
        if row[0, 0] > row[-1, 0]:
            centres, edges = centres.flip(1), edges.flip(1)[[0, 3, 2, 1]]
        return centres.logit(1e-6)[None], edges[None]


def ruled(height: int, width: int) -> Tensor:
    """Return a picture that says of every pixel where it lies."""
    row, column = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([column, row, torch.zeros_like(row)]).float()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(12, 44), st.integers(12, 44), st.sampled_from(KINDS)), min_size=1, max_size=6))
def test_whoever_answers_the_wanted_maps_finds_the_drawn_boxes(shapes: list[tuple[int, int, str]]) -> None:
    drawn = [
        CellBox(kind, 48 * (i % 3) + 1, 48 * (i // 3) + 2, 48 * (i % 3) + 1 + w, 48 * (i // 3) + 2 + h)
        for i, (w, h, kind) in enumerate(shapes)
    ]
    field = field_of(drawn, 96, 144)
    found = candidates(Answers(wanted_maps(field)), ruled(96, 144))  # type: ignore[arg-type]
    sure = [box for box in found if box.score > 0.99]
    assert len(sure) == len(drawn)
    for kind in KINDS:
        assert score_boxes(of_kind(sure, kind), of_kind(drawn, kind), 0.98).f1 in (
            1,
            pytest.approx(math.nan, nan_ok=True),
        )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_a_box_stays_on_its_cell_however_the_field_is_seen(seed: int, tall: bool) -> None:
    field = field_of([CellBox(RED_CELL, 30, 20, 78, 60)], density=1.0)
    canvas = (160, 112) if tall else (112, 160)
    seen = seen_otherwise(field, *canvas, np.random.default_rng(seed))
    assert seen.density.shape == (3, *canvas)
    rows, columns = np.nonzero(seen.density.mean(dim=0).numpy() > 0.25)
    left, top, right, bottom = seen.edges[0].tolist()
    expected = [max(left, 0), max(top, 0), min(right, canvas[1]), min(bottom, canvas[0])]
    assert [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] == pytest.approx(expected, abs=2)


def test_all_eight_orientations_are_seen() -> None:
    corner = field_of([CellBox(RED_CELL, 0, 0, 30, 20)], 96, 128)
    quadrants = set()
    for seed in range(40):
        tall = seed % 2 == 1
        seen = seen_otherwise(corner, *((160, 112) if tall else (112, 160)), np.random.default_rng(seed))
        left, top, right, bottom = seen.edges[0].tolist()
        height, width = seen.density.shape[1:]
        quadrants.add((tall, left + right > width, top + bottom > height))
    assert len(quadrants) == 8


def test_a_cell_of_which_little_is_seen_is_neither_wanted_nor_wrong() -> None:
    drawn = field_of([CellBox(RED_CELL, 40, 30, 80, 70), CellBox(RED_CELL, -30, 30, 10, 70)])
    maps = wanted_maps(drawn)
    assert int((maps.centres == 1).sum()) == 1
    assert not maps.counts[:, 8:17, 0:2].any()
    assert maps.counts.mean() > 0.9


def test_a_field_in_which_nobody_drew_red_cells_says_nothing_about_them() -> None:
    white = CellBox(WHITE_CELL, 30, 20, 90, 80)
    field = drawn_field(np.full((128, 128, 3), 200, np.uint8), [white], 40)
    assert not wanted_maps(field).counts[KINDS.index(RED_CELL)].any()
    both = drawn_field(np.full((128, 128, 3), 200, np.uint8), [white, CellBox(RED_CELL, 90, 80, 120, 120)], 40)
    assert wanted_maps(both).counts.all()
    assert wanted_maps(drawn_field(np.full((64, 64, 3), 200, np.uint8), [], 40)).counts[KINDS.index(WHITE_CELL)].all()


def test_the_loss_is_that_of_the_paper() -> None:
    generator = torch.Generator().manual_seed(0)
    maps = wanted_maps(field_of([CellBox(RED_CELL, 10, 10, 50, 40), CellBox(WHITE_CELL, 60, 20, 120, 90)]))
    logits = torch.randn(1, *maps.centres.shape, generator=generator)
    distances = torch.rand(1, *maps.edges.shape, generator=generator)
    focal, away, weight = 0.0, 0.0, 0.0
    for kind in range(len(KINDS)):
        for y in range(24):
            for x in range(32):
                p, wanted = float(logits[0, kind, y, x].sigmoid()), float(maps.centres[kind, y, x])
                focal -= (1 - p) ** 2 * math.log(p) if wanted == 1 else (1 - wanted) ** 4 * p**2 * math.log(1 - p)
    for y in range(24):
        for x in range(32):
            off = float((distances[0, :, y, x] - maps.edges[:, y, x]).abs().mean())
            away, weight = away + off * float(maps.weight[y, x]), weight + float(maps.weight[y, x])
    assert float(detection_loss(logits, distances, [maps])) == pytest.approx(focal / 2 + away / weight, rel=1e-4)


def test_distances_are_wanted_in_radii_of_a_red_cell() -> None:
    maps = wanted_maps(field_of([CellBox(RED_CELL, 30, 10, 70, 50)]))
    y, x = (maps.centres[KINDS.index(RED_CELL)] == 1).nonzero()[0].tolist()
    middle = [4 * x + 2, 4 * y + 2]
    expected = [(middle[0] - 30) / UNIT, (middle[1] - 10) / UNIT, (70 - middle[0]) / UNIT, (50 - middle[1]) / UNIT]
    assert maps.edges[:, y, x].tolist() == pytest.approx(expected)


def small_smear(seed: int) -> tuple[np.ndarray, list[CellBox]]:
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-4, 4, (2, 4))
    red = [(28 + x[0], 30 + y[0], 40), (80 + x[1], 26 + y[1], 38), (30 + x[2], 84 + y[2], 42)]
    return draw_smear(128, 128, red, [(88 + x[3], 88 + y[3], 70)], seed)


@pytest.fixture(scope="module")
def taught() -> tuple[CellDetectorNetwork, list[DrawnField]]:
    """A network that has learned from twelve drawings, and them."""
    fields = [drawn_field(*small_smear(seed), 40) for seed in range(12)]
    return train_detector(fields, 60, width=8, rate=4e-3), fields


def test_what_is_learned_from_drawings_is_found_in_another_drawing(
    taught: tuple[CellDetectorNetwork, list[DrawnField]],
) -> None:
    network, fields = taught
    detector = CellDetector(network, best_thresholds(network, fields), {})
    total = DetectionScore(0, 0, 0)
    for seed in range(100, 106):
        image, drawn = small_smear(seed)
        found = detector.find_cells(image, 40)
        assert found == sorted(found, key=lambda box: (KINDS.index(box.name), box.left, box.top))
        for kind in KINDS:
            total += score_boxes(of_kind(found, kind), of_kind(drawn, kind))
    assert total.f1 > 0.9


def test_the_same_cells_are_found_however_the_slide_lay(
    taught: tuple[CellDetectorNetwork, list[DrawnField]],
) -> None:
    density = taught[1][0].density[:, :112, :80]
    upright = candidates(taught[0], density)
    assert len(upright) >= 4
    lain = {(b.name, b.top, b.left, b.bottom, b.right) for b in candidates(taught[0], density.transpose(1, 2))}
    turned = candidates(taught[0], density.flip(1, 2))
    height, width = density.shape[1:]
    for box in upright:
        edges = np.array([box.left, box.top, box.right, box.bottom])
        assert any(np.allclose(edges, other[1:], atol=1e-3) for other in lain if other[0] == box.name)
        across = [width - box.right, height - box.bottom, width - box.left, height - box.top]
        found = [(b.left, b.top, b.right, b.bottom) for b in turned if b.name == box.name]
        assert any(np.allclose(across, other, atol=1e-3) for other in found)


def test_equal_seeds_teach_equally_and_the_callers_chance_is_left_alone() -> None:
    fields = [drawn_field(*small_smear(seed), 40) for seed in range(2)]
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, again, other = (train_detector(fields, 2, width=4, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), again.state_dict().values(), strict=True))
    assert not torch.equal(first.stem[0].weight, other.stem[0].weight)


def test_fields_without_boxes_teach_nothing() -> None:
    with pytest.raises(InputError, match="learns from drawn boxes"):
        train_detector([field_of([])], 1)


def test_a_kept_detector_finds_the_same(taught: tuple[CellDetectorNetwork, list[DrawnField]], tmp_path: Path) -> None:
    detector = CellDetector(taught[0], {RED_CELL: 0.25, WHITE_CELL: 0.5}, {"seed": 3})
    detector.save(tmp_path / "kept")
    again = open_detector(tmp_path / "kept")
    assert (again.thresholds, again.info) == (detector.thresholds, {"seed": 3})
    image, _ = small_smear(7)
    score = score_boxes(detector.find_cells(image, 40), again.find_cells(image, 40), 0.95)
    assert score.hits == score.found == score.drawn > 0


def test_the_finder_runs_on_the_device_that_is_asked_for(tmp_path: Path) -> None:
    image, _ = small_smear(200)
    (tmp_path / "in").mkdir()
    Image.fromarray(image).save(tmp_path / "in" / "field.png")
    words = ["data", "crop", str(tmp_path / "in"), "--cell-diameter", "40"]
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        assert run([*words, "--device", device, "--out", str(tmp_path / device)]) == 0
        assert open_detector(device=device).device.type == device
    if torch.cuda.is_available():
        by_cpu, by_gpu = (open_detector(device=device).find_cells(image, 40) for device in ("cpu", "cuda"))
        score = score_boxes(by_cpu, by_gpu, 0.95)
        assert score.hits == score.found == score.drawn > 0
    else:
        assert run([*words, "--device", "cuda", "--out", str(tmp_path / "gpu")]) == 2
        assert not (tmp_path / "gpu").exists()


def test_a_finder_of_ones_own_is_asked_and_nothing_else_is_taken_for_one(
    taught: tuple[CellDetectorNetwork, list[DrawnField]], tmp_path: Path
) -> None:
    image, _ = small_smear(200)
    (tmp_path / "in").mkdir()
    Image.fromarray(image).save(tmp_path / "in" / "field.png")
    own = CellDetector(taught[0], best_thresholds(*taught), {})
    own.save(tmp_path / "own")
    settings = CropSettings(detector=tmp_path / "own")
    report = crop_smears(tmp_path / "in", tmp_path / "out", settings, cell_diameter=40)
    assert report.counts == Counter(box.name for box in own.find_cells(image, 40)) and sum(report.counts.values()) > 2
    for wrong, says in (
        (CropSettings(detector=tmp_path / "in"), "is not a cell detector"),
        (CropSettings(detector="another"), "the zoo has bccd-detector"),
        (CropSettings(detector=tmp_path / "own", finder=Finder.CLASSICAL), "classical finder is asked; leave out one"),
    ):
        with pytest.raises(InputError, match=says):
            crop_smears(tmp_path / "in", tmp_path / "not", wrong, cell_diameter=40)
    assert not (tmp_path / "not").exists()


def _cut(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-7])


def _edit(folder: Path, **changes: object) -> None:
    info = json.loads((folder / INFO).read_text())
    (folder / INFO).write_text(json.dumps({**info, **changes}))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: (folder / INFO).unlink(), "is not a cell detector"),
        (lambda folder: (folder / INFO).write_text("{"), "cut off or edited"),
        (lambda folder: (folder / INFO).write_text("[]"), "cut off or edited"),
        (lambda folder: _edit(folder, thresholds={"RBC": 0.3}), "cut off or edited"),
        (lambda folder: _edit(folder, width="wide"), "cut off or edited"),
        (lambda folder: _edit(folder, kinds=["cat", "dog"]), "another detector"),
        (lambda folder: _edit(folder, width=12), "does not fit"),
        (_cut, "is not the file"),
        (lambda folder: (folder / WEIGHTS).unlink(), "no such file"),
    ],
)
def test_a_spoilt_detector_is_refused(tmp_path: Path, spoil, says: str) -> None:  # type: ignore[no-untyped-def]
    CellDetector(CellDetectorNetwork(2, 4), dict.fromkeys(KINDS, 0.5), {}).save(tmp_path / "kept")
    spoil(tmp_path / "kept")
    with pytest.raises(InputError, match=says):
        open_detector(tmp_path / "kept")


def test_a_name_that_the_zoo_has_not_is_refused() -> None:
    with pytest.raises(InputError, match="the zoo has bccd-detector"):
        open_detector("absent")


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_a_field_of_one_colour_has_no_cells(colour: int) -> None:
    assert open_detector().find_cells(np.full((90, 100, 3), colour, dtype=np.uint8), 40) == []


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (30, 30)])
def test_a_field_smaller_than_a_cell_is_no_error(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    for box in open_detector().find_cells(noise, 40):
        assert 0 <= box.left < box.right <= shape[1]
        assert 0 <= box.top < box.bottom <= shape[0]


def test_a_field_without_a_red_cell_needs_a_diameter() -> None:
    image, _ = draw_smear(120, 160, [])
    with pytest.raises(InputError, match="no red cell lies alone"):
        open_detector().find_cells(image)


def test_the_shipped_detector_is_small() -> None:
    folder = Path(__file__).parents[2] / "models" / "bccd-detector"
    assert sum(file.stat().st_size for file in folder.iterdir()) < 2 * 2**20


@pytest.fixture(scope="module")
def fields() -> list[FieldFile]:
    return list_fields(SHARED / "bccd")


@pytest.fixture(scope="module")
def diameter(fields: list[FieldFile]) -> float:
    measured = red_cell_diameter(read_image(field.path) for field in fields[::20])
    assert measured is not None
    return measured


@needs_bccd
def test_the_shipped_detector_knows_the_fields_it_learned_from(fields: list[FieldFile]) -> None:
    detector = open_detector()
    assert not any(detector.learned_from(field.path) for field in fields[1::2])
    assert all(detector.learned_from(field.path) for field in fields[::2])


@needs_bccd
def test_cells_of_held_out_real_fields_are_found_as_well_as_claimed(fields: list[FieldFile], diameter: float) -> None:
    detector = open_detector()
    total = {kind: DetectionScore(0, 0, 0) for kind in KINDS}
    quickest = math.inf
    for field in fields[1::4]:
        image, drawn = read_image(field.path), read_voc(field.annotation).boxes  # type: ignore[arg-type]
        begun = time.process_time()
        found = detector.find_cells(image, diameter)
        quickest = min(quickest, time.process_time() - begun)
        for kind in KINDS:
            total[kind] += score_boxes(of_kind(found, kind), [box for box in drawn if kind_of(box.name) == kind])
    # 45 fields; eval/smear_detection.py measures all of them.
    assert total[WHITE_CELL].f1 >= 0.95
    assert total[RED_CELL].f1 >= 0.7
    assert quickest < 1


@needs_bccd
@pytest.mark.parametrize("factor", [0.6, 1.5])
def test_the_magnification_changes_little(fields: list[FieldFile], diameter: float, factor: float) -> None:
    image = read_image(fields[3].path)
    size = round(image.shape[1] * factor), round(image.shape[0] * factor)
    resized = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))
    found = open_detector().find_cells(image, diameter)
    there = [
        CellBox(box.name, *(edge / factor for edge in (box.left, box.top, box.right, box.bottom)))
        for box in open_detector().find_cells(resized, diameter * factor)
    ]
    assert score_boxes(there, found, 0.7).f1 > 0.85


@needs_bccd
@pytest.mark.parametrize("gain", [(1.0, 0.9, 0.8), (0.85, 0.95, 1.05), (0.75, 0.75, 0.75)])
def test_the_white_balance_changes_little(
    fields: list[FieldFile], diameter: float, gain: tuple[float, float, float]
) -> None:
    image = read_image(fields[5].path)
    tinted = np.clip(image * np.array(gain), 0, 255).astype(np.uint8)
    detector = open_detector()
    score = score_boxes(detector.find_cells(tinted, diameter), detector.find_cells(image, diameter), 0.7)
    assert score.f1 > 0.85


@needs_bccd
def test_a_score_on_fields_that_taught_the_finder_says_so(fields: list[FieldFile], tmp_path: Path) -> None:
    for field in fields[:3]:
        for file in (field.path, field.annotation):
            assert file is not None
            (tmp_path / "in" / file.name).parent.mkdir(exist_ok=True)
            (tmp_path / "in" / file.name).write_bytes(file.read_bytes())
    report = crop_smears(tmp_path / "in", tmp_path / "out", cell_diameter=93)
    assert (report.scored, report.taught) == (3, 2)
    assert "2 of these fields taught the learned finder" in report.to_text()
