"""`gansynth --quiet` and `gansynth --log-file FILE`: where what a command says goes.

With either, what it says of its course leaves the terminal; warnings, results and the reason of a failure stay there. A
log gets all of it.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO, TypeVar

import click

from gansynth.cli.arguments import FOLDER, typed_command

Command = TypeVar("Command", bound=Callable[..., Any])

KEPT = ("warning: ", "gansynth: ", "stopped")
"""How lines on standard error begin that a user sees in any case: warnings, and why the whole job was not done."""


class Log:
    """A file that gets every line with the time before it; what was in it stays.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    OSError
        If it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8", errors="backslashreplace")

    def line(self, text: str) -> None:
        """Add a line, at once."""
        self._file.write(f"{datetime.now().isoformat(sep=' ', timespec='seconds')}  {text}\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _Lines(io.TextIOBase):
    """A text file that hands on what it gets line by line. It is not a terminal: nothing is drawn anew on it."""

    def __init__(self) -> None:
        self._begun = ""

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Take text, and hand on each line that is whole."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            self.line(line)
        return len(text)

    def close(self) -> None:
        """Hand on a last line that has no end."""
        if self._begun and not self.closed:
            self.write("\n")
        super().close()

    def line(self, text: str) -> None:
        raise NotImplementedError


class Course(_Lines):
    """Standard error while a command works, so that its course comes in plain lines, not as bars.

    Parameters
    ----------
    terminal : text file
        Gets warnings, and why the whole job was not done.
    log : Log or None
        Gets every line.
    """

    def __init__(self, terminal: TextIO, log: Log | None) -> None:
        super().__init__()
        self._terminal, self._log = terminal, log

    def line(self, text: str) -> None:
        """Pass on a line."""
        if self._log is not None:
            self._log.line(text)
        if text.startswith(KEPT):
            self._terminal.write(text + "\n")


class Results(_Lines):
    """Standard output while a command works: goes where it went, and into a log.

    Parameters
    ----------
    out : text file
    log : Log
    """

    def __init__(self, out: TextIO, log: Log) -> None:
        super().__init__()
        self._out, self._log = out, log

    def write(self, text: str) -> int:
        """Take text, pass it on as it comes, and log each line that is whole."""
        self._out.write(text)
        return super().write(text)

    def line(self, text: str) -> None:
        """Log a line."""
        self._log.line(text)

    def flush(self) -> None:
        """Send off what was written."""
        self._out.flush()


class Streams(AbstractContextManager[None]):
    """Puts a `Course` in the place of standard error, and, where there is a log, `Results` in that of standard output.

    Parameters
    ----------
    log : Log or None
    """

    def __init__(self, log: Log | None) -> None:
        self._log, self._before = log, (sys.stdout, sys.stderr)

    def __enter__(self) -> None:
        sys.stderr = Course(sys.stderr, self._log)
        if self._log is not None:
            self._log.line(f"$ {typed_command()}")
            sys.stdout = Results(sys.stdout, self._log)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, _Lines):
                stream.close()
        sys.stdout, sys.stderr = self._before
        if self._log is not None:
            reason = error or sys.exc_info()[1]  # click 8.1 does not hand it on
            if isinstance(reason, click.ClickException):  # shown after this, on the terminal alone
                self._log.line(f"gansynth: {reason.format_message()}")
            self._log.close()


def saying_options(command: Command) -> Command:
    """Add `--quiet` and `--log-file`, of the whole command line."""

    def begin(context: click.Context, quiet: bool | None, path: Path | None) -> None:
        """Redirect what the command says until it ends, as soon as either is given."""
        if not quiet and path is None:
            return
        try:
            log = None if path is None else Log(path)
        except OSError as error:
            raise click.BadParameter(f"{path}: {error.strerror}") from None
        context.with_resource(Streams(log))

    def note_quiet(context: click.Context, _: click.Parameter, quiet: bool) -> None:
        context.meta["gansynth.quiet"] = quiet

    def note_log(context: click.Context, _: click.Parameter, path: Path | None) -> None:
        begin(context, context.meta.get("gansynth.quiet"), path)

    quiet, log = (
        "Print warnings and the result only.",
        "Write all that is said to a file; bars stay away.",
    )
    command = click.option("--log-file", type=FOLDER, metavar="FILE", expose_value=False, callback=note_log, help=log)(
        command
    )
    return click.option(
        "--quiet", "-q", is_flag=True, is_eager=True, expose_value=False, callback=note_quiet, help=quiet
    )(command)
