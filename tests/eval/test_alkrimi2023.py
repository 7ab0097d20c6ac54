"""The study of alkrimi2023: its constants sum up where the paper's do, and it runs on any cells of its types."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import alkrimi2023
import alkrimi2023_paper as paper
from gansynth.data import open_dataset
from gansynth.data.phantom import write_phantom
from gansynth.metrics.classification import classification_scores
from gansynth.studies.comparison.figures import Pooled

COUNTS = {"neutrophil": 16, "basophil": 7, "lymphocyte": 12, "monocyte": 8}


def test_the_papers_tables_are_read_as_they_sum() -> None:
    assert [sum(row[:2]) for row in paper.TABLE_1.values()] == [row[2] for row in paper.TABLE_1.values()] == [266, 734]
    assert sum(paper.TABLE_2.values()) == 1000
    assert paper.TABLE_7.sum(axis=1).tolist() == [266, 734] and paper.TABLE_7.sum(axis=0).tolist() == [238, 762]
    assert paper.TABLE_8.sum(axis=1).tolist() == [paper.TABLE_2[name] for name in paper.TYPES]
    # The only sum that does not come out, and it is told.
    gaps = paper.TABLE_8.sum(axis=0) - paper.TABLE_8_TOTALS
    assert gaps.tolist() == [0, 0, 0, -1, 0] and "eosinophils: 148, printed 149" in paper.cannot_compare()


@pytest.mark.parametrize("level", ["binary", "types"])
def test_what_follows_from_a_matrix_is_what_our_own_metrics_say_of_such_predictions(level: str) -> None:
    table = paper.MATRICES[level]
    k = len(table)
    truth, said = (np.repeat(index, table.ravel()) for index in np.indices(table.shape))
    found = classification_scores(truth, np.eye(k)[said], k)
    assert paper.accuracy(table) == pytest.approx(found.overall["accuracy"])
    assert paper.kappa(table) == pytest.approx(found.overall["kappa"])
    assert paper.macro_f1(table) == pytest.approx(found.overall["macro-F1"])
    assert paper.recalls(table).mean() == pytest.approx(found.overall["balanced-accuracy"])
    assert paper.precisions(table).mean() == pytest.approx(found.overall["macro-precision"])


@pytest.mark.parametrize("level", ["binary", "types"])
def test_no_probabilities_with_the_papers_matrix_have_its_squared_error(level: str) -> None:
    table = paper.MATRICES[level]
    k = len(table)
    truth, said = (np.repeat(index, table.ravel()) for index in np.indices(table.shape))
    best = (np.eye(k)[truth] + np.eye(k)[said]) / 2  # right where they agree, undecided where they do not
    assert paper.least_mse(table) == pytest.approx(classification_scores(truth, best, k).overall["MSE"])
    assert paper.TABLE_9[level][1] < paper.least_mse(table)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("alkrimi2023")
    write_phantom(place / "cells", COUNTS, size=32)
    drawn = sorted((place / "cells" / "neutrophil").iterdir())
    for kind, mine in (("band neutrophil", drawn[:8]), ("segmented neutrophil", drawn[8:])):
        (place / "cells" / kind).mkdir()
        for file in mine:
            file.rename(place / "cells" / kind / file.name)
    (place / "cells" / "neutrophil").rmdir()
    (place / "cells" / "metadata.csv").unlink()  # it names the files by the folder they were drawn in
    arguments = [str(place / "cells"), "--out", str(place / "out"), "--budget", "quick", "--size", "32", "--folds", "2"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["alkrimi2023.py", *arguments, "--classifiers", "naive-bayes", "--jobs", "1"])
        alkrimi2023.main()
    return place / "out"


def test_cells_are_drawn_by_type_and_both_neutrophils_are_neutrophils(done: Path) -> None:
    cells = open_dataset(done / "cells-32", 32)
    assert cells.counts() == {"basophil": 7, "lymphocyte": 12, "monocyte": 8, "neutrophil": 16}
    table = pd.read_csv(done / "cells-32" / "metadata.csv")
    assert table["original"].str.startswith(("band neutrophil/", "segmented neutrophil/")).sum() == 16


def test_every_table_stands_beside_ours_in_the_papers_order(done: Path) -> None:
    text = (done / "tables.md").read_text(encoding="utf-8")
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert [line.split(":")[0] for line in headings] == [
        "## Tables 3 and 4", "## Table 5", "## Table 6", "## Tables 7 and 8", "## Table 9",
        "## The threshold of section 4.1", "## Trained on two classes",
        "## The number of nuclei alone (section 2)", "## Every arm of ours", "## What cannot be compared, and why",
    ]  # fmt: skip
    rows = [line.split(" | ")[0].strip("| ") for line in text.split("## Table 5")[0].splitlines() if line[:2] == "| "]
    assert rows[2:] == [*paper.SUPERCLASSES, *paper.TYPES]
    assert "The data have no eosinophil." in text


def test_thresholds_are_found_on_the_other_folds_and_move_what_is_said() -> None:
    labels = np.array([0, 0, 1, 1, 0, 0, 1, 1])
    p = np.array([0.1, 0.3, 0.35, 0.9, 0.2, 0.6, 0.7, 0.8])
    probabilities = np.stack([1 - p, p], axis=1)[None]
    arm = Pooled(
        tuple("abcdefgh"), labels, np.repeat([0, 1], 4), np.arange(8), probabilities.argmax(axis=2), probabilities
    )
    moved = alkrimi2023.at_best_threshold(arm, 1)
    # On the second fold 0.7 divides best, on the first 0.35.
    assert moved.predicted.tolist() == [[0, 0, 0, 1, 0, 1, 1, 1]]
    assert alkrimi2023.at_best_threshold(arm, None).predicted.shape == (1, 8)
    with pytest.raises(alkrimi2023.InputError, match="other folds"):
        alkrimi2023.at_best_threshold(replace(arm, folds=np.zeros(8, np.int64)), 1)


def test_the_two_classes_are_trained_too_on_the_same_cells(done: Path) -> None:
    cells = open_dataset(done / "cells-32-two", 32)
    assert cells.counts() == {"agranulocyte": 20, "granulocyte": 23}
    text = (done / "tables.md").read_text(encoding="utf-8")
    assert "| naive-bayes | two classes | 0." in text and "| naive-bayes | five types, summed | 0." in text
    of_table_9 = text.split("## Table 9")[1].split("## ")[0]
    assert "| five types | RMSE | - | at least 0.063 |" in of_table_9
    found = json.loads((done / "figures.json").read_text())
    assert {one["arm"] for one in found["two"]} == {"none", "weighted"}


def test_binary_figures_are_those_of_the_superclasses_of_the_comparison(done: Path) -> None:
    held = json.loads((done / "comparison" / "results.json").read_text())["superclasses"]
    found = json.loads((done / "figures.json").read_text())["binary"]
    assert found["classes"] == ["granulocyte", "agranulocyte"]
    assert [arm["metrics"] for arm in found["arms"]] == [arm["metrics"] for arm in held["arms"]]
    assert (done / "nuclei-32" / "nuclei.csv").is_file() and (done / "comparison" / "report.html").is_file()
    assert all(
        (done / f"{name}_{level}.svg").is_file() for name in ("roc", "confusion") for level in alkrimi2023.LEVELS
    )


def test_data_without_granulocytes_are_refused_in_one_sentence(tmp_path: Path) -> None:
    write_phantom(tmp_path / "cells", {"lymphocyte": 4, "platelet": 4}, size=16)
    with pytest.raises(alkrimi2023.InputError, match="has no granulocytes"):
        alkrimi2023.drawn_cells(str(tmp_path / "cells"), 16, tmp_path / "out")
    assert not (tmp_path / "out").exists()
