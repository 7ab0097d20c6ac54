"""Claims about how finders of cells are taught and measured: never on the same fields."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import smear_detection
import smear_detector
import smear_foreign
from gansynth.data.picture import read_image
from gansynth.errors import InputError
from gansynth.files.regular import file_sha256
from gansynth.networks.cell_detector import CellDetectorNetwork
from gansynth.smears.boxes import RED_CELL, WHITE_CELL, CellBox
from gansynth.smears.detector import KINDS, CellDetector, open_detector
from gansynth.smears.voc import write_voc

CELLS = [(34, 40, 40), (100, 30, 40), (40, 110, 40), (112, 112, 64)]


@pytest.fixture(scope="module")
def smears(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten fields of three discs and a large purple one, annotated. Do not change it."""
    root = tmp_path_factory.mktemp("smears")
    y, x = np.mgrid[:160, :160] + 0.5
    for number in range(10):
        noise = np.random.default_rng(number).normal(0, 1, (160, 160, 3))
        light, boxes = np.full((160, 160, 3), 200.0), []
        for i, (cx, cy, d) in enumerate(CELLS):
            cx, cy = cx + number % 3, cy - number % 2
            colour = (105, 85, 190) if i == 3 else (190, 155, 160)
            light[np.hypot(x - cx, y - cy) <= d / 2] = colour
            kind = WHITE_CELL if i == 3 else RED_CELL
            boxes.append(CellBox(kind, cx - d / 2, cy - d / 2, cx + d / 2, cy + d / 2))
        Image.fromarray((light + noise).clip(0, 255).astype(np.uint8)).save(root / f"f{number}.png")
        write_voc(root / f"f{number}.xml", boxes, f"f{number}.png", 160, 160)
    return root


def test_both_finders_are_scored_on_fields_that_chose_nothing_and_on_the_others(smears: Path) -> None:
    figures = smear_detection.measure(smears, open_detector())
    assert set(figures["finders"]) == {"learned", "classical"}
    for kind, drawn in ((RED_CELL, 3), (WHITE_CELL, 1)):
        for parts in (one["parts"] for one in figures["finders"].values()):
            assert parts["test"][kind]["0.5"]["drawn"] == parts["chosen on"][kind]["0.5"]["drawn"] == 5 * drawn
        assert figures["finders"]["classical"]["parts"]["test"][kind]["0.5"]["f1"] == 1
    rows = [line.split(" | ") for line in smear_detection.markdown(figures).splitlines() if line.startswith("| ")]
    assert [row[0].strip("| ") for row in rows[:9]] == ["cells", *[WHITE_CELL] * 4, *[RED_CELL] * 4]
    assert [row[1] for row in rows[1:9]] == ["learned", "classical"] * 4


def test_a_detector_that_learned_from_a_test_field_is_not_measured(smears: Path) -> None:
    taught = replace(open_detector(), info={"training_sha256": [file_sha256(smears / "f3.png")]})
    with pytest.raises(InputError, match=r"f3\.png: taught the detector"):
        smear_detection.measure(smears, taught)


def test_the_detector_is_taught_on_fields_in_even_places_only(smears: Path, tmp_path: Path) -> None:
    detector = smear_detector.trained(smears, 2, 0, tmp_path / "out")
    assert detector.info["training_fields"] == [f"f{number}.png" for number in (0, 2, 4, 6, 8)]
    assert detector.info["training_boxes"] == {WHITE_CELL: 5, RED_CELL: 15}
    assert [detector.learned_from(smears / f"f{number}.png") for number in range(4)] == [True, False, True, False]
    assert open_detector(tmp_path / "out").info["steps"] == 2
    assert detector.info["steps"] == 3
    again = smear_detector.trained(smears, 4, 0, tmp_path / "again", tmp_path / "out")
    assert again.info["steps"] == 2 + 2


def test_pictures_of_another_laboratory_ask_for_the_cell_in_their_middle(smears: Path) -> None:
    field = read_image(smears / "f0.png")
    pictures = {"lymphocyte": [field[64:160, 64:160]], "none": [field[:80, :72]]}  # the white cell's middle is 112, 112
    text = smear_foreign.markdown(pictures, open_detector(), 40)
    rows = {row.split(" | ")[0].strip("| "): row.strip("| ").split(" | ")[1:] for row in text.splitlines()[4:]}
    assert rows["class"] == ["pictures", *smear_foreign.WAYS]
    assert [rows[name][2] for name in ("lymphocyte", "none", "all")] == ["1", "0", "1"]
    assert [rows[name][3] for name in ("lymphocyte", "none", "all")] == ["1", "0", "1"]


def test_too_few_fields_are_refused(tmp_path: Path, smears: Path) -> None:
    for number in range(3):
        for suffix in ("png", "xml"):
            (tmp_path / f"f{number}.{suffix}").write_bytes((smears / f"f{number}.{suffix}").read_bytes())
    empty = CellDetector(CellDetectorNetwork(2, 4).eval(), dict.fromkeys(KINDS, 0.5), {})
    with pytest.raises(InputError, match="fewer than four fields"):
        smear_detection.measure(tmp_path, empty)
    with pytest.raises(InputError, match="fewer than ten fields"):
        smear_detector.trained(tmp_path, 1, 0, tmp_path / "out")
