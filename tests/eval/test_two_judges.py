"""Claims about the tables that hold a generator against judges of two families."""

from __future__ import annotations

from pathlib import Path

import pytest

from gansynth.metrics.estimate import Estimate
from gansynth.studies.quality.controls import TITLES
from gansynth.studies.quality.result import About, Controls, Counts, Memorisation, Quality, RealSide, SyntheticSide
from two_judges import images_of, summary, summary_row, tables


def book(cell: float, lite: float, distance: float) -> dict[str, Estimate]:
    """Figures of a class: recognised by either family, and its distance in both."""
    return {
        "recall": Estimate(cell, 20, floor=0.8),
        "recognised-lite2": Estimate(lite, 20, floor=0.8),
        "recognised-worse": Estimate(min(cell, lite) / 0.8, 20, floor=1.0),
        "KD-cell": Estimate(distance, 20, floor=0.0),
        "KD-lite2": Estimate(2 * distance, 20, floor=0.0),
        "diversity-cell": Estimate(9.0, 20, floor=10.0),
        "diversity-white-lite2": Estimate(3.0, 20, floor=10.0),
        "copies": Estimate(0.0, 20),
    }


@pytest.fixture
def found() -> Quality:
    classes = {"basophil": book(0.8, 0.0, 1.0), "eosinophil": book(0.4, 0.8, 3.0)}
    spoiled = {name: {"recall": Estimate(0.5, 9), "KD-lite2": Estimate(k, 9)} for k, name in enumerate(classes, 4)}
    control = Controls(spoiled["basophil"], spoiled)
    about = About(
        RealSide("real", 40, 20, 20), SyntheticSide("synthetic", 40), 64, 0, "random", None, tuple(classes),
        {name: Counts(10, 10, 20, 10) for name in classes}, Memorisation(False, 0.5),
    )  # fmt: skip
    controls = dict.fromkeys(TITLES, control)
    return Quality(book(0.6, 0.4, 0.5), classes, about=about, warnings=["few images"], controls=controls)


def test_every_class_stands_beside_spoiled_real_cells(found: Quality) -> None:
    lines = tables("a", found, "-lite2").splitlines()
    basophil = next(line for line in lines if line.startswith("| basophil"))
    assert "| 0.80 (0.50; 0.50; 0.50) | 1.00 (-; -; -) | 0.90, - |" in basophil
    assert "| 0.00 (-; -; -) | 2 (4; 4; 4) | -, 0.30 |" in basophil
    assert "- few images" in lines


def test_the_last_row_has_the_mean_of_the_classes_distances_not_the_distance_of_all(found: Quality) -> None:
    mean = next(line for line in tables("a", found, "-lite2").splitlines() if line.startswith("| mean"))
    assert "4 (4.50; 4.50; 4.50)" in mean and "2 (-; -; -)" in mean


def test_a_generator_is_summed_up_by_its_worst_class(found: Quality) -> None:
    row = summary_row("a", found, "-lite2")
    assert row[0] == "a" and "0.00 basophil" in row
    assert len({line.count("|") for line in summary([row]).strip().splitlines()}) == 1


def test_without_a_pretrained_judge_its_columns_are_dashes(found: Quality) -> None:
    row = summary_row("a", found, "")
    assert row[4] == "-" and len(row) == len(summary_row("a", found, "-lite2"))


def test_a_run_generates_and_a_folder_is_taken_as_it_is(tiny_run_folder: Path, tmp_path: Path) -> None:
    folder, run = images_of(str(tiny_run_folder), tmp_path, 2, 0, "cpu")
    assert run is not None and len(list(folder.rglob("*.png"))) == 2 * len(run.class_names)
    assert images_of(str(tiny_run_folder), tmp_path, 2, 0, "cpu")[0] == folder
    assert images_of(str(folder), tmp_path, 2, 0, "cpu") == (folder, None)
