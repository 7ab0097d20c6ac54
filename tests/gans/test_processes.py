"""Trainings that are killed, and trainings in two processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gansynth.gans import Run

from .test_training import assert_equal_runs
from .tiny import tiny_recipe

HERE = Path(__file__).parent


def run_script(name: str, *arguments: str) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(HERE / name), *arguments], capture_output=True, text=True, env=environment, timeout=900
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def recipe_file(tmp_path: Path) -> str:
    path = tmp_path / "tiny.yaml"
    path.write_text(tiny_recipe("reports.classifier_images=64").to_yaml())
    return str(path)


@pytest.mark.slow
def test_killed_at_20_random_moments_a_training_ends_as_if_never_interrupted(tmp_path: Path, recipe_file: str) -> None:
    printed = run_script("kill_and_resume.py", str(tmp_path), recipe_file)
    assert printed.strip() == "20 kills"
    survivors = sorted(tmp_path.glob("killed*"))
    assert survivors
    for survivor in survivors:
        assert_equal_runs(tmp_path / "whole", survivor)


@pytest.mark.slow
def test_two_processes_see_different_images_and_keep_equal_weights(tmp_path: Path, recipe_file: str) -> None:
    run_script("two_processes.py", str(tmp_path), recipe_file)
    one, two = ((tmp_path / f"process-{k}.txt").read_text().split() for k in range(2))
    before, after, slow, latents = range(4)
    assert one[before] == two[before]
    assert one[latents] != two[latents]
    assert one[after] == two[after] != one[before]
    assert one[slow] == two[slow]


@pytest.mark.slow
def test_the_command_trains_in_two_processes(tmp_path: Path, recipe_file: str) -> None:
    from gansynth.data.phantom import write_phantom

    cells, out = tmp_path / "cells", tmp_path / "run"
    write_phantom(cells, {"eosinophil": 12, "lymphocyte": 6}, size=16)
    command = [
        sys.executable, "-m", "gansynth", "train-gan", str(cells), "--recipe", recipe_file, "--out", str(out),
        "--devices", "2", "--device", "cpu", "--steps", "2",
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GANSYNTH_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("wrote") == 1
    assert Run(out).info["processes"] == 2
    assert Run(out).info["step"] == 2
