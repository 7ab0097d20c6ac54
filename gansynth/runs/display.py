"""How far work is: a bar, a percentage and the time left on a terminal of 80 columns, plain lines in a log."""

from __future__ import annotations

import math
import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

_UNKNOWN = "--:--"
_SOON = 2.0
"""Seconds after which whoever reads a log knows what is being done."""


def clock(seconds: float | None) -> str:
    """Return a duration as ``mm:ss`` or ``h:mm:ss``, and dashes where it is not known.

    Examples
    --------
    >>> clock(65), clock(7322), clock(None)
    ('01:05', '2:02:02', '--:--')
    """
    if seconds is None:
        return _UNKNOWN
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


def time_left(elapsed: float, done: float, total: float | None) -> float | None:
    """Return the seconds that the rest will take at the pace so far; None where there is no pace yet.

    Parameters
    ----------
    elapsed : float
        Seconds since this session began.
    done : float
        What this session has done, in the unit of `total`.
    total : float or None
        What this session has to do.
    """
    return None if total is None or done <= 0 else elapsed * max(0.0, total - done) / done


class TimeLeft(ProgressColumn):
    """The time left at the pace of this session.

    Rich's own column looks at the last half minute alone, and so knows nothing of trainings that take longer each.
    """

    def __init__(self) -> None:
        super().__init__(table_column=Column(no_wrap=True, width=13))
        self._seen: dict[TaskID, tuple[float, float]] = {}

    def render(self, task: Task) -> Text:
        """Return ``mm:ss left``, or what a finished task took."""
        now = task.elapsed or 0.0
        if task.finished:
            return Text(f"{clock(task.finished_time)}", style="progress.elapsed")
        first = float(task.fields.get("first", 0.0))
        done, at = self._seen.get(task.id, (first, now))
        if task.completed != done:
            done, at = task.completed, now
        self._seen[task.id] = done, at
        left = time_left(at, done - first, None if task.total is None else task.total - first)
        return Text(f"{clock(None if left is None else left - (now - at))} left", style="progress.remaining")


def work_bar(console: Console, *, noted: bool = False, transient: bool = False, disable: bool = False) -> Progress:
    """Return the progress bar of all commands; its tasks may have a field `first`, what was done before it began.

    Whatever the width, the bar, the percentage and the time left stay visible: what is cut are words.

    Parameters
    ----------
    console : rich.console.Console
    noted : bool
        Whether tasks have a field `note`, which is shown instead of how many of how many are done.
    transient : bool
        Whether it vanishes at the end.
    disable : bool
    """
    columns: list[ProgressColumn] = [
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=2, overflow="ellipsis")),
        BarColumn(bar_width=14),
        TextColumn("{task.percentage:>3.0f}%", table_column=Column(no_wrap=True, width=4)),
    ]
    if noted:
        cut = Column(no_wrap=True, ratio=2, overflow="ellipsis")
        columns += [TimeLeft(), TextColumn("{task.fields[note]}", markup=False, table_column=cut)]
    else:
        columns += [MofNCompleteColumn(table_column=Column(no_wrap=True)), TimeLeft()]
    return Progress(*columns, console=console, expand=True, transient=transient, disable=disable)


def error_console(*, quiet: bool = False) -> Console:
    """Return a console on standard error, a terminal only where that is one.

    Variables such as FORCE_COLOR, which ask for colours in a file, would have bars drawn anew in it.
    """
    a_file = not sys.stderr.isatty()
    return Console(
        stderr=True, quiet=quiet, force_terminal=False if a_file else None, markup=False, emoji=False, highlight=False
    )


class WorkDisplay:
    """Shows on standard error how far work of a known length is.

    Parameters
    ----------
    what : str
        What is being done.
    total : int, optional
        How much there is to do; where it is not known, a terminal shows that something is done, and a log nothing.
    done : int
        How much of it was there before.
    shown : bool
        False shows nothing.
    every : float
        Seconds between two lines in a log; the first comes within two. Infinity: only lines that are said.

    Examples
    --------
    >>> with WorkDisplay("writing images", 1000) as display:  # doctest: +SKIP
    ...     display.update(32)
    """

    def __init__(
        self, what: str, total: int | None = None, *, done: int = 0, shown: bool = True, every: float = 15.0
    ) -> None:
        self._console = error_console(quiet=not shown)
        self._live = shown and self._console.is_terminal
        self._bar = work_bar(self._console, transient=True, disable=not self._live)
        self._what, self._total, self._done, self._first = what, total, done, done
        self._task = self._bar.add_task(what, total=total, completed=done, first=done)
        self._every = every
        self._began = time.monotonic()
        self._due = self._began + (every if math.isinf(every) else min(every, _SOON))

    def __enter__(self) -> WorkDisplay:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, done: int, total: int | None = None, note: str = "") -> None:
        """Show that `done` are done; a `total` replaces the one before."""
        self._done, self._total = done, self._total if total is None else total
        self._bar.update(self._task, completed=done, total=self._total)
        if not self._live and self._total and time.monotonic() >= self._due:
            more = f", {note}" if note else ""
            self.say(f"{self._what}: {done:,} of {self._total:,}{more}, {self.left()} left")

    def step(self, what: str) -> None:
        """Show that one more is done, and print what came of it on a line that stays."""
        self.update(self._done + 1)
        self.say(f"[{self._done:,} of {self._total or self._done:,}] {what}; {self.left()} left")

    def say(self, line: str) -> None:
        """Print a line that stays, above the bar where there is one."""
        self._due = time.monotonic() + self._every
        self._console.print(line, soft_wrap=True)

    def left(self) -> str:
        """Return the time left at the pace so far, as `clock` writes it."""
        total = None if self._total is None else self._total - self._first
        return clock(time_left(time.monotonic() - self._began, self._done - self._first, total))
