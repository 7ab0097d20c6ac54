"""A disk with room for so many blocks, or so many files: every one at which writing can stop, one after the other.

`test_full_disk.py` limits the size of a file, which anybody may; here the disk itself is small, so that each write
in turn is the first to fail, be it of a small file that comes last; and one on which nothing can be written at all. It
takes the right to mount one.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from writing_commands import TIMED, Writing, lasting, writing_commands

from gansynth.cli import gansynth

PAGE, ROOMY = 4096, 2**30
TRIES = int(os.environ.get("GANSYNTH_SMALL_DISK_TRIES", "2"))
"""Disks for each command, and as many again with room for few files; 0: one more block each, or one more file, until
the command ends well."""
FIRST = int(os.environ.get("GANSYNTH_SMALL_DISK_FIRST", "1"))
"""The first number of blocks or files: a command that takes hours for all is tried in parts."""

Left = frozenset[tuple[str, int, str]]


def mounted(place: Path, what: str) -> bool:
    """Mount a disk in memory, or mount it anew, with `what` room."""
    typed = ["mount", "-t", "tmpfs", "-o", what, "tmpfs", str(place)]
    return subprocess.run(typed, capture_output=True).returncode == 0


def unmounted(place: Path) -> None:
    subprocess.run(["umount", "--lazy", str(place)], capture_output=True, check=True)


def may_mount() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0


pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("module_on_one_thread"),
    pytest.mark.skipif(not may_mount(), reason="mounting a disk is for root"),
]


@contextmanager
def small_disk(place: Path, blocks: int, files: int) -> Iterator[Callable[[], None]]:
    """Give a disk of so many blocks of 4 KiB and so many files and folders, and what makes room on it."""
    place.mkdir()
    if not mounted(place, f"size={blocks * PAGE},nr_inodes={files + 1}"):
        pytest.skip("no disk can be mounted here")
    try:
        yield (
            lambda: (
                subprocess.run(
                    ["mount", "-o", f"remount,size={ROOMY},nr_inodes=100000", str(place)],
                    check=True,
                    capture_output=True,
                )
                and None
            )
        )
    finally:
        unmounted(place)


def call(typed: list[str]) -> Result:
    return CliRunner().invoke(gansynth, typed)


def left_on(disk: Path) -> Left:
    """Return what a command that goes on finds: names and contents, of a log the number of its lines, and of what else
    says when it was made (`TIMED`, always written whole) the name."""
    found = set()
    for path in disk.rglob("*"):
        name, data = path.relative_to(disk).as_posix(), path.read_bytes() if path.is_file() else b""
        if "events.out" in name:
            found.add((name.partition("events.out")[0], len(data), ""))
        elif path.name == "log.jsonl":
            found.add((name, data.count(b"\n"), "whole" if data[-1:] in (b"", b"\n") else "half a line"))
        else:
            found.add((name, 0, "" if path.name in TIMED else hashlib.sha256(data).hexdigest()))
    return frozenset(found)


def stops_and_goes_on(
    one: Writing,
    disk: Path,
    blocks: int,
    files: int,
    whole: dict[str, bytes],
    seen: set[Left],
) -> bool:
    """Return whether the disk was too small; then the command has stopped as it shall, and gone on: from each state of
    the disk once, since many sizes cut the same file off and leave the same behind."""
    with small_disk(disk, blocks, files) as make_room:
        out = disk / "out"
        full = call(one.line(out))
        assert full.exit_code in (0, 1) and "Traceback" not in full.output, (blocks, files, full.output)
        if full.exit_code == 0:
            return False
        said = full.stderr.lower()
        assert "no space left" in said and str(disk) in said and "make room" in said, (blocks, files, said)
        left = left_on(disk)
        if left in seen:
            return True
        make_room()
        again = call(one.line(out, resume=any(path.name != ".out.lock" for path in disk.iterdir())))
        assert again.exit_code == 0, (blocks, files, again.output)
        now = lasting(out)
        assert now == whole, (
            blocks,
            files,
            sorted(name for name in {*now, *whole} if now.get(name) != whole.get(name)),
        )
        assert {path.name for path in disk.iterdir()} == {"out"}
        seen.add(left)
    return True


@pytest.fixture(scope="module")
def in_peace(given: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, bytes]]:
    """What each command leaves on a disk with room; found out once for both kinds of small disks."""

    @cache
    def left(command: str) -> dict[str, bytes]:
        out = tmp_path_factory.mktemp("peace") / "out"
        done = call(writing_commands(**{name: Path(path) for name, path in given.items()})[command].line(out))
        assert done.exit_code == 0, done.output
        return lasting(out)

    return left


@pytest.mark.parametrize("command", ["train-gan", "generate", "balance", "naturalize", "compare"])
@pytest.mark.parametrize("what", ["blocks", "files"])
def test_a_disk_with_room_for_n_blocks_or_files_stops_a_command_that_goes_on_with_more(
    command: str, what: str, given: dict[str, str], in_peace: Callable[[str], dict[str, bytes]], tmp_path: Path
) -> None:
    one, whole = writing_commands(**{name: Path(path) for name, path in given.items()})[command], in_peace(command)
    tried = count(FIRST) if not TRIES else range(FIRST, FIRST + 7 * TRIES, 7)
    stopped, wrong = 0, []
    seen: set[Left] = set()
    for n in tried:
        blocks, files = (n, 10_000) if what == "blocks" else (ROOMY // PAGE, n)
        try:
            if not stops_and_goes_on(one, tmp_path / f"{n}", blocks, files, whole, seen):
                break
        except AssertionError as error:
            wrong.append(str(error))
            print(f"{command}, {n} {what}: {error}")
        stopped += 1
        if stopped % 25 == 0:
            print(f"{command}: stopped by {n} {what}, with {len(seen)} states left behind", flush=True)
    assert stopped
    print(f"{command}: stopped {stopped} times for want of {what}, with {len(seen)} states left behind")
    assert not wrong, f"{len(wrong)} of {stopped}: {wrong[:20]}"


@pytest.mark.parametrize("command", list(writing_commands(*[Path("x")] * 5)))
def test_a_disk_that_can_only_be_read_is_said_before_anything_is_done(
    command: str, given: dict[str, str], tmp_path: Path
) -> None:
    one = writing_commands(**{name: Path(path) for name, path in given.items()})[command]
    disk = tmp_path / "disk"
    with small_disk(disk, ROOMY // PAGE, 10_000):
        one.lay(disk / "out")
        there = sorted(disk.rglob("*"))
        assert mounted(disk, "remount,ro")
        result = call(one.line(disk / "out"))
        assert result.exit_code == 1 and "Traceback" not in result.output, result.output
        said = f"gansynth: {disk / 'out' / one.file}: read-only file system; choose a folder that can be written to\n"
        assert result.stderr == said
        assert sorted(disk.rglob("*")) == there
