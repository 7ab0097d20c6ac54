"""Claims about jobs that are carried out through joblib."""

from __future__ import annotations

import os
import signal

import joblib
import pytest

from gansynth.errors import WorkersLost
from gansynth.studies.spread import has_backend, spread


def squared(n: int) -> int:
    return n * n


def divided(n: int) -> float:
    return 1 / n


def test_every_job_is_carried_out() -> None:
    assert sorted(spread(squared, [1, 2, 3], 1)) == [1, 4, 9]


def test_a_process_that_the_system_ends_is_a_sentence_and_a_mistake_stays_what_it_is() -> None:
    def killed(_: int) -> None:  # in here, it travels with the job: a process cannot import a test
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(WorkersLost, match=r"a process of the benchmark was ended by the system.*--resume goes on"):
        list(spread(killed, [1, 2], 2, "benchmark"))
    with pytest.raises(ZeroDivisionError):
        list(spread(divided, [0], 1))


def test_only_a_backend_that_the_user_has_set_counts() -> None:
    assert not has_backend()
    with joblib.parallel_config(backend="threading"):
        assert has_backend()
