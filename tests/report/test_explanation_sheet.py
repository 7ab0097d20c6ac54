"""Claims about what `gansynth explain` writes, from the command line to the pictures."""

from __future__ import annotations

import csv
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from gansynth.classifiers import train_classifier
from gansynth.classifiers.explain.files import ExplainedFile, Looked, shares_by_class, shares_of
from gansynth.cli import gansynth
from gansynth.cli.tables import shares_table
from gansynth.data.phantom import phantom_dataset
from gansynth.recipes.classifier import load_classifier_recipe
from gansynth.report.explain.sheet import TILE, explanation_sheet, heat, overlay


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, module_on_one_thread: None) -> Path:
    """Two runs ("before" and "after"), and "cells" with three images, one that is none, and one that was trained on."""
    folder = tmp_path_factory.mktemp("explain")
    cells = phantom_dataset({"eosinophil": 8, "lymphocyte": 8}, size=64)
    small = phantom_dataset({"eosinophil": 8, "lymphocyte": 8}, size=32)
    changes = ("resolution=32", "network.channels=[4, 4, 4, 8]", "training.epochs=2", "training.batch_size=8")
    for name, kind in (("before", "sequential-cnn"), ("after", "custom-cnn")):
        recipe = load_classifier_recipe(kind, changes)
        train_classifier(small, recipe, folder / name, validation=small, device="cpu", progress=False)
    (folder / "cells").mkdir()
    for k, image in enumerate((*cells.images[:2], cells.images[8])):
        Image.fromarray(image.transpose(1, 2, 0)).save(folder / "cells" / f"{k}.png")
    return folder


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(gansynth, ["explain", *map(str, arguments), "--device", "cpu"])


