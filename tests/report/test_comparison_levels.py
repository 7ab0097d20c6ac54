"""The page of a comparison has a section for superclasses where there is a label tree, and none where there is none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gansynth.cells.spoiling import SPOILINGS
from gansynth.data.phantom import write_phantom
from gansynth.errors import InputError
from gansynth.report.blocks import Grid
from gansynth.report.comparison.in_use import in_use
from gansynth.report.comparison.levels import levels, robustness
from gansynth.report.comparison.page import comparison_page
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.study import compare

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("levels")
    write_phantom(place / "cells", {"basophil": 14, "eosinophil": 30, "lymphocyte": 20, "platelet": 10}, size=16)
    compare(
        str(place / "cells"), ["none", "oversample"], ["naive-bayes"], place / "out", size=16, seeds=1, jobs=1,
        device="cpu", progress=False, changes=["classical.components=6"],
    )  # fmt: skip
    return place / "out"


def test_the_section_shows_the_tree_every_arm_and_the_difference_of_each_remedy(folder: Path) -> None:
    results = Comparison.read(folder)
    (section,) = levels(results)
    tree, arms, differences = [block for block in section.blocks if isinstance(block, Grid)]
    assert [(row.name, row.cells[0].text) for row in tree.rows] == [
        ("granulocyte", "basophil, eosinophil"),
        ("agranulocyte", "lymphocyte"),
        ("platelet", "a class by itself"),
    ]
    assert [row.name for row in arms.rows] == ["naive-bayes", "none (original)", "oversample"]
    assert [row.name for row in differences.rows] == ["Macro F1", "oversample"]
    assert section.title in [one.title for one in comparison_page(results).sections]


def test_accuracy_of_superclasses_is_not_below_that_of_classes_where_sums_follow_the_largest(folder: Path) -> None:
    results = Comparison.read(folder)
    above = results.superclasses
    assert above is not None
    for entry in results.arms:
        # Right about the class is right about the superclass, but for sums that overtake the largest probability.
        pair = [one.metrics["accuracy"].value for one in (entry, above.entry(entry.arm, entry.classifier)) if one]
        assert None not in pair and pair[1] >= pair[0] - 0.05


@pytest.mark.parametrize("held", ["null", "absent"])
def test_a_comparison_without_a_tree_or_of_an_earlier_version_has_no_such_section(
    folder: Path, tmp_path: Path, held: str
) -> None:
    facts = json.loads((folder / "results.json").read_text()) | {"superclasses": None}
    if held == "absent":
        del facts["superclasses"]
    (tmp_path / "results.json").write_text(json.dumps(facts))
    assert levels(Comparison.read(tmp_path)) == []


def test_superclasses_that_were_edited_by_hand_are_refused(folder: Path, tmp_path: Path) -> None:
    facts = json.loads((folder / "results.json").read_text()) | {"superclasses": {"tree": {}, "about": {}}}
    (tmp_path / "results.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match="is not what `gansynth compare"):
        Comparison.read(tmp_path)


def test_a_comparison_on_other_pictures_too_has_a_section_with_every_arm_in_every_condition(
    folder: Path, tmp_path: Path
) -> None:
    assert not robustness(Comparison.read(folder))
    found = compare(
        str(folder.parent / "cells"), ["none", "oversample"], ["naive-bayes"], tmp_path / "out", size=16, seeds=1,
        jobs=1, device="cpu", progress=False, changes=["classical.components=6"], robustness=True,
    )  # fmt: skip
    (section,) = robustness(found)
    first = section.blocks[0]
    assert isinstance(first, Grid)
    assert list(first.head)[1:] == ["as they are", *(one.title for one in SPOILINGS.values())]
    assert [row.name for row in first.rows] == ["none (original)", "oversample"]
    assert all(len(row.cells) == 5 for row in first.rows)
    titles = [one.title for one in comparison_page(found).sections]
    assert section.title in titles
    assert not in_use(replace(found, in_use=()))
    (needed,) = in_use(found)
    assert needed.title in titles and len(needed.blocks) == 2
    for block in needed.blocks:
        assert isinstance(block, Grid) and list(block.head)[1:] == list(found.about.rare)
        assert [row.name for row in block.rows] == ["none (original)", "oversample"]
