"""What a command answers: lines for a reader, or with `--json` one object for a script.

The object stands alone on standard output. It holds neither NaN nor infinity, which JSON does not know (null stands for
them), and nothing but ASCII, so that it is JSON in whatever encoding the terminal has.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from gansynth.cli.screen import Rare
from gansynth.files.names import printable

if TYPE_CHECKING:
    from gansynth.forecast import Forecast

_JSON, _BEGAN, _WARNINGS = "gansynth.json", "gansynth.began", "gansynth.warnings"


def add_json_option(commands: click.Group) -> None:
    """Let every command of a group, and of the groups in it, take `--json`."""

    def note(context: click.Context, _: click.Parameter, asked: bool) -> None:
        context.meta[_JSON] = asked

    for command in commands.commands.values():
        if isinstance(command, click.Group):
            add_json_option(command)
        else:
            what = "Print one JSON object instead (docs/commands.md)."
            command.params.append(Rare(["--json"], is_flag=True, expose_value=False, callback=note, help=what))


def begin(context: click.Context) -> None:
    """Remember when a command began, and that it has warned of nothing."""
    context.meta[_BEGAN], context.meta[_WARNINGS] = time.monotonic(), []


def warn(sentence: str, context: click.Context | None = None) -> None:
    """Print a warning in one line on standard error, and keep it for `course`."""
    said = printable(sentence)
    known = context or click.get_current_context(silent=True)
    if known is not None:
        known.meta.setdefault(_WARNINGS, []).append(said)
    click.echo(f"warning: {said}", err=True)


def answers_in_json() -> bool:
    """Return whether the command was typed with `--json`."""
    return bool(click.get_current_context().meta.get(_JSON))


def answer(found: Callable[[], Mapping[str, Any]], text: Callable[[], str] | None = None, wrote: str = "") -> None:
    """Print what a command has found.

    Parameters
    ----------
    found : callable
        Returns it as an object for a script, as `plain` takes it.
    text : callable, optional
        Returns it as lines for a reader.
    wrote : str
        Where it was written, a line; with `--json` it goes to standard error.
    """
    as_json = answers_in_json()
    if as_json:
        from gansynth.files.json_object import plain

        click.echo(json.dumps(plain(found()), allow_nan=False))
    elif text is not None:
        click.echo(text())
    if wrote:
        click.echo(wrote, err=as_json)


def course() -> dict[str, Any]:
    """Return how long a command has worked, in seconds, and what it has warned of."""
    meta = click.get_current_context().meta
    return {"seconds": round(time.monotonic() - meta[_BEGAN], 2), "warnings": list(meta[_WARNINGS])}


def forecast_of(found: Forecast) -> None:
    """Print what `--dry-run` says."""
    answer(found.to_json, lambda: str(found))
