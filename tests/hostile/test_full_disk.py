"""A disk that fills up, at whatever file: one sentence names it, nothing finished is lost, and once there is room the
same command goes on to the folder that it would have made in peace."""

from __future__ import annotations

import os
import random
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from writing_commands import lasting, writing_commands

from gansynth.cli import gansynth

if sys.platform == "win32":
    pytest.skip("limits on the size of a file are Unix's", allow_module_level=True)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("module_on_one_thread")]

TRIES = int(os.environ.get("GANSYNTH_FULL_DISK_TRIES", "2"))
"""Sizes that no file may grow beyond, for each command: another file is the first to be cut off. 0: of every file."""


def call(typed: list[str]) -> Result:
    return CliRunner().invoke(gansynth, typed)


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


COMMANDS = [
    "data import", "data dedupe", "data phantom", "data crop", "data nuclei", "data review", "train-gan", "generate",
    "balance", "naturalize", "compare",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_stops_with_a_sentence_and_loses_nothing(
    command: str, given: dict[str, str], tmp_path: Path
) -> None:
    one = writing_commands(**{name: Path(path) for name, path in given.items()})[command]
    peace = call(one.line(tmp_path / "peace"))
    assert peace.exit_code == 0, peace.output
    whole = lasting(tmp_path / "peace")
    sizes = sorted({path.stat().st_size for path in (tmp_path / "peace").rglob("*") if path.is_file()} - {0})
    some = {sizes[0], sizes[-1], *random.Random(command).choices(sizes, k=max(0, TRIES - 2))}
    stopped = 0
    for size in sorted(some) if TRIES else sizes:
        out = tmp_path / str(size) / "out"
        with no_file_above(size - 1):
            full = call(one.line(out))
        assert full.exit_code in (0, 1) and "Traceback" not in full.output, full.output
        if full.exit_code == 0:  # what is hard-linked or removed in the end takes no room
            continue
        stopped += 1
        assert "file too large" in full.stderr.lower() and str(out.parent) in full.stderr, full.stderr
        again = call(one.line(out, resume=out.parent.exists() and any(out.parent.iterdir())))
        if again.exit_code == 2 and not one.resumable:
            assert "choose another" in again.stderr or "give another" in again.stderr, again.stderr
        else:
            assert again.exit_code == 0, again.output
            assert lasting(out) == whole
        assert {path.name for path in out.parent.iterdir()} == {"out"}
    assert stopped
