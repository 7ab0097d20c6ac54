"""Claims about the search of parameters: on the training split alone, the same folds for all, resumable."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from gansynth.cli import gansynth
from gansynth.cli.tables import search_table
from gansynth.data import open_dataset
from gansynth.data.phantom import write_phantom
from gansynth.data.split import split_dataset, write_splits
from gansynth.errors import InputError
from gansynth.studies.search.grid import candidates_of
from gansynth.studies.search.result import SHOWN, CandidateResult, Gain, OverFolds, RemedySearch
from gansynth.studies.search.study import search_remedy

from .conftest import CountedJobs

pytestmark = pytest.mark.usefixtures("one_thread")

COUNTS = {"basophil": 16, "eosinophil": 40, "lymphocyte": 24}
QUICK = ["classical.components=6", "classical.trees=5"]


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phantom cells of three classes, split. Do not change them."""
    folder = tmp_path_factory.mktemp("cells") / "cells"
    write_phantom(folder, COUNTS, size=16)
    write_splits(split_dataset(open_dataset(folder, 16)), folder)
    return folder


def quickly(cells: Path, out: Path, remedy: str = "smote", **more: Any) -> RemedySearch:
    options: dict[str, Any] = {
        "classifier": "random-forest", "grid": {"dose": [0.5, 1]}, "beside": ["none", "oversample"], "folds": 3,
        "size": 16, "changes": QUICK, "jobs": 1, "device": "cpu", "progress": False,
    }  # fmt: skip
    return search_remedy(cells, remedy, out, **{**options, **more})


@pytest.fixture(scope="module")
def found(cells: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RemedySearch]:
    out = tmp_path_factory.mktemp("search") / "out"
    return out, quickly(cells, out)


def test_every_training_image_is_scored_once_and_no_other_is_looked_at(
    found: tuple[Path, RemedySearch], cells: Path
) -> None:
    out, _ = found
    training = open_dataset(cells, 16).part("train").records["path"]
    for arm in ("none", "smote@0.5"):
        scored = [pd.read_csv(path)["file_name"] for path in out.glob(f"arms/fold*/{arm}/*/*/predictions.csv")]
        assert len(scored) == 3 and sorted(pd.concat(scored)) == sorted(training)


def test_the_table_has_every_candidate_and_its_figures_are_those_of_the_folds(
    found: tuple[Path, RemedySearch],
) -> None:
    out, search = found
    table = pd.read_csv(out / "search.csv")
    assert table["arm"].tolist() == ["none", "oversample", "smote@0.5", "smote@1"]
    assert table["dose"].tolist()[2:] == [0.5, 1] and (table["folds"] == 3).all()
    for row in search.rows:
        notes = [json.loads(path.read_text()) for path in out.glob(f"arms/fold*/{row.arm}/*/*/arm.json")]
        for name in SHOWN:
            values = [note["scores"]["overall"][name] for note in notes]
            assert row.scores[name].mean == pytest.approx(np.mean(values))
            assert row.scores[name].sd == pytest.approx(np.std(values, ddof=1))
    assert search.rows[0].gain.value == 0
    searched = {row.arm: row.mean for row in search.rows if row.values}
    assert search.highest is not None and search.highest.arm == max(searched, key=lambda arm: searched[arm])


def test_what_is_written_is_read_back_and_keeps_its_keys(found: tuple[Path, RemedySearch]) -> None:
    out, search = found
    assert RemedySearch.read(out) == search
    held = json.loads((out / "results.json").read_text())
    assert held == json.loads(json.dumps(search.to_json()))
    assert list(held) == ["about", "rows", "best", "failed"]
    keys = ["arm", "values", "folds", "epoch", *SHOWN, "recall", "gain"]
    assert all(list(row) == keys for row in [*held["rows"], *filter(None, [held["best"]])])
    assert list(held["rows"][0]["gain"]) == ["value", "interval", "p", "folds"]
    shown = search._repr_html_()
    assert len(repr(search)) < 300 and "<table" in shown and all(row.arm in shown for row in search.rows)


