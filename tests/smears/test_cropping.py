"""Claims about cutting the cells of smear fields into images, and about the command that does it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from gansynth.cli import gansynth
from gansynth.data import open_dataset
from gansynth.data.picture import read_image
from gansynth.errors import InputError
from gansynth.smears import field as smear_field
from gansynth.smears.boxes import RED_CELL, WHITE_CELL, CellBox
from gansynth.smears.cropping import CropSettings, crop_smears
from gansynth.smears.cut import Surround, cut_cell
from gansynth.smears.field import refuse_large
from gansynth.smears.finding import Finder
from gansynth.smears.upscale import SuperResolution, open_super_resolution
from gansynth.smears.voc import read_voc, write_voc

from .smears import draw_smear, of_kind, save_field, usual_smear


def crop(*arguments: object) -> Result:
    return CliRunner().invoke(gansynth, ["data", "crop", *map(str, arguments)])


@pytest.fixture(scope="module")
def smears(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three fields, two of them annotated. Do not change it."""
    root = tmp_path_factory.mktemp("smears") / "slides"
    for number in range(3):
        image, boxes = usual_smear(number, 240, 48)
        save_field(image, root / "JPEGImages" / f"field{number}.png")
        if number < 2:
            write_voc(root / "Annotations" / f"field{number}.xml", boxes, f"field{number}.png", 240, 240)
    return root


