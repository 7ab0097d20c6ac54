"""How far a study is, and what each part of it took: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_SECONDS_BETWEEN_LINES = 15.0

Tick = Callable[[int], None]
"""Called with how much is done."""


class Stages:
    """Shows and times the stages of a study on standard error.

    Parameters
    ----------
    shown : bool
        False only times.

    Attributes
    ----------
    seconds : dict of str to float
        What each stage took; a stage entered again adds up.
    """

    def __init__(self, shown: bool) -> None:
        self.shown, self.seconds = shown, dict[str, float]()

    @contextmanager
    def __call__(self, name: str, total: int | None = None) -> Iterator[Tick]:
        """Time a stage, and show how far it is where it has a `total`."""
        began = time.monotonic()
        try:
            if self.shown and total and sys.stderr.isatty():
                columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
                with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
                    task = bar.add_task(name.replace("[", r"\["), total=total)
                    yield lambda done: bar.update(task, completed=done)
            else:
                yield self._lines(name, total) if self.shown and total else lambda done: None
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.monotonic() - began, 3)

    @staticmethod
    def _lines(name: str, total: int) -> Tick:
        last = time.monotonic()

        def line(done: int) -> None:
            nonlocal last
            if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
                last = time.monotonic()
                print(f"{name}: {done:,} of {total:,}", file=sys.stderr, flush=True)

        return line
