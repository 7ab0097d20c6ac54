"""Claims about the record of a training: what stops it is said once, and not by a thread."""

from __future__ import annotations

import errno
import resource
import sys
import threading
from pathlib import Path

import pytest

from gansynth.runs.journal import EVENTS, Journal
from gansynth.runs.state_files import Progress


@pytest.mark.skipif(sys.platform == "win32", reason="limits on the size of a file are Unix's")
def test_what_stops_the_thread_that_writes_events_is_raised_and_not_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", printed.append)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with (
        pytest.raises(OSError, match=EVENTS) as stopped,
        Journal(tmp_path, 0, terminal=False, enabled=True) as journal,
    ):
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
        try:
            for step in range(1, 10_000):
                journal._scalar("x", 1.0, step)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert stopped.value.errno == errno.EFBIG
    assert not printed
    other = threading.Thread(target=lambda: 1 / 0)  # any other thread is heard again
    other.start()
    other.join()
    assert [one.exc_type for one in printed] == [ZeroDivisionError]


def test_other_threads_are_heard_while_a_training_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", printed.append)
    with Journal(tmp_path, 0, terminal=False, enabled=True) as journal:
        journal.log(Progress(1, 8, 0.1), {"x": 1.0}, 0.5)
        other = threading.Thread(target=lambda: 1 / 0)
        other.start()
        other.join()
    assert [one.exc_type for one in printed] == [ZeroDivisionError]
