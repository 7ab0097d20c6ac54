"""How far work over many files is: a bar on a terminal, plain lines in a log, both on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

_SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def fields_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told how many of how many are done.

    Parameters
    ----------
    what : str
        What is counted, in the plural.
    """
    from rich.console import Console
    from rich.progress import Progress

    if sys.stderr.isatty():
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
        return
    last = time.monotonic()

    def line(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            click.echo(f"{what}: {done:,} of {total:,}", err=True)

    yield line