@pytest.mark.parametrize("text", ["", '{"about": {"folds"', "[]", "{}", '{"about": {}, "rows": [], "failed": {}}'])
def test_a_cut_off_or_foreign_file_is_refused_with_what_to_do(text: str, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(InputError, match=r"results\.json.*gansynth search-remedy"):
        RemedySearch.read(tmp_path)


def result(arm: str, mean: float, gain: float, half: float, **values: float) -> CandidateResult:
    scores = dict.fromkeys(SHOWN, OverFolds(mean, 0.01))
    return CandidateResult(
        arm, values, 3, None, scores, OverFolds(mean, 0.01), Gain(gain, (gain - half, gain + half), 0.1, 3)
    )


@pytest.mark.parametrize(
    ("searched", "said"),
    [
        (result("smote@1", 0.6, -0.1, 0.3, dose=1), "nothing that was searched beats none: its macro-F1 is 0.700"),
        (result("smote@1", 0.72, 0.02, 0.3, dose=1), "highest macro-F1: smote@1, which the folds do not show to be"),
        (result("smote@1", 0.9, 0.2, 0.1, dose=1), "best by macro-F1: smote@1. The best of many is too good by chance"),
    ],
)
def test_only_what_gains_is_called_best(searched: CandidateResult, said: str, found: tuple[Path, RemedySearch]) -> None:
    rows = [result("none", 0.7, 0.0, 0.0), result("smote@0.5", 0.5, -0.2, 0.1, dose=0.5), searched]
    search = replace(found[1], rows=rows)
    assert search.highest == searched and search.verdict().startswith(said)
    assert search.best == (None if said.startswith("nothing") else searched)
    assert search.verdict() in search_table(search)


def test_a_search_that_was_stopped_goes_on_and_values_may_be_added(
    found: tuple[Path, RemedySearch], cells: Path, tmp_path: Path, jobs: CountedJobs
) -> None:
    jobs.anew(most=4)
    with pytest.raises(KeyboardInterrupt):
        quickly(cells, tmp_path / "out")
    jobs.anew()
    again = quickly(cells, tmp_path / "out", resume=True)
    assert len(jobs.done) == 8 and again.rows == found[1].rows
    jobs.anew()
    more = quickly(cells, tmp_path / "out", grid={"dose": [2]}, resume=True)
    assert len(jobs.done) == 3 and [row.arm for row in more.rows][2:] == ["smote@0.5", "smote@1", "smote@2"]
    with pytest.raises(InputError, match="another folds"):
        quickly(cells, tmp_path / "out", folds=4, resume=True)
    with pytest.raises(InputError, match="already holds a search"):
        quickly(cells, tmp_path / "out")


def test_a_network_is_searched_by_its_best_epoch(cells: Path, tmp_path: Path) -> None:
    tiny = ["network.channels=[4, 4, 4, 4]", "training.batch_size=16"]
    search = quickly(
        cells, tmp_path / "out", "augmentation+cb-focal", classifier="sequential-cnn", grid={"beta": [0.9, 0.999]},
        beside=["augmentation"], folds=2, changes=tiny, epochs=2,
    )  # fmt: skip
    assert [row.arm for row in search.rows] == [
        "augmentation", "augmentation+cb-focal:beta=0.9", "augmentation+cb-focal:beta=0.999"
    ]  # fmt: skip
    assert all(row.epoch is not None and 1 <= row.epoch <= 2 for row in search.rows)


def test_what_fails_is_noted_and_costs_nothing_else(cells: Path, tmp_path: Path) -> None:
    search = quickly(cells, tmp_path / "out", "undersample", grid={"dose": [1, 2]})
    assert len(search.failed) == 3 and "give a dose up to 1" in next(iter(search.failed.values()))
    assert search.highest is not None and search.highest.arm == "undersample@1"


def test_grids_are_those_of_the_papers_where_nothing_is_said() -> None:
    alphas = [one.values["alpha"] for one in candidates_of("focal", {})]
    assert alphas == [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75]  # pasupa2020, table 1
    pairs = [(one.values["beta"], one.values["gamma"]) for one in candidates_of("cb-focal", {})]
    assert pairs == [(b, g) for b in (0.9, 0.99, 0.999, 0.9999) for g in (0.5, 1, 2)]  # guo2022, section 2.5
    assert [one.arm.spec for one in candidates_of("oversample", {})] == [
        "oversample@0.25", "oversample@0.5", "oversample@1"
    ]  # fmt: skip
    assert next(one.arm.spec for one in candidates_of("smote@0.5", {})) == "smote:k=3@0.5"


@pytest.mark.parametrize(
    ("remedy", "grid", "said"),
    [
        ("none", {}, "has nothing to search"),
        ("augmentation", {}, "nothing is left to search"),
        ("focal:alpha=1", {}, "nothing is left to search"),
        ("focal:gamma=1", {"gamma": [1, 2]}, "sets it already"),
        ("smote@0.5", {"dose": [1]}, "sets it already"),
        ("focal", {"gama": [1]}, "takes no parameter 'gama'"),
        ("focal", {"gamma": []}, "has no values"),
        ("focal", {"dose": [1]}, "takes no dose"),
        ("cb-focal", {"beta": [0.9, 1]}, "beta=1 is not a number from 0"),
    ],
)
def test_what_cannot_be_searched_is_refused(remedy: str, grid: dict[str, list[float]], said: str) -> None:
    with pytest.raises(InputError, match=said):
        candidates_of(remedy, grid)


def test_a_remedy_that_means_nothing_to_the_classifier_is_refused(cells: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cb-focal.* means something for networks only"):
        quickly(cells, tmp_path / "out", "cb-focal", grid={"beta": [0.9]})
    assert not (tmp_path / "out").exists()


def test_the_command_prints_the_table_or_the_same_as_json(cells: Path, tmp_path: Path) -> None:
    words = ["search-remedy", str(cells), "--remedy", "weighted", "--classifier", "naive-bayes", "--size", "16"]
    words += ["--set", "classical.components=6", "--folds", "2", "--jobs", "1", "--out", str(tmp_path / "out")]
    shown = CliRunner().invoke(gansynth, [*words, "--grid", "power=0.5,1"])
    assert shown.exit_code == 0, shown.output
    assert "weighted:power=0.5" in shown.output and "recall of basophil" in shown.output
    assert RemedySearch.read(tmp_path / "out").verdict() in shown.output
    again = CliRunner().invoke(gansynth, [*words, "--grid", "power=0.5,1", "--resume", "--json"])
    assert [row["arm"] for row in json.loads(again.stdout)["rows"]] == [
        "none",
        "weighted:power=0.5",
        "weighted:power=1",
    ]
    for wrong in ("power", "power=lots", "=1"):
        refused = CliRunner().invoke(gansynth, [*words, "--grid", wrong])
        assert refused.exit_code != 0
