"""A study that is killed does not leave workers behind: they would keep their memory, and write into its folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

WORK = """
import os, time
from pathlib import Path
from gansynth.studies.spread import spread

def work(job):
    place = Path(PLACE)
    (place / f"{job}.half").write_text(str(os.getpid()))
    (place / f"{job}.half").rename(place / f"{job}.begun")
    time.sleep(600)

list(spread(work, [1, 2], 2))
"""


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


LATE = """
from gansynth.studies.spread import _carry_out_for

_carry_out_for(ASKER, True, print, "begun")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="whose parent is gone keeps its number there")
@pytest.mark.parametrize("gone", [True, False])
def test_a_worker_that_was_starting_when_the_study_was_killed_begins_nothing(gone: bool) -> None:
    asker = os.getppid() if gone else os.getpid()  # the parent of a process whose study is gone is another one
    late = subprocess.run(
        [sys.executable, "-c", LATE.replace("ASKER", str(asker))], capture_output=True, text=True, check=False
    )
    assert (late.returncode, late.stdout) == ((1, "") if gone else (0, "begun\n")), late.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_workers_end_with_a_study_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(WORK.replace("PLACE", repr(str(tmp_path))))
    study = subprocess.Popen([sys.executable, tmp_path / "work.py"])
    workers: list[int] = []
    try:
        until = time.monotonic() + 90
        while len(begun := list(tmp_path.glob("*.begun"))) < 2 and time.monotonic() < until:
            time.sleep(0.1)
        workers = [int(file.read_text()) for file in begun]
        assert len({*workers}) == 2 and all(map(runs, workers))
        study.send_signal(signal.SIGKILL)
        study.wait()
        until = time.monotonic() + 30
        while any(map(runs, workers)) and time.monotonic() < until:
            time.sleep(0.1)
        assert not [pid for pid in workers if runs(pid)]
    finally:
        study.kill()
        for pid in filter(runs, workers):
            os.kill(pid, signal.SIGKILL)
