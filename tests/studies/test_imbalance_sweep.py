"""Claims about the sweep over the imbalance ratio: what is kept at each, on the same test images, resumable."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from gansynth.cli import gansynth
from gansynth.cli.tables import sweep_table
from gansynth.data.phantom import write_phantom
from gansynth.errors import InputError
from gansynth.metrics.classification_tests import holm
from gansynth.studies.comparison.entries import Endpoint
from gansynth.studies.sweep.counts import THIN, counts_at, imbalance_ratio
from gansynth.studies.sweep.result import ImbalanceSweep
from gansynth.studies.sweep.study import sweep_imbalance

from .conftest import CountedJobs

pytestmark = pytest.mark.usefixtures("one_thread")

PAPER = {"codocyte": 345, "hypochromia": 356, "normal": 2691}
PAPER_TABLE_2 = [
    (2.03, 345, 356, 701), (3.05, 345, 356, 1052), (4.74, 345, 356, 1636), (7.80, 345, 356, 2691),
    (11.35, 237, 237, 2691), (17.94, 150, 150, 2691), (37.90, 71, 71, 2691),
]  # fmt: skip
COUNTS = {"basophil": 24, "eosinophil": 40, "lymphocyte": 30}


def test_thinning_both_gives_table_2_of_the_paper() -> None:
    exact = [max(row[1:]) / min(row[1:]) for row in PAPER_TABLE_2]
    for kept, (rho, *counts) in zip(
        counts_at(exact, PAPER, ["codocyte", "hypochromia"], thin="both"), PAPER_TABLE_2, strict=True
    ):
        assert list(kept.values()) == counts
        assert round(imbalance_ratio(kept), 2) == pytest.approx(rho)


@given(
    counts=st.dictionaries(st.sampled_from("abcdefgh"), st.integers(20, 4000), min_size=2),
    data=st.data(),
    thin=st.sampled_from(THIN),
    most=st.none() | st.integers(50, 2000),
)
@settings(max_examples=200, deadline=None)
def test_what_is_kept_has_the_ratio_and_a_higher_one_keeps_part_of_a_lower(
    counts: dict[str, int], data: st.DataObject, thin: Any, most: int | None
) -> None:
    minority = data.draw(st.lists(st.sampled_from(sorted(counts)), min_size=1, max_size=len(counts) - 1, unique=True))
    ratios = sorted(data.draw(st.lists(st.floats(1, 200), min_size=1, max_size=4, unique=True)))
    try:
        found = counts_at(ratios, counts, minority, thin=thin, most=most)
    except InputError as error:
        assert "leave none" in str(error) or "leave the same images" in str(error)
        return
    others = [name for name in counts if name not in minority]
    for ratio, kept in zip(ratios, found, strict=True):
        assert all(1 <= kept[name] <= n for name, n in counts.items())
        # Half an image more or less of the smallest class, or one of the largest.
        rare, common = min(kept.values()), max(kept.values())
        assert (common - 1) / (rare + 0.5) - 1e-9 <= ratio <= (common + 1) / max(rare - 0.5, 0.5) + 1e-9
    for lower, higher in pairwise(found):
        if thin == "minority":
            assert all(higher[name] <= lower[name] for name in minority)
            assert all(higher[name] == lower[name] for name in others)
        else:
            assert all(higher[name] >= lower[name] for name in others)


@pytest.mark.parametrize(
    ("ratios", "minority", "said"),
    [
        ([0.5, 2], ["codocyte"], "0.5 is not a number from 1"),
        ([float("nan")], ["codocyte"], "is not a number from 1"),
        ([], ["codocyte"], "--ratios: names none"),
        ([1, 1000], ["codocyte"], "leave none of codocyte"),
        ([1, 40, 40.2], ["codocyte"], "--ratios 40,40.2: both leave the same"),
        ([2], ["Codocytes"], "--minority: no class 'Codocytes'; did you mean 'codocyte'"),
        ([2], list(PAPER), "names every class"),
    ],
)
def test_ratios_that_cannot_be_made_are_refused(ratios: list[float], minority: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        counts_at(ratios, PAPER, minority)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phantom cells without a split. Do not change them."""
    folder = tmp_path_factory.mktemp("cells") / "cells"
    write_phantom(folder, COUNTS, size=16)
    return folder


def quickly(cells: Path, out: Path, remedies: tuple[str, ...] = ("none", "oversample"), **more: Any) -> ImbalanceSweep:
    options: dict[str, Any] = {
        "ratios": [2, 8], "minority": ["basophil"], "seeds": 2, "size": 16, "changes": ["classical.components=6"],
        "jobs": 1, "device": "cpu", "progress": False,
    }  # fmt: skip
    return sweep_imbalance(cells, remedies, ["naive-bayes"], out, **{**options, **more})


@pytest.fixture(scope="module")
def swept(cells: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ImbalanceSweep]:
    out = tmp_path_factory.mktemp("sweep") / "out"
    return out, quickly(cells, out)


