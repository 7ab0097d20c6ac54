"""Runs with long paths have short names on a page, and the commands keep the paths."""

from __future__ import annotations

import json
from pathlib import Path

from gansynth.report.comparison.arms import shortened
from gansynth.report.comparison.page import comparison_page
from gansynth.studies.comparison.entries import Recommendation
from gansynth.studies.comparison.result import Comparison
from tests.report.comparison_folder import write_comparison_folder

LONG = "/data/somewhere/runs/my-gan"


def renamed(folder: Path, **names: str) -> Comparison:
    """A comparison whose arms have other names."""
    write_comparison_folder(folder, swap=False, doses=False)
    text = (folder / "results.json").read_text()
    for old, new in names.items():
        text = text.replace(json.dumps(old), json.dumps(new))
    (folder / "results.json").write_text(text)
    return Comparison.read(folder)


def test_an_arm_is_called_by_the_last_part_of_its_path_everywhere_but_in_commands(tmp_path: Path) -> None:
    found = renamed(tmp_path, oversample=LONG)
    advice = Recommendation(LONG, "sequential-cnn", f"{LONG} is best.", f"gansynth train-classifier --remedy {LONG}")
    short = shortened(Comparison.from_json(found.to_json() | {"recommendation": advice.to_json()}))
    assert "my-gan" in short.arm_names and LONG not in short.arm_names
    assert {effect.arm for effect in short.effects} <= set(short.arm_names)
    assert short.recommendation == Recommendation("my-gan", "sequential-cnn", "my-gan is best.", advice.command)
    page = comparison_page(short)
    assert page.verdict == "Use sequential-cnn with my-gan: my-gan is best."
    assert page.commands[0][0] == advice.command


def test_paths_that_end_alike_keep_their_whole_names(tmp_path: Path) -> None:
    found = renamed(tmp_path, oversample="/one/gan", augmentation="/two/gan")
    assert shortened(found) == found
