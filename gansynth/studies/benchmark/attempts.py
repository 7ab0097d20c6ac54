"""The rows of a benchmark, one after the other, or on the workers of the user's own joblib backend."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gansynth.errors import InputError
from gansynth.runs.display import clock, time_left
from gansynth.studies.benchmark.entry import Entry, carry_out
from gansynth.studies.benchmark.result import BenchmarkRun, Settings
from gansynth.studies.spread import has_backend, spread

_NOT_OUR_FAULT = (InputError, RuntimeError, ArithmeticError, MemoryError, ValueError, OSError)
"""What one recipe may fail with without costing the others."""

_AT_ONCE = 1.0
"""Seconds within which a recipe was there already, and says nothing of how long the others take."""


def attempts(entries: Sequence[Entry], settings: Settings) -> Iterator[tuple[Entry, BenchmarkRun]]:
    """Carry out every entry, and yield it with what came of it, failures included.

    Entries are independent: each writes into folders of its own, and goes on with what it finds there. So one that was
    begun by a worker that ended is done again by another.
    """
    return _elsewhere(entries, settings) if has_backend() else _here(entries, settings)


def attempt(entry: Entry, settings: Settings) -> BenchmarkRun:
    """Carry out one entry; what is not the fault of this program is a failed row."""
    try:
        return carry_out(entry, settings)
    except _NOT_OUR_FAULT as error:
        what = str(error).strip().splitlines()
        said = f"{what[0] if what else ''}" if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        return BenchmarkRun(entry.recipe, entry.gan, entry.seed, "failed", error=said[:500])


def _here(entries: Sequence[Entry], settings: Settings) -> Iterator[tuple[Entry, BenchmarkRun]]:
    took: list[float] = []
    for number, entry in enumerate(entries, 1):
        if settings.progress:
            left = time_left(sum(took), len(took), len(took) + len(entries) - number + 1)
            _say(f"[{number} of {len(entries)}] {entry.name}; {clock(left)} left")
        began = time.monotonic()
        row = attempt(entry, settings)
        if row.error is not None and settings.progress:
            _say(f"{entry.name} failed: {row.error}")
        if (seconds := time.monotonic() - began) > _AT_ONCE:
            took.append(seconds)
        yield entry, row


def _elsewhere(entries: Sequence[Entry], settings: Settings) -> Iterator[tuple[Entry, BenchmarkRun]]:
    quiet = replace(settings, progress=False)
    jobs = [(number, entry, quiet) for number, entry in enumerate(entries)]
    for done, (number, row) in enumerate(spread(_numbered, jobs, 0, "benchmark"), 1):
        entry = entries[number]
        if settings.progress:
            _say(f"[{done} of {len(entries)}] {entry.name}{': done' if row.error is None else f' failed: {row.error}'}")
        yield entry, row


def _numbered(job: tuple[int, Entry, Settings]) -> tuple[int, BenchmarkRun]:
    number, entry, settings = job
    return number, attempt(entry, settings)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
