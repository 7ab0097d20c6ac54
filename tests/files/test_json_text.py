"""JSON within limits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gansynth.errors import InputError
from gansynth.files import parse_json, read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(value=VALUES)
def test_json_is_read_as_it_was_written(value: object) -> None:
    assert parse_json(json.dumps(value), "x") == value


@given(text=st.text(alphabet='[]{}",:01e\\ntrue ') | st.text())
def test_any_text_is_json_or_refused_in_one_sentence(text: str) -> None:
    try:
        parse_json(text, "x.json")
    except InputError as error:
        assert str(error).startswith("x.json") and "\n" not in str(error)


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
@pytest.mark.parametrize("depth", [101, 10_000, 1_000_000])
def test_depth_without_end_is_refused(tmp_path: Path, opening: str, depth: int) -> None:
    (tmp_path / "run.json").write_text(opening * depth)
    with pytest.raises(InputError, match="inside each other"):
        read_json(tmp_path / "run.json")


def test_brackets_inside_strings_are_not_depth() -> None:
    assert parse_json(json.dumps(["[{" * 300, '\\"[' * 300]), "x") == ["[{" * 300, '\\"[' * 300]


@pytest.mark.parametrize("text", ["", " \n", "{", '{"a": 1', "9" * 5000])
def test_emptied_and_cut_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InputError, match=r"run\.json"):
        read_json(tmp_path / "run.json")
