"""Run by `test_comparison.py`: compares once in peace and once under kill -9 at random moments.

A process of its own, so that it can import everything once, by comparing once itself, and fork a fresh child for each
attempt: a child that imports is killed while it imports. Says so if an arm
that was finished was written again.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from gansynth.gans.engine import showing
from gansynth.gans.independent_classifier import train_independent_classifier
from gansynth.studies.comparison.study import compare

KILLS = 10


def attempt(work: Callable[[], object], seconds: float | None) -> bool:
    """Do `work` in a child; kill it after `seconds`. Return whether it was killed."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status) != 0:
        sys.exit("the comparison failed")
    return os.WIFSIGNALED(status)


def finished(folder: Path) -> dict[str, int]:
    """When every finished arm was written."""
    return {str(note): note.stat().st_mtime_ns for note in folder.glob("arms/*/*/*/*/arm.json")}


def main(data: str, gan: str, out: Path) -> None:
    torch.set_num_threads(1)
    os.fsync = lambda file: None  # the system outlives a killed process and keeps what that has written
    showing.train_independent_classifier = partial(train_independent_classifier, width=8)  # a quarter of its channels

    def work(folder: Path) -> None:
        compare(
            data, ["none", "oversample", gan], ["random-forest"], folder, seeds=2, folds=2, swap=True, size=16,
            changes=["classical.components=6", "classical.trees=5"], gan_images=16, jobs=1, device="cpu", resume=True,
            progress=False,
        )  # fmt: skip

    work(out / "whole")
    began = time.monotonic()
    attempt(lambda: work(out / "killed-by-nobody"), None)
    whole = time.monotonic() - began
    moments, kills = random.Random(0), 0
    while kills < KILLS:
        before = finished(out / "killed")
        kills += attempt(lambda: work(out / "killed"), moments.uniform(0.05, 0.5) * whole)
        after = finished(out / "killed")
        again = [name for name, moment in before.items() if after.get(name) != moment]
        if again:
            sys.exit(f"done again: {again}")
        if (out / "killed" / "results.json").exists():
            (out / "killed").rename(out / f"killed-{time.monotonic_ns()}")  # came through: begin another one
    attempt(lambda: work(out / "killed"), None)
    print(f"{kills} kills")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
