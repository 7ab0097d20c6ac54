"""How far the generation is: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

_SECONDS_BETWEEN_LINES = 30.0


class GenerationProgress:
    """Context manager that shows images per class on standard error.

    Parameters
    ----------
    shown : bool
        False shows nothing.
    """

    def __init__(self, shown: bool) -> None:
        console = Console(stderr=True)
        self._bar: Progress | None = None
        self._lines = shown and not console.is_terminal
        self._task: TaskID | None = None
        self._last = time.monotonic()
        if shown and console.is_terminal:
            columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
            self._bar = Progress(*columns, console=console)

    def __enter__(self) -> GenerationProgress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def start_class(self, name: str, total: int, done: int) -> None:
        """Show a class of which `done` of `total` images are there already."""
        if self._bar is not None:
            # Brackets in a class name are no markup.
            self._task = self._bar.add_task(name.replace("[", r"\["), total=total, completed=done)

    def update(self, name: str, total: int, done: int, tries: int) -> None:
        """Show that `done` images are kept after `tries`."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done)
        elif self._lines and time.monotonic() - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            print(f"{name}: {done} of {total} images after {tries} tries", file=sys.stderr, flush=True)
