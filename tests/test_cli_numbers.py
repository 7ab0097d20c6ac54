"""Every option that takes a number takes a finite one in its range; a comma may be part of a name."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from gansynth.cli import gansynth
from gansynth.cli.arguments import MOST_COUNT, Number, parse_count, parse_counts, parse_names, parse_numbers
from gansynth.errors import InputError


def options(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Option]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from options(command, (*path, name))
        else:
            yield from (((*path, name), one) for one in command.params if isinstance(one, click.Option))


NUMBERS = [
    (path, option)
    for path, option in options(gansynth)
    if isinstance(option.type, (click.types.FloatParamType, click.types.IntParamType))
]


def test_there_are_numbers_to_look_at() -> None:
    assert len(NUMBERS) > 30


@pytest.mark.parametrize(("path", "option"), NUMBERS, ids=lambda one: getattr(one, "name", one))
def test_no_number_without_an_end_is_taken(path: tuple[str, ...], option: click.Option) -> None:
    for text in ("nan", "inf", "-inf", "1e400", "-1", "1e300", "9" * 400, "9" * 5000, "1,5", "", "0x10"):
        result = CliRunner().invoke(gansynth, [*path, f"{option.opts[0]}={text}"])
        assert result.exit_code == 2 and "Traceback" not in result.output
        assert option.opts[0] in result.output.replace("\n", " "), (text, result.output)


@given(number=st.floats())
def test_a_float_is_in_the_range_or_refused(number: float) -> None:
    kind = Number(0, min_open=True)
    try:
        assert 0 < kind.convert(repr(number), None, None) < float("inf")
    except click.BadParameter:
        assert not 0 < number < float("inf")


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "1e400", "half", "1,nan"])
def test_lists_of_numbers_hold_finite_ones(text: str) -> None:
    with pytest.raises(InputError, match=r"--doses: .* is not a"):
        parse_numbers(text, "--doses", "0.5,1")


@pytest.mark.parametrize("text", ["0", "-3", "1e3", "nan", "9" * 40, "9" * 5000, "", "two", str(MOST_COUNT + 1)])
def test_counts_are_whole_and_have_an_end(text: str) -> None:
    with pytest.raises(InputError, match="is not a number of images"):
        parse_count(text, "--count")


NAME = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters='"'), min_size=1).map(str.strip)


@given(names=st.lists(NAME.filter(bool), max_size=5))
def test_names_between_quotes_may_hold_commas_and_equals_signs(names: list[str]) -> None:
    assert parse_names(",".join(f'"{name}"' for name in names)) == names
    distinct = list(dict.fromkeys(names))
    assert list(parse_counts(",".join(f'"{name}"=3' for name in distinct), "--rarity")) == distinct


def test_real_class_names_can_be_held_rare() -> None:
    assert parse_counts('"Blast, no lineage spec"=40,a=b=3', "--rarity") == {"Blast, no lineage spec": 40, "a=b": 3}
