"""Help fits one screen: what a command does, an example, the options of every day; `--help-all` explains the others."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from gansynth.cli import gansynth
from gansynth.cli.screen import SCREEN, Rare


def walk(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Return every group and command, with the words that name it."""
    yield path, command
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            yield from walk(one, (*path, name))


EVERY = dict(walk(gansynth))
COMMANDS = {path: command for path, command in EVERY.items() if not isinstance(command, click.Group)}


def shown(*words: str) -> list[str]:
    """Return what is printed on a terminal of 80 columns."""
    result = CliRunner().invoke(gansynth, list(words), terminal_width=80)
    assert result.exit_code == 0
    return result.output.splitlines()


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_help_fits_one_screen(path: tuple[str, ...]) -> None:
    lines = shown(*path, "--help")
    assert len(lines) <= SCREEN == 40
    assert all(len(line) <= 80 for line in lines)


@pytest.mark.parametrize("path", [path for path in EVERY if path not in COMMANDS], ids=" ".join)
def test_what_a_command_does_is_said_whole_where_commands_are_listed(path: tuple[str, ...]) -> None:
    assert not any(line.endswith("...") for line in shown(*path, "--help")[1:])


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_an_example_stands_before_the_options(path: tuple[str, ...]) -> None:
    lines = shown(*path, "--help")
    example = lines.index("  Example:")
    assert example <= 5 and lines[example + 1].startswith("    gansynth " + " ".join(path))
    assert lines.index("Options:") > example


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_the_whole_help_explains_every_option_and_the_short_one_names_them(path: tuple[str, ...]) -> None:
    short, whole = "\n".join(shown(*path, "--help")), "\n".join(shown(*path, "--help-all"))
    for option in COMMANDS[path].params:
        if isinstance(option, click.Option) and not option.hidden:
            assert option.opts[0] in short
            assert f"  {option.opts[0]}" in whole or f", {option.opts[0]} " in whole
    assert "explained by --help-all" not in whole


def test_rare_options_are_a_group_of_their_own() -> None:
    named = "\n".join(shown("compare", "--help")).split("More options, explained by --help-all:")
    rare = [option.opts[0] for option in COMMANDS["compare",].params if isinstance(option, Rare)]
    assert len(named) == 2 and len(rare) > 10 and not any(f"  {option} " in named[0] for option in rare)
    assert all(option in named[1] for option in rare)


def test_an_option_of_the_whole_program_behind_a_command_is_put_in_its_place() -> None:
    for words, said in (
        (("compare", "c", "--log-file", "x"), "--log-file stands before the command: gansynth --log-file FILE compare"),
        (("data", "info", "c", "-q"), "-q stands before the command: gansynth -q data info"),
        (("data", "info", "c", "--quite"), "No such option '--quite'"),
    ):
        result = CliRunner().invoke(gansynth, list(words), prog_name="gansynth")
        assert result.exit_code == 2 and said in result.stderr


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (
            ("generate", "pbc-64", "promyelocyte", "--out", "synthetic"),
            "gansynth generate takes RUN, and the rest by options such as --class",
        ),
        (("demo", "here"), "gansynth demo takes no argument, and the rest by options such as --out; too many: here"),
        (("models", "a", "b"), "gansynth models takes no argument; too many: a b"),
    ],
)
def test_of_an_argument_too_many_it_is_said_what_the_command_takes(typed: tuple[str, ...], says: str) -> None:
    result = CliRunner().invoke(gansynth, typed)
    assert result.exit_code == 2 and says in " ".join(result.stderr.split())