def parts(out: Path, ratio: int) -> pd.DataFrame:
    table = pd.read_csv(out / f"rho-{ratio}/splits/fold0.csv", keep_default_na=False)
    return table.assign(of=table["file_name"].str.split("/").str[0])


def test_only_the_minority_becomes_rarer_and_all_ratios_are_tested_on_the_same_images(
    swept: tuple[Path, ImbalanceSweep],
) -> None:
    out, found = swept
    low, high = parts(out, 2), parts(out, 8)
    assert set(low["file_name"][low["split"] == "test"]) == set(high["file_name"][high["split"] == "test"])
    for part in ("train", "val"):
        few, many = (set(t["file_name"][(t["split"] == part) & (t["of"] == "basophil")]) for t in (high, low))
        assert few < many or (part == "val" and few <= many)
        rest = [set(t["file_name"][(t["split"] == part) & (t["of"] != "basophil")]) for t in (low, high)]
        assert rest[0] == rest[1]
    for step, table in zip(found.about.steps, (low, high), strict=True):
        assert step.counts == table["of"][table["split"] == "train"].value_counts().to_dict()
        assert step.rho == imbalance_ratio(step.counts)


def test_figures_are_those_of_the_comparison_at_each_ratio(swept: tuple[Path, ImbalanceSweep]) -> None:
    out, found = swept
    table = pd.read_csv(out / "sweep.csv", keep_default_na=False)
    assert len(table) == len(found.figures) == 2 * 2 * 4  # ratios, arms, and four figures
    for step in found.about.steps:
        compared = json.loads((out / step.folder / "results.json").read_text())
        for entry in compared["arms"]:
            mine = table[(table["rho"].astype(float).round(3) == round(step.rho, 3)) & (table["arm"] == entry["arm"])]
            for metric in ("macro-F1", "accuracy", "ROC-AUC"):
                row = mine[(mine["metric"] == metric) & (mine["class"] == "")].iloc[0]
                held = entry["metrics"][metric]
                assert [row["value"], row["low"], row["high"]] == pytest.approx(
                    [held["value"], *held["interval"]], abs=1e-5
                )
            recall = mine[(mine["metric"] == "recall") & (mine["class"] == "basophil")].iloc[0]
            assert recall["value"] == pytest.approx(entry["classes"]["basophil"]["recall"]["value"], abs=1e-5)
        assert compared["about"]["rare"] == ["basophil"]
    held = json.loads((out / "results.json").read_text())
    assert held == json.loads(json.dumps(found.to_json())) and ImbalanceSweep.read(out) == found
    assert list(held) == ["gansynth", "about", "figures", "effects", "missing", "warnings"]
    row = ["rho", "classifier", "arm", "metric", "class", "value", "low", "high", "n"]
    assert list(held["figures"][0]) == row
    assert sorted(held["effects"][0]) == sorted([*row, "against", "p", "p_holm"])
    about = {*vars(found.settings), "data", "classes", "endpoints", "sizes", "seeds", "versions", "date", "device"}
    assert set(held["about"]) == about | {"arms", "classifiers", "tested", "steps", "command"}
    assert list(held["about"]["steps"][0]) == ["ratio", "rho", "folder", "counts", "learned_from"]


def test_p_is_corrected_for_all_ratios_together(swept: tuple[Path, ImbalanceSweep]) -> None:
    for endpoint in (Endpoint("macro-F1"), Endpoint("recall", "basophil")):
        family = [one for one in swept[1].effects if one.endpoint == endpoint and one.against == "none"]
        assert [one.arm for one in family] == ["oversample"] * 2 and len({one.rho for one in family}) == 2
        known = [one.p for one in family if one.p is not None]
        assert [one.p_holm for one in family] == pytest.approx(holm(known).tolist())


def test_a_sweep_goes_on_where_it_was_stopped_and_takes_further_ratios_and_remedies(
    cells: Path, swept: tuple[Path, ImbalanceSweep], tmp_path: Path, jobs: CountedJobs
) -> None:
    jobs.anew(most=5)
    with pytest.raises(KeyboardInterrupt):
        quickly(cells, tmp_path / "out")
    jobs.anew()
    again = quickly(cells, tmp_path / "out", resume=True)
    assert len(jobs.done) == 3 and again.figures == swept[1].figures
    jobs.anew()
    more = quickly(cells, tmp_path / "out", ("weighted",), ratios=[4], seeds=1, resume=True)
    assert len(jobs.done) == 2 * 2 + 3 * 2  # weighted at the two old ratios, everything at the new one
    assert [step.ratio for step in more.about.steps] == [2, 4, 8]
    assert more.about.arms == ["none", "oversample", "weighted"]
    assert more.about.seeds == [0, 1]
    with pytest.raises(InputError, match="other images would be kept at rho 2, 4, 8"):
        quickly(cells, tmp_path / "out", ratios=[1], resume=True)
    with pytest.raises(InputError, match="another minority"):
        quickly(cells, tmp_path / "out", minority=["lymphocyte"], resume=True)
    with pytest.raises(InputError, match="another recipes"):
        quickly(cells, tmp_path / "out", changes=["classical.components=5"], resume=True)
    with pytest.raises(InputError, match="already holds a sweep"):
        quickly(cells, tmp_path / "out")


