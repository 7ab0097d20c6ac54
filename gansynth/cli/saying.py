"""`gansynth --quiet` and `gansynth --log-file FILE`: where what a command says of its course goes.

Results stand on standard output and are not touched; nor is the sentence with which a command ends in failure.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click

from gansynth.cli.arguments import FOLDER

Command = TypeVar("Command", bound=Callable[..., Any])

WARNING = "warning: "


class Course(io.TextIOBase):
    """Standard error while a command works: no terminal, so that its course comes in plain lines, not as bars.

    Parameters
    ----------
    terminal : text file
        Gets the warnings.
    log : text file or None
        Gets every line with the time before it.
    """

    def __init__(self, terminal: TextIO, log: TextIO | None) -> None:
        self._terminal, self._log, self._begun = terminal, log, ""

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Take text, and pass on each line that is whole."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            if self._log is not None:
                self._log.write(f"{datetime.now().isoformat(sep=' ', timespec='seconds')}  {line}\n")
                self._log.flush()
            if line.startswith(WARNING):
                self._terminal.write(line + "\n")
        return len(text)

    def close(self) -> None:
        """Pass on a last line that has no end."""
        if self._begun:
            self.write("\n")
        if self._log is not None:
            self._log.close()
        super().close()


def saying_options(command: Command) -> Command:
    """Add `--quiet` and `--log-file`, of the whole command line."""

    def begin(context: click.Context, quiet: bool | None, path: Path | None) -> None:
        """Put a `Course` in the place of standard error until the command ends, as soon as either is given."""
        if not quiet and path is None:
            return
        try:
            log = None if path is None else path.open("a", encoding="utf-8")
        except OSError as error:
            raise click.BadParameter(f"{path}: {error.strerror}") from None
        before = sys.stderr
        course = Course(before, log)
        sys.stderr = course

        def end() -> None:
            sys.stderr = before
            course.close()

        context.call_on_close(end)

    def note_quiet(context: click.Context, _: click.Parameter, quiet: bool) -> None:
        context.meta["gansynth.quiet"] = quiet

    def note_log(context: click.Context, _: click.Parameter, path: Path | None) -> None:
        begin(context, context.meta.get("gansynth.quiet"), path)

    quiet, log = (
        "Print warnings and the result only.",
        "Write the course of the work to a file instead.",
    )
    command = click.option("--log-file", type=FOLDER, metavar="FILE", expose_value=False, callback=note_log, help=log)(
        command
    )
    return click.option(
        "--quiet", "-q", is_flag=True, is_eager=True, expose_value=False, callback=note_quiet, help=quiet
    )(command)
