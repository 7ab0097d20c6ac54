"""A disk that fills up, at whatever file: one sentence names it, nothing finished is lost, and once there is room the
same command goes on to the folder that it would have made in peace."""

from __future__ import annotations

import random
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gansynth.cli import gansynth

if sys.platform == "win32":
    pytest.skip("limits on the size of a file are Unix's", allow_module_level=True)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("module_on_one_thread")]

TRIES = 4
"""Sizes that no file may grow beyond, for each command: another file is the first to be cut off."""


def call(*arguments: object) -> Result:
    return CliRunner().invoke(gansynth, [str(argument) for argument in arguments])


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def commands(phantom: Path, run: Path) -> dict[str, list[object]]:
    """What is typed before --out."""
    on_cpu = ["--device", "cpu"]
    return {
        "train-gan": ["train-gan", phantom, "--recipe", run, "--steps", 2, *on_cpu],
        "generate": ["generate", run, "--class", "basophil=5", "--class", "lymphocyte=3", "--keep-copies", *on_cpu],
        "balance": ["balance", phantom, run, "--target", 12, "--keep-copies", *on_cpu],
        "naturalize": ["naturalize", phantom, "--class", "basophil=4"],
        "compare": [
            "compare", phantom, "--remedies", "none,oversample", "--classifiers", "naive-bayes", "--size", 32,
            "--seeds", 1, "--set", "classical.components=6", "--jobs", 1, *on_cpu,
        ],
    }  # fmt: skip


def lasting(folder: Path) -> dict[str, bytes]:
    """The files that do not say when, or how fast, they were made."""
    timed = ("run.json", "log.jsonl", "arm.json", "results.json", "report.html", "costs.csv")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in timed and "events.out" not in path.name
    }


def without_seconds(files: dict[str, bytes]) -> dict[str, bytes]:
    """A state's card holds the seconds, so of states only the names count."""
    return {name: b"" if "/state/" in f"/{name}" else data for name, data in files.items()}


@pytest.mark.parametrize("command", ["train-gan", "generate", "balance", "naturalize", "compare"])
def test_a_full_disk_stops_with_a_sentence_and_loses_nothing(
    command: str, phantom_folder: Path, tiny_run_folder: Path, tmp_path: Path
) -> None:
    typed = commands(phantom_folder, tiny_run_folder)[command]
    peace = call(*typed, "--out", tmp_path / "peace")
    assert peace.exit_code == 0, peace.output
    whole = lasting(tmp_path / "peace")
    sizes = sorted({len(data) for data in whole.values()})
    chosen = {sizes[0], sizes[-1], *random.Random(command).choices(sizes, k=TRIES - 2)}
    stopped = 0
    for size in sorted(chosen):
        out = tmp_path / str(size) / "out"
        with no_file_above(size - 1):
            full = call(*typed, "--out", out)
        assert full.exit_code in (0, 1, 2) and "Traceback" not in full.output, full.output
        if full.exit_code:  # 0: what is hard-linked or removed in the end takes no room
            stopped += 1
            assert "file too large" in full.stderr.lower() and str(out.parent) in full.stderr, full.stderr
        again = call(*typed, "--out", out, *(["--resume"] if full.exit_code and any(out.parent.iterdir()) else []))
        if full.exit_code:
            assert again.exit_code == 0, again.output
            assert without_seconds(lasting(out)) == without_seconds(whole)
        assert {path.name for path in out.parent.iterdir()} == {"out"}
    assert stopped
