"""The leaderboard says what the comparison's page says: the same order and figures, in every comparison."""

import json
import re
from pathlib import Path

import pytest

import remedy_leaderboard
from gansynth.errors import InputError

from ..report.comparison_folder import ARMS, write_comparison_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_comparison_folder(tmp_path_factory.mktemp("leaderboard") / "rare", seeds=2, swap=False, doses=False)


def rows_of(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_order_and_the_figures_are_those_of_the_comparison(folder: Path, tmp_path: Path) -> None:
    remedy_leaderboard.study([folder], tmp_path, "random-forest")
    facts = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    entries = sorted(
        (e for e in facts["leaderboard"] if e["classifier"] == "random-forest"), key=lambda entry: entry["rank"]
    )
    rows = rows_of((tmp_path / "table.md").read_text(encoding="utf-8"))
    assert [row[0] for row in rows] == [f"`{e['arm']}`" for e in entries]
    for row, entry in zip(rows, entries, strict=True):
        reached, gained = entry["at_no_loss"], entry["at_no_loss_effect"]
        assert row[1].strip("*").startswith("-" if reached is None else f"{reached['value']:.2f} (")
        assert row[1].startswith("**") == (gained is not None and gained["p_holm"] < 0.05)
        assert row[2].startswith(f"{entry['rare']['value']:.2f} (")
    [chart] = tmp_path.glob("leaderboard_*.svg")
    assert chart.read_text(encoding="utf-8").startswith("<svg")


def test_several_comparisons_stand_side_by_side_in_the_order_of_the_first(folder: Path, tmp_path: Path) -> None:
    other = write_comparison_folder(
        tmp_path / "other",
        rarity={"promyelocyte": 9, "smudge cell": 8},
        arms=ARMS[:3],
        seeds=2,
        swap=False,
        doses=False,
    )
    remedy_leaderboard.study([folder, other], tmp_path / "out", "sequential-cnn")
    rows = rows_of((tmp_path / "out/table.md").read_text(encoding="utf-8"))
    assert {row[0].strip("`") for row in rows} == set(ARMS)
    missing = next(row for row in rows if row[0] == f"`{ARMS[3]}`")
    assert missing[6:] == ["-"] * 5 and "-" not in missing[1:3]
    assert len(list((tmp_path / "out").glob("leaderboard_*.svg"))) == 2


def test_the_classifier_that_is_best_with_the_original_data_is_chosen(folder: Path, tmp_path: Path) -> None:
    remedy_leaderboard.study([folder], tmp_path)
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    facts = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    macro = {e["classifier"]: e["metrics"]["macro-F1"]["value"] for e in facts["arms"] if e["arm"] == "none"}
    assert figures["classifier"] == max(macro, key=lambda name: macro[name])


def test_a_classifier_that_was_not_compared_is_refused_with_those_that_were(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape("ranks no remedies of svm; it has")):
        remedy_leaderboard.study([folder], tmp_path, "svm")
