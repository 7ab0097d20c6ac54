"""The studies of the papers take the same command line, continue where they were stopped, and say what is missing."""

import argparse
import doctest
from pathlib import Path

import pytest

import budget
import paper_explanations
import paper_study
from budget import Amount, Timed
from gansynth.data.phantom import write_phantom
from gansynth.metrics.estimate import Estimate

AMOUNTS = {"quick": Amount(16, 1, 1), "day": Amount(32, 5, 2), "full": Amount(None, None, 3, 5)}


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], Amount(32, 5, 2)),
        (["--budget", "quick"], Amount(16, 1, 1)),
        (["--budget", "full"], Amount(None, None, 3, 5)),
        (["--budget", "full", "--size", "64", "--seeds", "1"], Amount(64, None, 1, 5)),
    ],
)
def test_the_budget_says_how_much_is_trained_and_single_values_can_be_changed(
    flags: list[str], expected: Amount
) -> None:
    given = paper_study.parser("").parse_args(["phantom", "--out", "x", *flags])
    assert paper_study.options(given, AMOUNTS).amount == expected


def test_a_budget_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        paper_study.parser("").parse_args(["phantom", "--out", "x", "--budget", "huge"])
    assert ended.value.code == 2
    assert "choose from" in capsys.readouterr().err


def test_what_it_takes_is_printed_first(capsys: pytest.CaptureFixture[str]) -> None:
    given = paper_study.parser("").parse_args(["phantom", "--out", "x", "--budget", "day", "--seeds", "1"])
    paper_study.options(given, AMOUNTS, Timed(2, Amount(16, 1, 1), "larger networks"))
    assert capsys.readouterr().out.startswith(
        "--budget day: about 40 minutes on two processor cores (and more for larger networks)."
    )
    full = paper_study.parser("").parse_args(["phantom", "--out", "x", "--budget", "full"])
    paper_study.options(full, AMOUNTS, Timed(2, Amount(16, 1, 1)))
    assert "--budget full: wants a GPU; not timed." in capsys.readouterr().out


def test_other_studies_take_a_budgets_values_where_the_command_line_names_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    values: dict[budget.Budget, dict[str, float]] = {
        "quick": {"draws": 2, "seeds": 1},
        "day": {"draws": 5, "seeds": 3},
        "full": {"draws": 9, "seeds": 9},
    }
    words = argparse.ArgumentParser()
    words.add_argument("--draws", type=int)
    words.add_argument("--seeds", type=int)
    given = budget.parsed(words, values, lambda own: 15 * own.seeds, ["--budget", "quick", "--seeds", "4"])
    assert (given.draws, given.seeds) == (2, 4)
    assert capsys.readouterr().out.startswith("--budget quick: draws 2, seeds 4; about 60 minutes on")


def test_the_examples_in_docstrings_are_right() -> None:
    assert doctest.testmod(budget).failed == doctest.testmod(paper_explanations).failed == 0


def test_the_papers_figure_stands_beside_ours_or_a_dash() -> None:
    ours = Estimate(0.7413, 100, (0.732, 0.75))
    assert paper_study.beside(90.5, ours) == "90.50 / 74.1 (73.2-75.0)"
    assert paper_study.beside(None, ours) == "- / 74.1 (73.2-75.0)"
    assert paper_study.beside(90.5, None) == "90.50 / -"
    assert paper_study.beside(90.5, Estimate(None, 0)) == "90.50 / -"


def test_a_study_run_again_trains_nothing_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_phantom(tmp_path / "cells", {"basophil": 14, "eosinophil": 30}, size=16)
    given = paper_study.parser("").parse_args(
        [str(tmp_path / "cells"), "--out", str(tmp_path / "out"), "--budget", "quick", "--jobs", "1"]
    )
    asked = paper_study.options(given, AMOUNTS)
    first = paper_study.comparison(asked, ["none", "oversample"], ["naive-bayes"], changes=["classical.components=4"])
    records = sorted((tmp_path / "out" / "comparison").rglob("*.json"))
    before = {file: file.stat().st_mtime_ns for file in records if "arms" in file.parts}
    monkeypatch.setattr(paper_study, "write_comparison_page", lambda folder: folder)  # the same again
    again = paper_study.comparison(asked, ["none", "oversample"], ["naive-bayes"], changes=["classical.components=4"])
    assert before and {file: file.stat().st_mtime_ns for file in before} == before
    entries = [results.entry("oversample", "naive-bayes") for results in (first, again)]
    assert paper_study.figure(entries[0], "macro-F1") == paper_study.figure(entries[1], "macro-F1") is not None
    assert paper_study.figure(entries[0], "recall", "basophil") is not None
    assert paper_study.figure(None, "recall") is None
    assert (tmp_path / "out" / "comparison" / "report.html").is_file()
