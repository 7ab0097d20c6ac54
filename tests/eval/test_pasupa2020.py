"""The study of pasupa2020: its figures are the printed ones, and its tables stand beside ours in their order."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pasupa2020
import pasupa2020_paper as paper
from gansynth.errors import InputError

if TYPE_CHECKING:
    from .conftest import Asked

SHORT = (2.03, 7.80)
"""Ratios that so few cells can be thinned to."""


def test_table_2_adds_up_and_gives_the_ratios_that_are_printed() -> None:
    assert [sum(counts) for counts in paper.TABLE_2.values()] == [1402, 1753, 2337, 3392, 3165, 2991, 2833]
    assert [round(max(counts) / min(counts), 2) for counts in paper.TABLE_2.values()] == list(paper.TABLE_2)
    # The text: 10.17% and 10.50% of all cells, and a share of the majority for each ratio.
    own = paper.TABLE_2[paper.OWN_RATIO]
    assert [round(100 * n / sum(own), 2) for n in own[:2]] == [10.17, 10.5]
    assert [round(paper.majority_share(rho)) for rho in paper.TABLE_2] == [50, 60, 70, 79, 85, 90, 95]


def test_table_3_repeats_the_optimal_lines_of_table_1() -> None:
    at_own = paper.TABLE_3[paper.OWN_RATIO]
    for name, lines in paper.TABLE_1.items():
        of = {(line.method, line.alpha): line.scores for line in lines}
        assert at_own[name][paper.FOCAL] == of[paper.FOCAL, {"densenet121": 1.5, "resnet50": 1.0}[name]]
        assert at_own[name][paper.CROSS_ENTROPY] == of[paper.CROSS_ENTROPY, None]
        focal = [line for line in lines if line.method == paper.FOCAL]
        assert max(line.scores[1] for line in focal) == at_own[name][paper.FOCAL][1]


def test_the_texts_counts_of_better_alphas_are_those_of_the_accuracy() -> None:
    better = {}
    for name, lines in paper.TABLE_1.items():
        plain = next(line for line in lines if line.method == paper.CROSS_ENTROPY)
        better[name] = sum(line.scores[0] > plain.scores[0] for line in lines if line.method == paper.FOCAL)
    assert better == {"densenet121": 4, "resnet50": 2}  # "4/7 cases", "2/7 cases"


def test_figure_11_counts_the_same_test_images_four_times_and_gives_the_texts_recalls() -> None:
    for matrix in paper.FIGURE_11.values():
        columns = [sum(row[c] for row in matrix) for c in range(3)]
        assert columns == [121, 115, 782] and sum(columns) == round(0.3 * 3392)
    codocyte = {key: 100 * matrix[0][0] / 121 for key, matrix in paper.FIGURE_11.items()}
    gained = [codocyte[name, paper.FOCAL] - codocyte[name, paper.CROSS_ENTROPY] for name in paper.MODELS]
    assert [round(one, 1) for one in gained] == [3.3, 6.6]
    accuracy = [round(paper.matrix_scores(matrix)[0], 1) for matrix in paper.FIGURE_11.values()]
    assert accuracy == [91.3, 95.6, 91.7, 92.8]


def test_focal_loss_has_the_higher_f1_in_all_of_table_3_and_less_than_alpha_alone_moves_it() -> None:
    gains = [
        losses[paper.FOCAL][1] - losses[paper.CROSS_ENTROPY][1]
        for models in paper.TABLE_3.values()
        for losses in models.values()
    ]
    assert len(gains) == 14 and min(gains) > 0
    for name in paper.MODELS:
        low, high = paper.f1_over_alpha(name)
        assert max(gains) < high - low
    assert paper.below_majority() == [
        (37.9, "densenet121", paper.FOCAL),
        (37.9, "resnet50", paper.FOCAL),
        (37.9, "resnet50", paper.CROSS_ENTROPY),
    ]


def test_figure_13_is_the_mean_of_both_models_gains() -> None:
    accuracy, f1, auroc = paper.relative_improvement(37.90)
    assert accuracy == pytest.approx(50 * ((94.00 - 96.12) / 96.12 + 0))
    assert f1 == pytest.approx(50 * (0.02 / 0.57 + 0.05 / 0.51))
    assert auroc == pytest.approx(50 * (-0.02 / 0.94 + 0.04 / 0.88))


@pytest.fixture(scope="module")
def out(
    asked: Asked,
    without_pages: pytest.MonkeyPatch,
    module_on_one_thread: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """What the study writes of phantom cells at two ratios, without any published weights."""
    home = tmp_path_factory.mktemp("pasupa2020")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(home / "no-weights"))
        patch.setattr(pasupa2020, "write_comparison_page", lambda folder: folder)
        patch.setattr(pasupa2020, "RATIOS", {rho: pasupa2020.RATIOS[rho] for rho in SHORT})
        for table in ("TABLE_2", "TABLE_3"):
            patch.setattr(pasupa2020, table, {rho: getattr(paper, table)[rho] for rho in SHORT})
        pasupa2020.study(asked(home / "out", pasupa2020.AMOUNTS, "--epochs", "1"), [], ["none"], None)
    return home / "out"


def lines_of(out: Path, title: str) -> list[list[str]]:
    """The table under a heading, cell by cell, without its head."""
    section = re.split(r"^## ", (out / "tables.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    mine = next(part for part in section if part.startswith(title))
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in mine.splitlines() if line.startswith("|")][2:]


def test_table_1_has_the_papers_lines_in_order_then_what_stands_in(out: Path) -> None:
    rows = [row for row in lines_of(out, "Table 1") if len(row) == 9]
    of_paper = [(paper.MODELS[name], line.method) for name, lines in paper.TABLE_1.items() for line in lines]
    stands_in = [("*sequential-cnn*", line.method) for line in paper.TABLE_1["resnet50"]]
    tried = [kind for kind in stands_in if kind[1] != paper.FOCAL]
    assert [(row[0], row[1]) for row in rows] == [*of_paper, *[("*sequential-cnn*", paper.FOCAL)] * 3, *tried]
    for row in rows[:20]:
        assert row[-1].startswith("missing: densenet121-" if row[0] == "DenseNet-121" else "missing: resnet50-")
        assert all(cell.endswith("/ -") for cell in row[4:7])
    for row in rows[20:]:
        assert row[-1] == "from scratch" and all(re.match(r"- / [\d.]+ \(", cell) for cell in row[4:7])


def test_tables_2_and_3_have_a_line_for_each_ratio(out: Path) -> None:
    rows = lines_of(out, "Table 2")
    assert [row[0].split(" / ")[0] for row in rows] == [f"{rho:.2f}" for rho in SHORT]
    assert [row[1:5] for row in rows] == [["345", "356", "701", "1402"], ["345", "356", "2691", "3392"]]
    third = [row for row in lines_of(out, "Table 3") if len(row) == 9]
    assert [row[0] for row in third] == ["DenseNet-121"] * 2 + ["ResNet-50"] * 2 + ["*sequential-cnn*"] * 2
    assert third[0][2:5] == ["89.79 / -", "0.90 / -", "0.97 / -"]
    assert all(re.match(r"- / [\d.]+", cell) for cell in third[4][2:8])


def test_alpha_was_searched_on_the_training_split_and_figures_are_drawn(out: Path) -> None:
    figures = json.loads((out / "figures.json").read_text(encoding="utf-8"))
    searched = [row for row in figures["searches"]["sequential-cnn"]["rows"] if row["values"]]
    best = max(searched, key=lambda row: row["macro-F1"]["mean"])["values"]["alpha"]
    assert figures["sweeps"]["sequential-cnn"]["about"]["arms"] == ["none", f"focal:alpha={best:g}"]
    assert figures["sweeps"]["sequential-cnn"]["about"]["minority"] == ["basophil", "lymphocyte"]
    for name in ("roc", "confusion", "loss"):
        drawn = list(out.glob(f"{name}_sequential-cnn*.svg"))
        assert drawn and all(path.stat().st_size > 1000 for path in drawn)
    assert (out / "improvement.svg").is_file() and (out / "sweep-sequential-cnn" / "report.html").is_file()


def test_a_class_that_is_not_there_is_refused(asked: Asked, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no class 'smudge cell'"):
        pasupa2020.study(asked(tmp_path, pasupa2020.AMOUNTS), ["smudge cell"], ["none"], None)