@pytest.fixture(scope="module")
def cropped(smears: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cropped") / "out"
    result = crop(smears, out, "--size", 64, "--finder", "classical", "--json")
    assert result.exit_code == 0, result.output
    json.loads(result.stdout)
    return out


def test_the_crops_are_a_data_set_whose_groups_are_the_fields(smears: Path, cropped: Path) -> None:
    cells = open_dataset(cropped / "cells", size=64)
    report = json.loads((cropped / "report.json").read_text())
    assert list(cells.class_names) == [RED_CELL, WHITE_CELL]
    assert cells.counts() == report["counts"]
    assert report["counts"][WHITE_CELL] == 3
    assert set(cells.records["group"]) == {f"JPEGImages/field{number}.png" for number in range(3)}
    assert set(cells.records["origin"]) == {"real"}


def test_boxes_are_the_same_as_csv_and_as_pascal_voc(cropped: Path) -> None:
    table = pd.read_csv(cropped / "boxes.csv")
    for name, rows in table.groupby("file_name"):
        written = read_voc(cropped / "annotations" / (str(name).replace("/", "_").removesuffix(".png") + ".xml")).boxes
        assert [box.name for box in written] == list(rows["class"])
        edges = rows[["xmin", "ymin", "xmax", "ymax"]].to_numpy()
        np.testing.assert_allclose([[b.left, b.top, b.right, b.bottom] for b in written], edges, atol=0.56)
    assert all((cropped / image).is_file() for image in table["image"])


def test_what_is_found_is_scored_against_the_annotations(cropped: Path) -> None:
    report = json.loads((cropped / "report.json").read_text())
    assert report["scored"] == 2
    assert {name: score["f1"] for name, score in report["score"].items()} == {WHITE_CELL: 1.0, RED_CELL: 1.0}


@pytest.mark.parametrize(
    ("options", "finder"),
    [((), "learned"), (("--finder", "classical"), "classical"), (("--boxes", "drawn"), "people")],
)
def test_the_report_says_who_found_the_cells(
    smears: Path, tmp_path: Path, options: tuple[str, ...], finder: str
) -> None:
    result = crop(smears, tmp_path / "out", "--size", 32, *options, "--json")
    report = json.loads(result.stdout)
    assert report["finder"] == finder
    assert report["taught"] == 0
    assert sum(report["counts"].values()) == len(list((tmp_path / "out" / "cells").rglob("*.png")))


def test_every_field_has_an_overlay_of_its_size(smears: Path, cropped: Path) -> None:
    pictures = sorted((cropped / "overlays").iterdir())
    assert len(pictures) == 3
    assert all(read_image(picture).shape == (240, 240, 3) for picture in pictures)


def test_drawn_boxes_can_be_cut_instead(smears: Path, tmp_path: Path) -> None:
    report = crop_smears(smears, tmp_path / "out", CropSettings(size=32, cut_from="drawn"))
    drawn = [box for file in (smears / "Annotations").iterdir() for box in read_voc(file).boxes]
    assert report.counts == {name: len(of_kind(drawn, name)) for name in (RED_CELL, WHITE_CELL)}
    assert report.fields == 3
    assert report.empty == 1
    assert not report.score or all(score.found == 0 for score in report.score.values())


def test_an_annotation_cannot_write_outside_of_the_folder(tmp_path: Path) -> None:
    image, _ = usual_smear(0, 200, 44)
    save_field(image, tmp_path / "in" / "a.png")
    names = ["../../escaped", "/etc/cell", "..", "a\\b", "Neutrophil"]
    boxes = [CellBox(name, 10 + k, 10, 60 + k, 60) for k, name in enumerate(names)]
    write_voc(tmp_path / "in" / "a.xml", boxes, "a.png", 200, 200)
    crop_smears(tmp_path / "in", tmp_path / "deep" / "out", CropSettings(size=32, cut_from="drawn"))
    written = sorted(path for path in tmp_path.rglob("*.png") if path.name != "a.png")
    assert len(written) == len(names)
    assert all(path.parents[1] == tmp_path / "deep" / "out" / "cells" for path in written)


def test_cells_cut_by_the_border_are_marked_and_can_be_left_out(tmp_path: Path) -> None:
    image, _ = draw_smear(200, 200, [(60, 60, 44), (8, 130, 44), (130, 120, 44)])
    save_field(image, tmp_path / "in" / "a.png")
    usual = CropSettings(finder=Finder.CLASSICAL)
    every = crop_smears(tmp_path / "in", tmp_path / "every", usual, cell_diameter=44)
    whole = crop_smears(tmp_path / "in", tmp_path / "whole", replace(usual, whole_only=True), cell_diameter=44)
    assert every.counts == whole.counts == {RED_CELL: 3}
    assert (every.at_border, every.without_image) == (1, 0)
    assert (whole.at_border, whole.without_image) == (1, 1)
    assert len(list((tmp_path / "every" / "cells" / RED_CELL).iterdir())) == 3
    assert len(list((tmp_path / "whole" / "cells" / RED_CELL).iterdir())) == 2
    assert pd.read_csv(tmp_path / "whole" / "boxes.csv")["image"].isna().sum() == 1


def test_an_unreadable_field_is_named_and_the_others_are_used(smears: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "good.png").write_bytes((smears / "JPEGImages" / "field0.png").read_bytes())
    (tmp_path / "in" / "bad.png").write_bytes(b"no image")
    report = crop_smears(tmp_path / "in", tmp_path / "out")
    assert report.fields == 1
    assert [bad.path for bad in report.unreadable] == ["bad.png"]
    assert "bad.png" in report.to_text()


def test_fields_of_the_same_name_do_not_overwrite_each_other(smears: Path, tmp_path: Path) -> None:
    for name in ("a/x.png", "a_x.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes((smears / "JPEGImages" / "field0.png").read_bytes())
    report = crop_smears(tmp_path / "in", tmp_path / "out")
    assert len(list((tmp_path / "out" / "overlays").iterdir())) == 2
    assert len(list((tmp_path / "out" / "cells").rglob("*.png"))) == sum(report.counts.values())


def test_the_same_fields_give_the_same_files(smears: Path, cropped: Path, tmp_path: Path) -> None:
    crop_smears(smears, tmp_path / "again", CropSettings(size=64, finder=Finder.CLASSICAL))
    files = sorted(path.relative_to(cropped) for path in cropped.rglob("*") if path.is_file())
    assert files == sorted(p.relative_to(tmp_path / "again") for p in (tmp_path / "again").rglob("*") if p.is_file())
    for file in files:
        if file.name != "report.json":  # it names the folder
            assert (cropped / file).read_bytes() == (tmp_path / "again" / file).read_bytes(), file


@pytest.mark.parametrize(
    ("prepare", "options", "says"),
    [
        (lambda root: None, (), "no such folder"),
        (lambda root: (root / "in").mkdir(), (), "no images"),
        (lambda root: save_field(np.full((60, 60, 3), 200, np.uint8), root / "in" / "a.png"), (), "--cell-diameter"),
        (lambda root: save_field(usual_smear()[0], root / "in" / "a.png"), ("--boxes", "drawn"), "--annotations"),
        (
            lambda root: save_field(usual_smear()[0], root / "in" / "a.png"),
            ("--annotations", "absent"),
            "no such folder of Pascal VOC",
        ),
        (
            lambda root: save_field(usual_smear()[0], root / "in" / "a.png"),
            ("--super-resolution", "absent.safetensors"),
            "no such weight file",
        ),
        (
            lambda root: [(root / "in").mkdir(), (root / "in" / "a.png").write_bytes(b"x")],
            ("--cell-diameter", "40"),
            "no field can be read (a.png",
        ),
        (
            lambda root: [(root / "in").mkdir(), (root / "in" / "a.png").write_bytes(b"x")],
            (),
            "no field can be read (a.png",
        ),
    ],
)
def test_what_cannot_be_cropped_is_refused_in_one_sentence(tmp_path: Path, prepare, options, says: str) -> None:  # type: ignore[no-untyped-def]
    prepare(tmp_path)
    result = crop(tmp_path / "in", tmp_path / "out", *options)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_in_use_or_inside_the_smears_is_refused(smears: Path, cropped: Path) -> None:
    assert "not empty" in crop(smears, cropped).stderr
    assert "inside" in crop(smears, smears / "out").stderr
    assert not (smears / "out").exists()


BOX = CellBox(RED_CELL, 20, 30, 60, 62)


def test_a_cut_at_full_size_is_the_field_itself_on_black() -> None:
    image = np.random.default_rng(0).integers(1, 256, (100, 120, 3), dtype=np.uint8)
    cut = cut_cell(image, BOX, 50, 1.0, Surround.ZERO)
    np.testing.assert_array_equal(cut.pixels[9:41, 5:45], image[30:62, 20:60])
    assert (cut.pixels > 0).any(axis=2).sum() == 40 * 32
    assert cut.scale == 1


def test_a_cut_with_its_surround_shows_the_smear_and_the_slide_beyond_the_field() -> None:
    image = np.full((100, 120, 3), (240, 225, 210), dtype=np.uint8)
    image[20:60, 10:90] = np.random.default_rng(0).integers(1, 200, (40, 80, 3), dtype=np.uint8)
    inside = cut_cell(image, BOX, 50, 1.0)
    np.testing.assert_array_equal(inside.pixels, image[21:71, 15:65])
    corner = cut_cell(image, CellBox(RED_CELL, 0, 0, 20, 20), 50, 1.0)
    np.testing.assert_array_equal(corner.pixels[15:, 15:], image[:35, :35])
    assert (corner.pixels[:15] == (240, 225, 210)).all() and (corner.pixels[:, :15] == (240, 225, 210)).all()


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0, 90),
    st.floats(0, 60),
    st.floats(1, 60),
    st.floats(1, 60),
    st.floats(0.05, 8),
    st.sampled_from(Surround),
)
def test_every_cut_has_the_size_and_holds_the_whole_box(
    x: float, y: float, width: float, height: float, scale: float, surround: Surround
) -> None:
    image = np.full((80, 110, 3), 200, dtype=np.uint8)
    box = CellBox(RED_CELL, x, y, x + width, y + height).within(80, 110)
    if box.width < 1 or box.height < 1:
        return
    cut = cut_cell(image, box, 48, scale, surround)
    assert cut.pixels.shape == (48, 48, 3)
    assert cut.scale <= scale
    assert max(box.width, box.height) * cut.scale <= 48 + 1e-6
    covered = (cut.pixels == 200).all(axis=2).sum()
    expected = max(1, round(box.width * cut.scale)) * max(1, round(box.height * cut.scale))
    assert covered >= expected if surround is Surround.SMEAR else covered == expected


