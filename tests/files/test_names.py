"""A name that somebody else has given is shown, never obeyed."""

from __future__ import annotations

import os
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gansynth.errors import InputError
from gansynth.files import as_seen, known_classes, known_counts, shown


@given(name=st.text(min_size=1))
def test_any_name_is_one_line_that_a_terminal_shows_and_does_not_obey(name: str) -> None:
    said = shown(name)
    assert said.isprintable() and said.encode("utf-8").decode("utf-8") == said
    if name.isprintable():
        assert said == name


@given(name=st.binary(min_size=1))
def test_any_bytes_that_a_disk_holds_can_be_shown(name: bytes) -> None:
    assert shown(os.fsdecode(name)).isprintable()


@given(
    known=st.lists(st.text("ae\u00e9\u0301 n1", min_size=1).filter(str.strip), min_size=1, unique_by=as_seen),
    form=st.sampled_from(["NFC", "NFD"]),
    data=st.data(),
)
def test_a_class_is_found_however_it_is_composed_and_whatever_blanks_are_around_it(
    known: list[str], form: str, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(known))
    typed = f" {unicodedata.normalize(form, name)} "  # type: ignore[arg-type]
    assert known_classes([typed], known, "--rare") == [name]
    assert known_counts({typed: 3}, known, "--rarity") == {name: 3}


@given(known=st.lists(st.text(min_size=1), min_size=1, unique_by=as_seen), name=st.text(min_size=1))
def test_a_class_that_is_not_there_is_refused_with_one_that_is(known: list[str], name: str) -> None:
    assume(as_seen(name) not in map(as_seen, known))
    with pytest.raises(InputError, match="--rare: no class") as refused:
        known_classes([name], known, "--rare")
    assert str(refused.value).isprintable()


def test_the_nearest_name_is_given_and_else_all_as_they_can_be_typed() -> None:
    with pytest.raises(InputError, match=r"^--rare: no class 'Promyelozyt'; did you mean 'promyelocyte'\?$"):
        known_classes(["Promyelozyt"], ["monocyte", "promyelocyte"], "--rare")
    with pytest.raises(InputError, match=r"""^--rare: no class 'x'; there are a, "b, c"$"""):
        known_classes(["x"], ["a", "b, c"], "--rare")
    with pytest.raises(InputError, match="given twice"):
        known_classes(["\u00e9", "e\u0301"], ["\u00e9"], "--rare")