def test_before_and_after_side_by_side_with_the_numbers(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ("--before", place / "before", "--class", "lymphocyte", "--out", out, "--json")
    result = call(place / "after", place / "cells", *asked)
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said == json.loads((out / "explanations.json").read_text())
    assert said["method"] == "grad-cam" and len(said["images"]) == 3
    one = said["images"][0]
    assert one["class"] == "lymphocyte" and one["before"]["predicted"] in ("eosinophil", "lymphocyte")
    known = [i["share_in_cell"] for i in said["images"] if i["share_in_cell"] is not None]
    if known:
        assert said["share_in_cell"]["value"] == pytest.approx(np.mean(known), abs=1e-5)
    both = [
        i["share_in_cell"] - i["before"]["share_in_cell"]
        for i in said["images"]
        if None not in (i["share_in_cell"], i["before"]["share_in_cell"])
    ]
    assert said["difference"]["n"] == len(both)
    with (out / "explanations.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [i["file"] for i in said["images"]]
    assert all((out / row["picture"]).is_file() for row in rows)
    assert Image.open(out / rows[0]["picture"]).size == (3 * 64 + 4, 64)  # original, before, after
    assert Image.open(out / "sheet.png").width > 3 * TILE


@pytest.mark.parametrize("method", ["guided-grad-cam", "score-cam"])
def test_one_run_by_every_method(place: Path, tmp_path: Path, method: str) -> None:
    result = call(place / "after", place / "cells" / "0.png", "--method", method, "--out", tmp_path, "--channels", "3")
    assert result.exit_code == 0, result.output
    assert f"wrote {tmp_path}" in result.output and (tmp_path / "sheet.png").is_file()


def test_what_cannot_be_explained_is_one_sentence(place: Path, tmp_path: Path) -> None:
    cells = place / "cells"
    for arguments, sentence in (
        ((place / "before", cells, "--method", "guided-grad-cam"), "sequential-cnn: has LeakyReLU"),
        ((place / "after", cells, "--class", "basophil"), "no class 'basophil'; did you mean 'eosinophil'?"),
        ((place / "after", place / "nowhere.png"), "no such file or folder"),
        ((place / "cells", cells), "is not the run of a classifier"),
    ):
        result = call(*arguments, "--out", tmp_path / "out")
        assert result.exit_code == 2 and sentence in result.stderr, result.output
        assert not (tmp_path / "out").exists()
    (tmp_path / "mine.txt").write_text("mine")
    result = call(place / "after", cells, "--out", tmp_path)
    assert result.exit_code == 2 and "not empty" in result.stderr


def test_a_file_that_is_no_image_is_told_and_the_others_are_explained(place: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    result = call(place / "after", broken, place / "cells" / "1.png", "--out", tmp_path / "out")
    assert result.exit_code == 2 and "1 of 2 files could not be explained" in result.stderr
    said = json.loads((tmp_path / "out" / "explanations.json").read_text())
    assert "not an image" in said["images"][0]["error"] and said["images"][1]["predicted"]
    result = call(place / "after", broken, "--out", tmp_path / "none")
    assert result.exit_code == 2 and "1 of 1 files" in result.stderr


def looked(share: float) -> Looked:
    return Looked("a", 0.5, share, np.ones((8, 8), np.float32), None, False)


def explained(after: float, before: float | None, problem: str = "") -> ExplainedFile:
    cell = np.zeros((8, 8), bool)
    cell[:4] = True
    earlier = None if before is None else looked(before)
    return ExplainedFile("f", "a", np.full((3, 8, 8), 200, np.uint8), cell, problem, looked(after), earlier)


def test_the_difference_is_taken_on_the_same_images() -> None:
    shares = shares_of(
        [explained(0.6, 0.5), explained(0.8, 0.5), explained(0.9, math.nan), ExplainedFile("x", error="e")]
    )
    assert shares.after.value == pytest.approx(0.7667, abs=1e-3) and shares.after.n == 3
    assert shares.difference is not None and shares.difference.n == 2
    assert shares.difference.value == pytest.approx(0.2)
    assert shares.area.value == 0.5
    alone = shares_of([explained(0.6, None, problem="no cell was found")])
    assert alone.before is None and alone.difference is None and alone.area.value is None


def test_classes_are_kept_apart_where_pooling_would_turn_the_sign() -> None:
    """In two of three classes less of the attribution lies in the cell, and over all images more."""
    small = [replace(explained(0.1, None if k else 0.2), class_name="small") for k in range(1)]
    large = [replace(explained(0.8, 0.9), class_name="large") for _ in range(3)]
    gained = [replace(explained(0.7, 0.1), class_name="gained")]
    by_class = shares_by_class([*small, *large, *gained])
    signs = {name: one.difference.value for name, one in by_class.items() if one.difference is not None}
    assert signs == pytest.approx({"small": -0.1, "large": -0.1, "gained": 0.6})
    table = shares_table([*small, *large, *gained])
    assert "all images" in table and "do not agree on the sign" in table
    assert "do not agree" not in shares_table([*small, *large])


def test_before_and_after_are_asked_about_the_class_of_the_folder(place: Path, tmp_path: Path) -> None:
    cells = tmp_path / "test" / "lymphocyte"
    shutil.copytree(place / "cells", cells)
    result = call(place / "after", cells, "--before", place / "before", "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert {(one["true_class"], one["class"]) for one in said["images"]} == {("lymphocyte", "lymphocyte")}
    assert list(said["classes"]) == ["lymphocyte"]


def test_colours_tell_more_from_less_and_the_picture_shows_through() -> None:
    least, most = heat(np.zeros((1, 1)))[0, 0], heat(np.ones((1, 1)))[0, 0]
    assert least[2] > least[0] and most[0] > most[2]  # blue, red
    white = np.full((3, 16, 16), 255, np.uint8)
    faint = np.asarray(overlay(white, np.zeros((16, 16)), edge=16), np.int64)
    strong = np.asarray(overlay(white, np.ones((16, 16)), edge=16), np.int64)
    assert faint.sum() > strong.sum() > 0
    cell = np.zeros((16, 16), bool)
    cell[4:12, 4:12] = True
    outlined = np.asarray(overlay(white * 0, np.ones((16, 16)), cell, edge=16))
    assert (outlined[4, 4] == 255).all() and (outlined[8, 8] != 255).any()


def test_a_sheet_has_two_columns_of_cards_and_needs_an_image() -> None:
    many = explanation_sheet([explained(0.5, 0.4)] * 9, "after", "before")
    few = explanation_sheet([explained(0.5, 0.4)] * 2, "after", "before")
    assert many.width > 1.9 * few.width and many.height > 2 * few.height
    with pytest.raises(ValueError, match="no explained image"):
        explanation_sheet([ExplainedFile("x", error="e")])
