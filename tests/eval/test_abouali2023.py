"""The study of abouali2023: printed figures are checked against each other, its sets are made as it says, and its
tables stand beside ours in their order."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import abouali2023
import abouali2023_paper as paper
from abouali2023_sets import REAL, SETS, composed_classes, rarest_class
from gansynth.classifiers.training import train_classifier
from gansynth.data import CellDataset
from gansynth.data.phantom import phantom_dataset
from gansynth.errors import InputError
from gansynth.recipes.classifier import load_classifier_recipe
from gansynth.remedies import Workplace, naturalize, parse_arm

if TYPE_CHECKING:
    from .conftest import Asked


def test_the_papers_counts_and_where_they_do_not_add_up() -> None:
    assert sum(paper.TABLE_1.values()) == paper.PRINTED["table 1"]
    assert sum(paper.TABLE_2.values()) == paper.PRINTED["table 2"]
    assert sum(paper.TABLE_1.values()) - sum(paper.TABLE_2.values()) == paper.UNLABELLED + 50
    rows = sum(paper.TABLE_3.values())
    assert rows == 16534 != paper.PRINTED["table 3"] and rows - paper.COMPOSED_PMY != paper.PRINTED["pruned"]
    assert (rows + 5000, rows + 10000) == (paper.PRINTED["1K"], paper.PRINTED["2K"])
    assert paper.TABLE_3["PMY"] == paper.REAL_PMY + paper.COMPOSED_PMY
    eight = {name: sum(paper.TABLE_2[s] for s, own in paper.CLASSES.items() if own in group)
             for name, group in paper.EIGHT.items()}  # fmt: skip
    assert eight["immature granulocyte"] == paper.TABLE_1["immature granulocyte"] - paper.UNLABELLED


@pytest.mark.parametrize(
    ("name", "tested"), [("Original", 1608), ("419-PMY", 1650), ("1K", 2150), ("2K", 2650), ("1K-class", 2200)]
)
def test_the_reports_give_their_own_totals_and_table_11(name: str, tested: int) -> None:
    report, (precision, recall, f1, accuracy) = paper.REPORTS[name], paper.TABLE_11[name]
    assert sum(row.support for row in report.values()) == tested
    means = [np.mean([row[k] for row in report.values()]) for k in range(3)]
    assert means == pytest.approx([precision, recall, f1], abs=0.006)
    assert paper.accuracy_of(report) == pytest.approx(accuracy, abs=0.011)
    last = paper.AVERAGES[name]
    assert (last.accuracy, last.macro, last.support) == (accuracy, (precision, recall, f1), tested)
    shares = np.array([row.support for row in report.values()]) / tested
    weighted = [shares @ [row[k] for row in report.values()] for k in range(3)]
    assert weighted == pytest.approx(last.weighted, abs=0.011)
    for row in report.values():
        assert row.f1 == pytest.approx(2 * row.precision * row.recall / (row.precision + row.recall), abs=0.011)


def test_what_is_said_against_the_reports_is_so() -> None:
    assert len(paper.same_recalls("Original", "419-PMY")) == 10
    assert paper.same_recalls("2K", "2K") == list(paper.CLASSES)
    assert paper.composed_share("419-PMY") == pytest.approx(592 / 1011) and paper.composed_share("Original") == 0
    # A random tenth of a set: the promyelocytes that are tested are those of the set, composites among them.
    for name, n in (("419-PMY", 1011), ("1K", 2011), ("2K", 3011)):
        assert paper.REPORTS[name]["PMY"].support == round(n / 10)
    assert paper.REPORTS["Original"]["PMY"].support == round(paper.TABLE_2["PMY"] / 10)
    assert list(paper.TABLE_4) == list(paper.TABLE_5) == list(paper.MODELS)


def test_the_papers_own_network_is_the_recipe() -> None:
    cells = phantom_dataset(dict.fromkeys(("basophil", "eosinophil"), 2), size=16)
    recipe = load_classifier_recipe("custom-cnn", ["resolution=16", "training.epochs=1", "training.batch_size=4"])
    trained = train_classifier(cells, recipe, validation=None, progress=False)
    assert trained.class_names == cells.class_names


@pytest.fixture(scope="module")
def cells() -> CellDataset:
    """Training images, of which promyelocytes are few."""
    cells = phantom_dataset({"promyelocyte": 4, "neutrophil": 8, "lymphocyte": 12}, size=32)
    names = tuple(name.replace("neutrophil", "band neutrophil") for name in cells.class_names)
    return replace(cells, class_names=names)


@pytest.fixture
def place(cells: CellDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    monkeypatch.setattr(naturalize, "LEAST_EDGE", 32)
    return Workplace(tmp_path, learning=lambda size: cells, progress=False)


def test_the_sets_get_as_many_composites_for_each_image_as_the_papers(
    cells: CellDataset, place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("abouali2023_sets.REAL", 24 * 100)  # so that a thousand of the paper's are ten of ours
    made = {name: parse_arm(spec).treat(cells, place).synthetic_counts() for name, spec in reversed(SETS.items())}
    assert made["Original"] == {"promyelocyte": 0, "band neutrophil": 0, "lymphocyte": 0}
    assert made["419-PMY"] == {"promyelocyte": 6, "band neutrophil": 0, "lymphocyte": 0}
    assert made["1K"] == {"promyelocyte": 16, "band neutrophil": 10, "lymphocyte": 0}
    assert made["2K"] == {"promyelocyte": 26, "band neutrophil": 20, "lymphocyte": 0}
    equal = parse_arm(SETS["1K-class"]).treat(cells, place)
    assert set(equal.counts().values()) == {10}
    assert equal.synthetic_counts() == {"promyelocyte": 6, "band neutrophil": 2, "lymphocyte": 0}
    table = pd.read_csv(place.folder / "naturalize" / "metadata.csv", keep_default_na=False)
    used = {*table["white_cell"], *table["background"], *";".join(table["red_cells"]).split(";")} - {""}
    assert used <= set(cells.records["path"])


def test_on_other_data_the_smallest_classes_are_composed_at_most_half_of_all() -> None:
    counts = {"a": 5, "b": 3, "c": 9, "d": 1}
    assert composed_classes(counts) == ["d", "b"] and rarest_class(counts) == "d"
    assert rarest_class({"promyelocyte": 50, "platelet": 3}) == "promyelocyte"
    assert sum(paper.TABLE_3.values()) - 592 == REAL


@pytest.fixture(scope="module")
def out(
    asked: Asked,
    without_pages: pytest.MonkeyPatch,
    module_on_one_thread: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """What the study writes of phantom cells, without any published weights."""
    out = tmp_path_factory.mktemp("abouali2023") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(naturalize, "LEAST_EDGE", 32)
        patch.setattr("abouali2023_sets.REAL", 4000)
        quick = asked(out, abouali2023.AMOUNTS, "--epochs", "1")
        abouali2023.study(quick, share=1.0, main="custom-cnn", scratch="none", model_epochs=1)
    return out


def rows_of(text: str, title: str) -> list[list[str]]:
    """The table under a heading, without its head."""
    parts = re.split(r"^## ", text, flags=re.MULTILINE)
    mine = next(part for part in parts if part.startswith(title))
    lines = [line for line in mine.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_rows_stand_in_the_papers_order(out: Path) -> None:
    text = (out / "tables.md").read_text(encoding="utf-8")
    assert [row[0] for row in rows_of(text, "Tables 4 and 5")] == list(paper.TABLE_4)
    for number, name in enumerate(paper.REPORTS, start=6):
        rows = rows_of(text, f"Table {number}, {name}")
        averages = ["accuracy", "macro average", "weighted average"]
        assert [row[0] for row in rows] == [*paper.CLASSES, *averages]
        # Of the weighted average the recall is the accuracy.
        assert rows[-1][2].split(" / ")[1] == rows[-3][3].split(" / ")[1] != "-"
    assert [row[0] for row in rows_of(text, "Table 11")] == [*paper.TABLE_11, "*no augmentation*"]


def test_models_without_weights_name_the_file_and_the_papers_own_network_has_figures(out: Path) -> None:
    rows = {row[0]: row for row in rows_of((out / "tables.md").read_text(encoding="utf-8"), "Tables 4 and 5")}
    assert rows["DenseNet-169"][1] == "missing: densenet169-b2777c0a.pth" and rows["DenseNet-169"][4] == "94.48 / -"
    assert rows["Ensemble-CBAM"][1].count(",") == 1
    assert rows["Customized-CNN"][1] == "from scratch"
    assert all(re.search(r"/ \d+\.\d", cell) for cell in rows["Customized-CNN"][2:]), rows["Customized-CNN"]


def test_both_protocols_figures_and_sheets_are_there(out: Path) -> None:
    text = (out / "tables.md").read_text(encoding="utf-8")
    protocols = rows_of(text, "The same data with the paper's protocol")
    assert [row[0] for row in protocols] == ["Original", "Original", "2K", "2K"]
    assert all("(" in cell for row in protocols for cell in row[2:4])
    assert "PBC's" not in text.split("## What cannot")[0].replace("abouali2023", "")  # these are not PBC's classes
    figures = json.loads((out / "figures.json").read_text(encoding="utf-8"))
    assert set(figures) == {"sets", "models", "paper-protocol"} - {"models"}
    for name in ("confusion_2k.svg", "classes_recall.svg", "explained/score-cam/sheet.png"):
        assert (out / name).stat().st_size > 1000, name


def test_the_protocols_alone_are_the_same_comparison(
    asked: Asked, out: Path, without_pages: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    title, again = "The same data with the paper's protocol", tmp_path / "out"
    shutil.copytree(out, again)
    quick = asked(again, abouali2023.AMOUNTS, "--epochs", "1")
    abouali2023.protocol_study(quick, share=1.0, main="custom-cnn", scratch="none")  # goes on, and has nothing to do
    text = (again / "tables.md").read_text(encoding="utf-8")
    assert rows_of(text, title) == rows_of((out / "tables.md").read_text(encoding="utf-8"), title)
    assert "Table 6" not in text.split("## What cannot")[0]
    with pytest.raises(InputError, match=r"efficientnetv2-b0: missing: tf_efficientnetv2_b0.*; give --weights-dir"):
        abouali2023.protocol_study(quick, share=1.0, main="efficientnetv2-b0", scratch="none")


def test_a_share_of_nothing_is_refused(asked: Asked, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--share 0: give a number above 0"):
        abouali2023.study(
            asked(tmp_path, abouali2023.AMOUNTS), share=0, main="custom-cnn", scratch="none", model_epochs=1
        )
