"""Dataclasses as JSON objects: what is written is read back equal, and what is not one is refused by its key."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gansynth.files.json_object import ELSEWHERE, IF_GIVEN, INLINE, JsonObject, Key


class Cells:
    """Something that JSON does not hold and nobody can read back."""


@dataclass(frozen=True)
class Of(JsonObject):
    metric: str
    class_name: Annotated[str | None, Key("class")] = None


@dataclass(frozen=True)
class Value(JsonObject):
    of: Annotated[Of, INLINE]
    value: float | None
    note: Annotated[str, IF_GIVEN] = ""


@dataclass(frozen=True)
class Results(JsonObject):
    primary: Value
    others: tuple[Value, ...] = ()
    by_class: dict[str, Value] = field(default_factory=dict)
    cells: Annotated[Cells | None, ELSEWHERE] = field(default=None, compare=False)
    folder: Annotated[Path | None, ELSEWHERE] = field(default=None, compare=False)


values = st.builds(
    Value, st.builds(Of, st.text(), st.none() | st.text()), st.none() | st.floats(-1, 1), st.text(max_size=3)
)
results = st.builds(Results, values, st.lists(values).map(tuple), st.dictionaries(st.text(), values))


@settings(deadline=None)
@given(results)
def test_what_is_written_is_read_back_equal(found: Results) -> None:
    assert Results.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_marks_say_where_a_field_stands() -> None:
    found = Results(Value(Of("recall", "monocyte"), 0.5), (Value(Of("F1"), float("nan"), "too few"),), cells=Cells())
    assert found.to_json() == {
        "primary": {"metric": "recall", "class": "monocyte", "value": 0.5},
        "others": [{"metric": "F1", "class": None, "value": None, "note": "too few"}],
        "by_class": {},
    }


def test_keys_that_no_field_has_are_passed_over() -> None:
    assert Value.from_json({"metric": "F1", "value": 1, "learned_from": 7}) == Value(Of("F1"), 1.0)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, "primary: field required"),
        ([], "is not an object"),
        ({"primary": {"metric": "F1", "value": "high"}}, r"primary\.value: "),
        ({"primary": {"metric": "F1", "value": 1}, "others": [{"value": 1}]}, r"others\.0\.of\.metric: field required"),
    ],
)
def test_what_is_not_one_is_refused_by_the_first_key_that_is_wrong(found: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Results.from_json(found)  # type: ignore[arg-type]
