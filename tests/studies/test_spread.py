"""Claims about jobs that are carried out through joblib."""

from __future__ import annotations

import joblib
import pytest

from gansynth.studies.spread import has_backend, spread


class KilledWorker(Exception):
    """What Dask raises for a job that several of its workers did not survive."""


def given_up(_: int) -> int:
    raise KilledWorker("attempted to run on 3 workers, which ended")


def squared(n: int) -> int:
    return n * n


def divided(n: int) -> float:
    return 1 / n


def test_every_job_is_carried_out() -> None:
    assert sorted(spread(squared, [1, 2, 3], 1)) == [1, 4, 9]


def test_a_job_that_dask_gives_up_is_a_sentence_and_a_mistake_stays_what_it_is() -> None:
    with pytest.raises(MemoryError, match="several workers of the benchmark ended at the same job: attempted to run"):
        list(spread(given_up, [1], 1, "benchmark"))
    with pytest.raises(ZeroDivisionError):
        list(spread(divided, [0], 1))


def test_only_a_backend_that_the_user_has_set_counts() -> None:
    assert not has_backend()
    with joblib.parallel_config(backend="threading"):
        assert has_backend()
