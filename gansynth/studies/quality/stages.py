"""How far a study is, and what each part of it took: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gansynth.runs.display import WorkDisplay

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
            with WorkDisplay(name, total, shown=self.shown) as display:
                yield display.update
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.monotonic() - began, 3)
