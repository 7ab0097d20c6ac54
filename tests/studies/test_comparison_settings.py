"""Claims about the settings of a comparison: they are checked where they are made, and keywords are the same."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from gansynth.data.phantom import write_phantom
from gansynth.errors import InputError
from gansynth.studies.comparison.settings import ComparisonSettings
from gansynth.studies.comparison.study import compare

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"seeds": 0}, "--seeds 0: give at least 1"),
        ({"jobs": 0}, "--jobs 0: give at least 1"),
        ({"protocol": "other"}, "--protocol other: choose clean or paper"),
        ({"endpoint": "accuracy"}, "--endpoint accuracy: choose macro-F1 or balanced-accuracy"),
        ({"doses": [0.5, -1]}, "--doses: -1 is not a number from 0 to 100"),
        ({"protocol": "paper", "folds": 2}, "leave out --folds"),
    ],
)
def test_impossible_settings_are_refused_where_they_are_made(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        ComparisonSettings(**wrong)


def test_keywords_are_the_settings_by_their_names(tmp_path: Path) -> None:
    write_phantom(tmp_path / "cells", {"basophil": 12, "eosinophil": 20}, size=16)
    asked = {"size": 16, "seeds": 1, "jobs": 1, "device": "cpu", "changes": ["classical.components=4"], "folds": None}
    found = [
        compare(tmp_path / "cells", ["none"], ["naive-bayes"], tmp_path / name, progress=False, **how)
        for name, how in {"words": asked, "object": {"settings": ComparisonSettings(**asked)}}.items()
    ]
    assert [one.metrics for one in found[0].arms] == [one.metrics for one in found[1].arms]
    with pytest.raises(TypeError, match="size_of_images"):
        compare(tmp_path / "cells", ["none"], [], tmp_path / "third", size_of_images=16)


def test_every_setting_is_documented_and_compare_has_few_parameters() -> None:
    text = ComparisonSettings.__doc__ or ""
    assert all(one.name in text for one in fields(ComparisonSettings))
    assert len(inspect.signature(compare).parameters) <= 12