def test_what_fails_is_noted_with_its_ratio_and_costs_nothing_else(cells: Path, tmp_path: Path) -> None:
    found = quickly(cells, tmp_path / "out", ("none", "undersample@2"), ratios=[2], seeds=1)
    assert [one.training.arm for one in found.missing] == ["undersample@2"] and found.missing[0].rho == pytest.approx(2)
    assert {one.arm for one in found.figures} == {"none"}


@pytest.mark.parametrize("study", ["sweep", "compare", "search-remedy"])
def test_a_study_finds_rare_classes_however_their_accents_are_composed(study: str, cells: Path, tmp_path: Path) -> None:
    decomposed, composed = "basophile\u0301", "basophil\u00e9"
    for name in ("basophil", "eosinophil", "lymphocyte"):
        shutil.copytree(cells / name, tmp_path / "cells" / name.replace("basophil", decomposed))
    typed = {
        "sweep": ["--remedies", "none", "--ratios", "2", "--minority", composed],
        "compare": ["--remedies", "none", "--rare", composed, "--rarity", f"{composed}=5"],
        "search-remedy": ["--remedy", "oversample", "--grid", "dose=1", "--folds", "2", "--rarity", f"{composed}=8"],
    }[study]
    quick = ["--size", "16", "--jobs", "1", "--device", "cpu", "--set", "classical.components=4"]
    quick += ["--classifier", "naive-bayes"] if study == "search-remedy" else ["--classifiers", "naive-bayes"]
    quick += [] if study == "search-remedy" else ["--seeds", "1"]
    call = [study, str(tmp_path / "cells"), "--out", str(tmp_path / "out"), *typed, *quick]
    done = CliRunner().invoke(gansynth, call)
    assert done.exit_code == 0, done.output
    registered = next(tmp_path.glob("out/*.json")).read_text(encoding="utf-8")
    assert decomposed in registered and composed not in registered
    again = CliRunner().invoke(gansynth, [*call, "--resume"])
    assert again.exit_code == 0, again.output
    wrong = [text.replace(composed, "basophill") for text in [*call[:3], str(tmp_path / "never"), *call[4:]]]
    refused = CliRunner().invoke(gansynth, wrong)
    assert refused.exit_code == 2 and f"no class 'basophill'; did you mean '{decomposed}'?" in refused.output


def test_a_sweep_says_what_it_does_not_take(cells: Path, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="takes no rarity"):
        quickly(cells, tmp_path / "out", rarity={"basophil": 3})
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("keep me")
    with pytest.raises(InputError, match="is not empty and holds no sweep"):
        quickly(cells, tmp_path / "full")
    with pytest.raises(InputError, match="--minority: no class"):
        quickly(cells, tmp_path / "out", minority=["smudge cell"])
    assert not (tmp_path / "out").exists()


def test_the_command_prints_json_draws_charts_and_links_the_comparisons(
    cells: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [
        "sweep", str(cells), "--remedies", "none,oversample", "--classifiers", "naive-bayes", "--ratios", "8,2",
        "--minority", "basophil", "--seeds", "1", "--size", "16", "--set", "classical.components=6", "--jobs", "1",
        "--device", "cpu", "--json", "--out", str(tmp_path / "out"),
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["/anywhere/gansynth", *words])
    told = CliRunner().invoke(gansynth, words)
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert found == json.loads((tmp_path / "out/results.json").read_text())
    assert shlex.split(found["about"]["command"]) == ["gansynth", *words]
    page = (tmp_path / "out/report.html").read_text()
    for ratio in (2, 8):
        assert f'href="rho-{ratio}/report.html"' in page and (tmp_path / f"out/rho-{ratio}/report.html").is_file()
    for metric in ("macro-F1", "accuracy", "ROC-AUC", "recall-basophil"):
        assert (tmp_path / f"out/{metric}-naive-bayes.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    "wrong", [["--ratios", "two"], ["--ratios", ""], ["--minority", "smudge cell"], ["--remedies", "magic"]]
)
def test_what_is_mistyped_is_said_in_one_sentence(cells: Path, tmp_path: Path, wrong: list[str]) -> None:
    words = ["sweep", str(cells), "--remedies", "none", "--size", "16", "--out", str(tmp_path / "out"), *wrong]
    refused = CliRunner().invoke(gansynth, words)
    assert refused.exit_code == 2 and not (tmp_path / "out").exists(), refused.output
    assert isinstance(refused.exception, SystemExit) and refused.stderr.splitlines()[-1].startswith("gansynth: ")


def test_the_table_has_a_line_for_each_arm_and_figure(swept: tuple[Path, ImbalanceSweep]) -> None:
    lines = sweep_table(swept[1]).splitlines()
    assert lines[0].split()[:3] == ["classifier", "arm", "metric"] and lines[0].count("rho") == 2
    assert [line.split()[1:3] for line in lines[1:7]] == [
        [arm, metric] for metric in ("macro-F1", "accuracy", "ROC-AUC") for arm in ("none", "oversample")
    ]
