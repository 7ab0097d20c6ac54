"""Claims about the tables of two families of judges, and about what the page says first of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gansynth.report.quality.families import families_section
from gansynth.report.quality.page import write_quality_page
from gansynth.report.quality.verdict import key_figures, verdict
from gansynth.studies.quality.controls import TITLES
from gansynth.studies.quality.result import Quality

from .study_folders import NAMES, write_quality_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A generator that pleases the cell encoder only."""
    place = write_quality_folder(tmp_path / "quality", good=1)
    facts = json.loads((place / "results.json").read_text(encoding="utf-8"))

    def one(value: float, floor: float | None = None) -> dict[str, object]:
        found = {"value": value, "n": 100, "interval": [value - 0.03, value + 0.03], "floor": floor}
        return found if floor is None else {**found, "floor_n": 200}

    for book in (facts["metrics"], *facts["classes"].values()):
        book["recognised-lite2"], book["KD-lite2"] = one(0.06, 0.79), one(5.2, 0.0)
        book["recognised-worse"] = one(0.08, 1.0)
    row = {
        name: one(k) for name, k in (("recall", 0.71), ("recognised-lite2", 0.42), ("KD-cell", 0.6), ("KD-lite2", 5.6))
    }
    facts["controls"] = {name: {"metrics": row, "classes": dict.fromkeys(NAMES, row)} for name in TITLES}
    (place / "results.json").write_text(json.dumps(facts), encoding="utf-8")
    return place


def test_synthetic_and_spoiled_real_cells_stand_in_one_row_for_each_family(folder: Path) -> None:
    recognised, distance = families_section(Quality.read(folder))[0].blocks
    assert list(recognised.head) == [
        "class", "Recall: synthetic", *TITLES.values(), "Recognised (Lite2): synthetic", *TITLES.values()
    ]  # fmt: skip
    assert [row.name for row in recognised.rows] == [*NAMES, "all classes together"]
    texts = [cell.text for cell in recognised.rows[0].cells]
    assert texts[4:] == ["6.0%", "42.0%", "42.0%", "42.0%"]
    assert distance.head[5] == "KD-lite2: synthetic" and distance.rows[0].cells[4].text == "5.20"


def test_the_page_says_first_what_the_second_family_says(folder: Path) -> None:
    results = Quality.read(folder)
    said = verdict(results)
    assert "lack the texture" in said and "pretrained on natural images recognises 6.0%; of real cells, 79.0%" in said
    assert any(value == "6.0%" and "8%" in meaning for value, meaning in key_figures(results))
    assert "Two families of judges" in write_quality_page(folder).read_text(encoding="utf-8")


def test_a_study_without_controls_has_no_such_table(tmp_path: Path) -> None:
    assert families_section(Quality.read(write_quality_folder(tmp_path / "quality"))) == []