def test_a_network_enlarges_before_the_filter() -> None:
    image = np.random.default_rng(0).integers(0, 256, (100, 120, 3), dtype=np.uint8)
    calls = []

    def enlarge(pixels: np.ndarray) -> np.ndarray:
        calls.append(pixels.shape)
        return pixels.repeat(2, axis=0).repeat(2, axis=1)

    cut = cut_cell(image, BOX, 100, 2.0, Surround.ZERO, SuperResolution(enlarge, 2, "twice"))
    np.testing.assert_array_equal(cut.pixels[18:82, 10:90], image[30:62, 20:60].repeat(2, 0).repeat(2, 1))
    assert calls == [(48, 56, 3)]


def test_a_weight_file_of_a_published_family_is_used(smears: Path, tmp_path: Path) -> None:
    compact = pytest.importorskip("spandrel.architectures.Compact", reason="spandrel is not installed").Compact
    torch.manual_seed(0)
    file = tmp_path / "stand-in.safetensors"
    save_file(compact(num_feat=8, num_conv=2, upscale=2).state_dict(), file)
    network = open_super_resolution(file)
    assert network.factor == 2
    assert network.enlarge(np.zeros((5, 7, 3), np.uint8)).shape == (10, 14, 3)
    field = smears / "JPEGImages" / "field0.png"
    result = crop(field, tmp_path / "out", "--size", 64, "--finder", "classical", "--super-resolution", file)
    assert result.exit_code == 0, result.output
    assert list((tmp_path / "out" / "cells" / WHITE_CELL).iterdir())


