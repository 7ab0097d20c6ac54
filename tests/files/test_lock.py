"""One process writes into a folder; a second hears who does, and one that was killed is in nobody's way."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from gansynth.errors import InputError
from gansynth.files import hold, holding, is_first_process

HOLDER = """
import sys, time
from gansynth.files import hold
with hold(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Another process that holds `tmp_path / "out"`."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path / "out"], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_is_told_who_holds_the_folder(tmp_path: Path, other: subprocess.Popen[bytes]) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "out", target_is_directory=True)
    (tmp_path / "in").mkdir()
    for spelling in (tmp_path / "out", tmp_path / "in" / ".." / "out", link):
        with (
            pytest.raises(InputError, match=rf"process {other.pid} on {socket.gethostname()} writes into it since 20"),
            hold(spelling),
        ):
            pass
    with hold(tmp_path / "out2"):
        pass


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_one_does_not_stand_in_the_way(tmp_path: Path, other: subprocess.Popen[bytes], end: int) -> None:
    other.send_signal(end)
    other.wait()
    with hold(tmp_path / "out"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_without_locks_of_the_system_the_process_that_signed_decides(
    tmp_path: Path, other: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gansynth.files.lock.fcntl", None)
    with pytest.raises(InputError, match=f"process {other.pid}"), hold(tmp_path / "out"):
        pass
    other.kill()
    other.wait()
    with hold(tmp_path / "out"):
        pass


def test_a_folder_may_be_held_again_by_the_same_thread_and_by_no_other(tmp_path: Path) -> None:
    refused = []

    def write() -> None:
        try:
            with hold(tmp_path / "out"):
                pass
        except InputError as error:
            refused.append(str(error))

    with hold(tmp_path / "out"):
        with hold(tmp_path / "out"):
            pass
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert len(refused) == 1 and f"process {os.getpid()} on" in refused[0]
    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert len(refused) == 1


def test_nothing_stays_but_what_was_written(tmp_path: Path) -> None:
    with hold(tmp_path / "a" / "b" / "out"):
        pass
    assert list(tmp_path.iterdir()) == []
    with hold(tmp_path / "a" / "b" / "out"):
        (tmp_path / "a" / "mine.txt").write_text("kept")
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "mine.txt"]


def test_what_was_planted_in_the_place_of_the_lock_is_neither_followed_nor_waited_for(tmp_path: Path) -> None:
    precious, lock = tmp_path / "thesis.txt", tmp_path / ".out.lock"
    precious.write_text("mine")
    for plant in (
        lambda: lock.symlink_to(precious),
        lambda: lock.symlink_to(tmp_path / "nowhere"),
        lambda: os.mkfifo(lock),
        lock.mkdir,
    ):
        plant()
        with pytest.raises(InputError, match=r"\.out\.lock: is not a regular file.*remove it"), hold(tmp_path / "out"):
            pass
        lock.rmdir() if lock.is_dir() else lock.unlink()
    assert precious.read_text() == "mine"
    lock.write_text('{"pid": "\\u001b[2J", "host": ["x"]}')
    with hold(tmp_path / "out"):
        pass


def test_a_name_as_long_as_the_system_takes_can_be_held(tmp_path: Path) -> None:
    with hold(tmp_path / ("n" * 255)):
        pass


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a file has the place of a folder above it"), hold(tmp_path / "file" / "out"):
        pass


def test_a_function_holds_the_folder_that_its_argument_names(tmp_path: Path) -> None:
    @holding()
    def write(what: str, out: Path | None = None) -> bool:
        return (tmp_path / ".out.lock").exists()

    assert write("x", tmp_path / "out") and write(out=tmp_path / "out", what="x")
    assert not write("x") and not (tmp_path / ".out.lock").exists()


def test_the_further_processes_of_one_training_do_not_stand_in_the_first_ones_way(
    tmp_path: Path, other: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    with hold(tmp_path / "out"):
        pass
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(InputError, match="writes into it"), hold(tmp_path / "out"):
        pass


@pytest.mark.parametrize("said", ["", "0", "1", "4(x2)", "x", None])
def test_a_queue_that_does_not_say_how_many_tasks_there_are_has_one(
    said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RANK", "LOCAL_RANK", "SLURM_NTASKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLURM_PROCID", "3")
    if said is not None:
        monkeypatch.setenv("SLURM_NTASKS", said)
    assert is_first_process()
    monkeypatch.setenv("SLURM_NTASKS", "4")
    assert not is_first_process()


@pytest.mark.skipif(sys.platform == "win32", reason="its folders cannot be marked as read-only")
@pytest.mark.parametrize(("flag", "number"), [(1, errno.EROFS), (0, errno.EACCES)], ids=["disk", "folder"])
def test_a_place_that_can_only_be_read_is_said_before_anything_is_made(
    flag: int, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "read" / "out").mkdir(parents=True)
    writable = {str(tmp_path / "read" / "out")}
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK or str(path) in writable)
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_flag=flag))
    for out in (tmp_path / "read" / "new", tmp_path / "read" / "new" / "deeper"):
        with pytest.raises(OSError) as raised, hold(out):
            pass
        assert (raised.value.errno, raised.value.filename) == (number, str(out))
    with hold(tmp_path / "read" / "out"):  # what is there may be written into, though nothing beside it
        pass
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "read", tmp_path / "read" / "out"]
