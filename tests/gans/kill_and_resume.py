"""Run by `test_processes.py`: trains once in peace and once under kill -9 at random moments.

A process of its own, so that it can import everything once, by training once itself, and fork a fresh child for each
attempt: a child that imports is killed while it imports.
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

from gansynth.data.phantom import phantom_dataset
from gansynth.gans import train_gan
from gansynth.gans.engine import showing
from gansynth.gans.independent_classifier import train_independent_classifier
from gansynth.recipes import load_recipe

KILLS = 20
STEPS = 8


def attempt(work: Callable[[], object], seconds: float | None) -> float | None:
    """Do `work` in a child; kill it after `seconds`. Return how long it took where it came through before that."""
    began, child = time.monotonic(), os.fork()
    if child == 0:
        work()
        os._exit(0)
    while seconds is not None and time.monotonic() - began < seconds:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        time.sleep(0.002)
    else:
        if seconds is not None:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return None
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit("the training failed")
    return time.monotonic() - began


def main(out: Path, recipe_file: str) -> None:
    torch.set_num_threads(1)
    os.fsync = lambda file: None  # the system outlives a killed process and keeps what that has written
    showing.train_independent_classifier = partial(train_independent_classifier, width=8)  # a quarter of its channels
    data = phantom_dataset({"eosinophil": 12, "lymphocyte": 6, "smudge cell": 3}, size=16)
    recipe = load_recipe(recipe_file)

    def work(folder: Path) -> None:
        train_gan(data, recipe, folder, steps=STEPS, resume=True, device="cpu", progress=False)

    work(out / "whole")
    whole = attempt(lambda: work(out / "killed-by-nobody"), None)
    moments, kills = random.Random(0), 0
    while kills < KILLS:
        assert whole is not None
        anew = not (out / "killed").exists()
        took = attempt(lambda: work(out / "killed"), moments.uniform(0.1, 0.9) * whole)
        kills += took is None
        if anew and took is not None:
            whole = took  # the machine was busier before: kill within what a training takes now
        if (out / "killed" / "run.json").exists() and '"finished": true' in (out / "killed" / "run.json").read_text():
            (out / "killed").rename(out / f"killed-{time.monotonic_ns()}")  # came through: begin another one
    attempt(lambda: work(out / "killed"), None)
    print(f"{kills} kills")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
