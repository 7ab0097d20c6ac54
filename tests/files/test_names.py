"""A name that somebody else has given is shown, never obeyed."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from gansynth.files import shown


@given(name=st.text(min_size=1))
def test_any_name_is_one_line_that_a_terminal_shows_and_does_not_obey(name: str) -> None:
    said = shown(name)
    assert said.isprintable() and said.encode("utf-8").decode("utf-8") == said
    if name.isprintable():
        assert said == name


@given(name=st.binary(min_size=1))
def test_any_bytes_that_a_disk_holds_can_be_shown(name: bytes) -> None:
    assert shown(os.fsdecode(name)).isprintable()
