"""Neighbouring stages are counted among mistakes, and what is no study's file is refused."""

import doctest
import json
from pathlib import Path

import pytest

import stage_mistakes
from gansynth.errors import InputError
from kept_results import RESULTS


def test_only_the_stage_before_and_after_is_a_neighbour() -> None:
    names = ["band neutrophil", "platelet", "metamyelocyte", "segmented neutrophil", "promyelocyte"]
    confusion = [[5, 1, 2, 3, 0], [0, 9, 0, 0, 0], [4, 0, 5, 1, 0], [0, 0, 0, 6, 1], [0, 0, 2, 0, 8]]
    found = stage_mistakes.mistakes(confusion, names)
    # Without myelocytes a metamyelocyte stands beside a promyelocyte.
    assert (found.wrong, found.beside) == (6 + 5 + 1 + 2, 5 + 4 + 0 + 2)
    assert found.evenly == pytest.approx((6 * 2 + 5 * 2 + 1 + 2) / 4 / 14)


def test_kept_matrices_are_read_arm_by_arm() -> None:
    text = stage_mistakes.table([RESULTS / "guo2022" / "figures.json"])
    assert "| guo2022 | custom-cnn | augmentation+cb-focal |" in text


def test_a_file_without_stages_is_refused(tmp_path: Path) -> None:
    part = {
        "about": {"classes": ["a", "b"]},
        "arms": [{"arm": "none", "classifier": "c", "confusion": [[1, 1], [0, 1]]}],
    }
    (tmp_path / "figures.json").write_text(json.dumps({"sets": part}))
    with pytest.raises(InputError, match="keeps no matrix of classes that are stages"):
        stage_mistakes.table([tmp_path / "figures.json"])


def test_the_example_is_right() -> None:
    assert doctest.testmod(stage_mistakes).failed == 0