def test_weights_that_no_family_has_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("spandrel", reason="spandrel is not installed")
    save_file({"a": torch.zeros(3)}, tmp_path / "other.safetensors")
    (tmp_path / "broken.pth").write_bytes(b"\x80\x04broken")
    torch.save({"a": Path("code")}, tmp_path / "code.pth")
    with pytest.raises(InputError, match="knows no network"):
        open_super_resolution(tmp_path / "other.safetensors")
    for name in ("broken.pth", "code.pth"):
        with pytest.raises(InputError, match="cannot be read as weights"):
            open_super_resolution(tmp_path / name)


def test_without_the_package_super_resolution_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", None)
    (tmp_path / "x.pth").write_bytes(b"x")
    with pytest.raises(InputError, match="pip install spandrel"):
        open_super_resolution(tmp_path / "x.pth")


def drawn_field(root: Path, boxes: list[CellBox], *, times: int = 1, suffix: str = ".xml") -> Path:
    image, _ = usual_smear(5, 200, 48)
    save_field(image, root / "a.png")
    write_voc(root / f"a{suffix}", boxes, "a.png", 200 * times, 200 * times)
    return root


def test_boxes_that_show_nothing_are_counted_also_where_drawn_boxes_are_cut(tmp_path: Path) -> None:
    good, point = CellBox(RED_CELL, 10, 10, 60, 60), CellBox(RED_CELL, 10, 10, 11, 11)
    root = drawn_field(tmp_path / "in", [good, good, point, CellBox(RED_CELL, 300, 300, 340, 340)])
    result = crop(root, tmp_path / "out", "--boxes", "drawn", "--cell-diameter", 48)
    assert result.exit_code == 0, result.output
    assert "drawn boxes left out: 3" in result.stdout and "nan" not in result.stdout
    assert len(list((tmp_path / "out" / "cells").rglob("*.png"))) == 1


def test_annotation_of_another_picture_is_left_out_and_named(tmp_path: Path) -> None:
    root = drawn_field(tmp_path / "in", [CellBox(RED_CELL, 10, 10, 60, 60)], times=2)
    refused = crop(root, tmp_path / "cut", "--boxes", "drawn", "--cell-diameter", 48)
    assert refused.exit_code == 2 and "400 x 400 pixels, and this one has 200 x 200" in refused.stderr
    found = crop(root, tmp_path / "found", "--finder", "classical", "--cell-diameter", 48)
    assert found.exit_code == 0, found.output
    assert "annotations of another picture, left out: 1" in found.stdout and "F1" not in found.stdout


def test_annotation_whose_extension_is_in_capitals_is_found(tmp_path: Path) -> None:
    root = drawn_field(tmp_path / "in", [CellBox(RED_CELL, 10, 10, 60, 60)], suffix=".XML")
    assert crop(root, tmp_path / "out", "--boxes", "drawn", "--cell-diameter", 48).exit_code == 0


def test_field_without_end_is_refused_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert smear_field.MOST_PIXELS == 26_000_000
    monkeypatch.setattr(smear_field, "MOST_PIXELS", 40_000)
    save_field(np.zeros((201, 201, 3), np.uint8), tmp_path / "in" / "a.png")
    for options in (("--cell-diameter", 48), ()):
        result = crop(tmp_path / "in", tmp_path / "out", *options)
        assert result.exit_code == 2 and "0.04 megapixels a field may have" in result.stderr
    with pytest.raises(InputError, match="check --cell-diameter"):
        refuse_large(100, 100, 4)
