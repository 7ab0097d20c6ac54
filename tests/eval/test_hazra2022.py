"""Tables 6 to 9 of hazra2022 by one command from a data set; nothing is trained twice."""

import re
import sys
from pathlib import Path

import pytest
import yaml

import hazra2022_classifiers
import hazra2022_gans
import paper_study
from budget import Amount
from gansynth.data import open_dataset
from gansynth.data.phantom import write_phantom
from gansynth.data.split import split_dataset, write_splits
from gansynth.recipes import load_recipe

from ..studies.test_benchmark import SMALL

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    place = tmp_path / "cells"
    write_phantom(place, {"basophil": 14, "eosinophil": 20}, size=32)
    write_splits(split_dataset(open_dataset(place)), place)
    return place


def test_both_protocols_run_from_a_data_set_and_the_page_marks_what_began_from_scratch(
    cells: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no-weights"))
    monkeypatch.setattr(hazra2022_classifiers, "QUICK", ("sequential-cnn", "naive-bayes", "vgg19"))
    words = [str(cells), "--out", str(tmp_path / "out"), "--budget", "quick", "--epochs", "1", "--jobs", "1"]
    monkeypatch.setattr(sys, "argv", ["hazra2022_classifiers.py", *words, "--gan", "oversample"])
    # A page takes seconds, and this study draws those of its comparisons itself.
    monkeypatch.setattr(paper_study, "write_comparison_page", lambda folder: folder)
    hazra2022_classifiers.main()
    assert capsys.readouterr().out.startswith("--budget quick:")
    text = (tmp_path / "out" / "tables.md").read_text(encoding="utf-8")
    assert re.search(r"\| Figure 8: train accuracy at the end \| 98\.83 \| [\d.]+ \|", text)
    rows = {line.split(" | ")[0].strip("| "): line for line in text.partition("## Table 9")[0].splitlines()}
    assert "/ -" not in rows["Naive Bayes"] and rows["VGG19"].count("/ -") == 4
    assert "*efficientnet-lite0*" in rows, "a network of ours, pretrained, beside the paper's ten"
    assert "## The same data with both protocols" in text
    arms = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").rglob("arms/**/*.json")}
    monkeypatch.setattr(hazra2022_classifiers, "write_comparison_page", lambda folder, clean: folder)  # the same again
    hazra2022_classifiers.main()
    assert arms and {file: file.stat().st_mtime_ns for file in arms} == arms


def test_the_benchmark_of_the_gans_runs_from_a_data_set(phantom_folder: Path, tmp_path: Path) -> None:
    recipe = load_recipe("cgan-64", SMALL)
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(recipe.model_dump(mode="json") | {"name": "tiny"}))
    folder = hazra2022_gans.benchmarked(
        str(phantom_folder), tmp_path / "gans", Amount(16, 1, seeds=1, images=16), "cpu",
        recipes=[str(tmp_path / "tiny.yaml")], count=12, encoder="pbc-encoder", progress=False,
    )  # fmt: skip
    hazra2022_gans.study(folder, tmp_path / "out")
    text = (tmp_path / "out" / "tables.md").read_text(encoding="utf-8")
    assert "| CGAN | 71.02 / missing |" in text and (folder / "report.html").is_file()
