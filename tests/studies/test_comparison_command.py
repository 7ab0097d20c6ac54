"""Claims about `gansynth compare` as it is typed."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from gansynth.cli import run
from gansynth.data.phantom import write_phantom

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Phantom cells without a split. Do not change them."""
    folder = tmp_path_factory.mktemp("cells") / "cells"
    write_phantom(folder, {"basophil": 12, "eosinophil": 30, "lymphocyte": 20}, size=16)
    return str(folder)


def typed(cells: str, out: Path, *more: str) -> list[str]:
    return [
        "compare", cells, "--remedies", "none,oversample", "--classifiers", "naive-bayes", "--size", "16", "--seeds",
        "2", "--set", "classical.components=6", "--jobs", "1", "--device", "cpu", "--out", str(out), *more,
    ]  # fmt: skip


def test_a_line_for_each_training_a_table_and_a_page(
    cells: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = typed(cells, tmp_path / "out", "--doses", "0.5,1", "--rarity", "eosinophil=8")
    monkeypatch.setattr(sys, "argv", ["/anywhere/gansynth", *arguments])
    assert run(arguments) == 0
    told = capsys.readouterr()
    lines = [line for line in told.err.splitlines() if line.startswith("[")]
    assert len(lines) == 6 and lines[0].startswith("[1 of 6] none, naive-bayes, fold 0, seed 0: macro-F1 0.")
    assert "recall of eosinophil" in told.out and "p (Holm)" in told.out and "oversample@0.5" in told.out
    assert "best dose of oversample for macro-F1" in told.out
    assert (tmp_path / "out/report.html").is_file() and "report.html" in told.out
    command = json.loads((tmp_path / "out/results.json").read_text())["about"]["command"]
    assert shlex.split(command) == ["gansynth", *arguments]


def test_json_is_one_object_and_nothing_else(cells: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(typed(cells, tmp_path / "out", "--json")) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((tmp_path / "out/results.json").read_text())


def test_superclasses_stand_in_the_table_by_the_tree_that_is_given(
    cells: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = tmp_path / "tree.yaml"
    tree.write_text("white:\n- basophil\n- lymphocyte\n")
    assert run(typed(cells, tmp_path / "out", "--tree", str(tree))) == 0
    assert "macro-F1 of superclasses" in capsys.readouterr().out
    held = json.loads((tmp_path / "out/results.json").read_text())["superclasses"]
    assert held["tree"] == {"white": ["basophil", "lymphocyte"], "eosinophil": ["eosinophil"]}


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--doses", "half"), "--doses: 'half' is not a number"),
        (("--rarity", "eosinophil"), "--rarity: 'eosinophil' is not class=n"),
        (("--tree", "nowhere.yaml"), "nowhere.yaml: there is no such file"),
        (("--rarity", "eosinophil=0"), "--rarity eosinophil=0"),
        (("--protocol", "paper", "--swap"), "leave out --folds, --swap and --robustness"),
    ],
)
def test_what_is_mistyped_is_said_in_one_sentence(
    cells: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], sentence: str
) -> None:
    assert run(typed(cells, tmp_path / "out", *more)) == 2
    assert sentence in capsys.readouterr().err


def test_help_shows_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "--help"]) == 0
    told = capsys.readouterr().out
    assert "Example:" in told and "--resume" in told
