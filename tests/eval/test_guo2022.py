"""The study of guo2022: the paper's figures are the printed ones, and its tables stand beside ours in their order."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import guo2022
import guo2022_paper as paper
from gansynth.errors import InputError

if TYPE_CHECKING:
    from .conftest import Asked


def gain(one: dict[str, tuple[float, float]], other: dict[str, tuple[float, float]]) -> list[float]:
    """What the text calls an increase, in percent."""
    return [round(100 * (one[column][0] - other[column][0]), 2) for column in paper.METRICS]


def test_the_papers_counts_are_those_of_its_text() -> None:
    assert [sum(part) for part in zip(*paper.TABLE_1.values(), strict=True)] == [4490, 1497, 1497]
    assert sum(map(sum, paper.TABLE_1.values())) == 7484
    totals = [sum(parts) for parts in paper.TABLE_1.values()]
    assert (max(totals), min(totals), max(totals) // min(totals)) == (3097, 98, 31)


def test_the_papers_tables_give_the_increases_of_its_text_and_repeat_the_baseline() -> None:
    assert gain(paper.TABLE_2["ResNet152 + data pre-processing"], paper.TABLE_2["ResNet152"]) == [2.27, 3.5, 0.16]
    assert gain(paper.TABLE_3["ResNet152"], paper.TABLE_3["AlexNet"]) == [4.27, 7.31, 0.4]
    assert gain(paper.TABLE_4["CBCM"], paper.TABLE_4["Baseline"])[:2] == [1.62, 1.88]
    baseline = paper.TABLE_4["Baseline"]
    assert paper.TABLE_3["ResNet152"] == baseline == paper.TABLE_2["ResNet152 + data pre-processing"]
    assert [len(t) for t in (paper.TABLE_2, paper.TABLE_3, paper.TABLE_4)] == [4, 4, 7]


def test_with_the_papers_beta_no_class_of_its_table_weighs_more_than_another() -> None:
    learned = [n for n, _, _ in paper.TABLE_1.values()]
    by_hand = (1 - 0.9**1841) / (1 - 0.9**61)
    assert paper.weights_apart(0.9, learned) == pytest.approx(by_hand) and by_hand < 1.002
    assert paper.weights_apart(0.9999, learned) == pytest.approx((1 - 0.9999**1841) / (1 - 0.9999**61))
    assert paper.weights_apart(0.9999, learned) > 25


@given(st.lists(st.integers(1, 5000), min_size=2, max_size=20), st.floats(0.01, 1.0))
@settings(max_examples=40, deadline=None)
def test_a_long_tail_keeps_no_more_than_there_is_and_never_gives_a_smaller_class_more(
    counts: list[int], share: float
) -> None:
    there = {f"class {i}": n for i, n in enumerate(counts)}
    kept = guo2022.long_tail(there, share)
    assert set(kept) == set(there) and all(1 <= kept[name] <= there[name] for name in there)
    order = sorted(there, key=lambda name: (-there[name], name))
    assert [kept[name] for name in order] == sorted(kept.values(), reverse=True)


def test_fifteen_plentiful_classes_get_the_papers_numbers_and_a_share_of_none_leaves_the_data_as_they_are() -> None:
    there = {f"class {i:02}": 9000 - i for i in range(15)}
    assert list(guo2022.long_tail(there, 1.0).values()) == sorted(
        (n for n, _, _ in paper.TABLE_1.values()), reverse=True
    )
    assert guo2022.long_tail(there, 0.0) == {}


@pytest.fixture(scope="module")
def out(
    asked: Asked,
    without_pages: pytest.MonkeyPatch,
    module_on_one_thread: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """What the study writes of phantom cells, without any published weights."""
    out = tmp_path_factory.mktemp("guo2022") / "out"
    quick = asked(out, guo2022.AMOUNTS, "--epochs", "1")
    guo2022.study(quick, tail=0.1, baseline="custom-cnn", scratch="none", network_epochs=1)
    return out


def first_cells(text: str, title: str) -> list[str]:
    """The first column of the table under a heading."""
    section = re.split(r"^## ", text, flags=re.MULTILINE)
    mine = next(part for part in section if part.startswith(title))
    rows = [line.split("|")[1].strip() for line in mine.splitlines() if line.startswith("|")]
    return rows[2:]


def test_rows_stand_in_the_papers_order_and_ours_in_italics_behind_them(out: Path) -> None:
    text = (out / "tables.md").read_text(encoding="utf-8")
    assert first_cells(text, "Table 2") == list(paper.TABLE_2)
    assert first_cells(text, "Table 3") == [*paper.TABLE_3, "*custom-cnn*"]
    found = first_cells(text, "Table 4, remedies")
    assert found[: len(paper.TABLE_4)] == list(paper.TABLE_4)
    assert all(re.fullmatch(r"\*.*\*", name) for name in found[len(paper.TABLE_4) :])


def test_every_row_has_our_figure_or_says_which_file_is_missing(out: Path) -> None:
    text = (out / "tables.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if " ± " in line and line.startswith("| ")]
    assert len(lines) == 4 + 4 + 7
    for line in lines:
        assert ("missing: " in line and " / - |" in line) or re.search(r"/ 0\.\d+ \(", line), line
    missing = re.findall(r"missing: (\S+) ", text)
    assert missing == [
        "alexnet-owt-7be5be79.pth", "vgg16-397923af.pth", "googlenet-1378be20.pth", "resnet152-f82ba261.pth",
    ]  # fmt: skip
    assert "stands in for ResNet152" in text


def test_figures_pages_and_sheets_are_written_and_the_tail_was_kept(out: Path) -> None:
    for name in ("confusion_baseline.svg", "confusion_cbcm.svg", "classes_recall.svg"):
        assert (out / name).stat().st_size > 1000, name
    assert (out / "explained" / "grad-cam" / "sheet.png").is_file()
    assert (out / "explained" / "guided-grad-cam" / "sheet.png").is_file()
    figures = json.loads((out / "figures.json").read_text(encoding="utf-8"))
    assert set(figures) == {"pixels", "remedies", "features"}
    learned = figures["remedies"]["about"]["counts"]["train"]
    assert learned["basophil"] < learned["eosinophil"] and np.ptp(list(learned.values())) > 10


def test_a_network_that_the_study_does_not_have_is_refused(asked: Asked, tmp_path: Path) -> None:
    quick = asked(tmp_path, guo2022.AMOUNTS)
    with pytest.raises(InputError, match="--scratch: the study has no network 'resnet51'"):
        guo2022.study(quick, tail=0.02, baseline="custom-cnn", scratch="resnet51", network_epochs=1)


def test_a_part_alone_runs_on_named_features_and_leaves_the_others_empty(
    asked: Asked, module_on_one_thread: None, tmp_path: Path
) -> None:
    quick = asked(tmp_path, guo2022.AMOUNTS)
    shared = {"tail": 0.05, "baseline": "custom-cnn", "scratch": "none", "network_epochs": 1}
    guo2022.study(quick, **shared, wanted=["features"], features="pixels")
    text = (tmp_path / "tables.md").read_text(encoding="utf-8")
    assert "those of pixels, frozen" in text and "Table 4, differences from the features untreated" in text
    smote = next(line for line in text.splitlines() if line.startswith("| SMOTE |"))
    assert not smote.endswith("/ - |") and not (tmp_path / "pixels").exists()
    with pytest.raises(InputError, match="--parts: there is no 'figures'; there are pixels"):
        guo2022.study(quick, **shared, wanted=["figures"])
