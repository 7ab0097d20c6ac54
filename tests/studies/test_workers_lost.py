"""A study whose Dask workers all end, of one fault after the other or at once, stops with a sentence, keeps what was
finished, and goes on at the next call."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import joblib
import pytest

from gansynth.data import open_dataset, split_dataset, write_splits
from gansynth.data.phantom import write_phantom
from gansynth.errors import WorkersLost
from gansynth.studies.comparison.arm import carry_out
from gansynth.studies.comparison.study import compare
from gansynth.studies.spread import spread

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("workers_forked")]

A_WHILE = 1.0
"""Seconds that a worker lives at least: one that ends before its nanny knows that it began is never started again."""


def fatal(number: int, may_live: Path) -> Callable[[int], int]:
    """Return work in which one job ends its worker, as long as a file does not say that it may live.

    Workers cannot import a test, so that what they do is defined inside a function, and travels with the job.
    """

    def work(job: int) -> int:
        if job == number and not may_live.exists():
            time.sleep(A_WHILE)
            os.kill(os.getpid(), signal.SIGKILL)
        return job

    return work


def endless(folder: Path) -> Callable[[int], None]:
    """Return work that says that it has begun, and takes longer than its worker lives."""

    def work(job: int) -> None:
        (folder / f"begun-{job}").touch()
        time.sleep(3600)

    return work


@pytest.fixture(autouse=True)
def _given_up_early() -> Iterator[None]:
    """Dask gives a job up once it has ended two workers, not four: each that begins again imports all of gansynth."""
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}):
        yield


@pytest.fixture
def bare_cluster() -> Iterator[list[subprocess.Popen[bytes]]]:
    """A scheduler and two workers that nobody starts again, as on machines that a job queue lends."""
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        command = [sys.executable, "-m", "distributed.cli.dask_worker", cluster.scheduler_address]
        command += ["--no-nanny", "--nthreads", "1", "--no-dashboard"]
        workers = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(2)]
        client.wait_for_workers(2)
        yield workers
        for worker in workers:
            worker.kill()
            worker.wait()


@contextmanager
def one_worker() -> Iterator[None]:
    """A cluster of one worker, started again when it ends, as joblib's backend."""
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        yield


def test_a_job_that_ends_every_worker_stops_the_study_with_a_sentence(tmp_path: Path) -> None:
    work = fatal(2, tmp_path / "may-live")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        with pytest.raises(WorkersLost, match=r"the comparison stopped: 2 workers of its Dask cluster ended at"):
            list(spread(work, [0, 1, 2], 0))
        (tmp_path / "may-live").touch()
        assert sorted(spread(work, range(9), 0)) == list(range(9))


def test_workers_that_are_gone_for_good_are_not_waited_for_for_ever(
    bare_cluster: list[subprocess.Popen[bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gansynth.studies.spread.WITHOUT_WORKERS", 0.5)
    monkeypatch.setattr("gansynth.studies.spread._LOOK", 0.2)

    def end_all() -> None:
        while len(list(tmp_path.glob("begun-*"))) < 2:
            time.sleep(0.05)
        for worker in bare_cluster:
            worker.kill()

    threading.Thread(target=end_all, daemon=True).start()
    with (
        joblib.parallel_config(backend="dask"),
        pytest.raises(WorkersLost, match=r"the benchmark stopped: its Dask cluster has no worker left.*resume=True"),
    ):
        list(spread(endless(tmp_path), range(4), 0, "benchmark"))


def test_a_comparison_keeps_what_was_finished_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSYNTH_CACHE", str(tmp_path / "cache"))
    cells, out, may_live = tmp_path / "cells", tmp_path / "out", tmp_path / "may-live"
    write_phantom(cells, {"eosinophil": 24, "lymphocyte": 16}, size=16)
    write_splits(split_dataset(open_dataset(cells, 16)), cells)

    def carry_out_or_die(job: Any) -> Any:
        if job.cell.seed == 1 and not may_live.exists():
            while not list(out.rglob("predictions.csv")):  # what a worker has not sent yet ends with it
                time.sleep(0.05)
            time.sleep(A_WHILE)
            os.kill(os.getpid(), signal.SIGKILL)
        return carry_out(job)

    monkeypatch.setattr("gansynth.studies.comparison.jobs.carry_out", carry_out_or_die)
    asked: dict[str, Any] = {"size": 16, "seeds": 2, "progress": False}
    with one_worker(), pytest.raises(WorkersLost, match="what is finished is kept: call it again with resume=True"):
        compare(cells, ["none"], ["naive-bayes"], out, **asked)
    kept = {path: path.read_bytes() for path in out.rglob("predictions.csv")}
    assert len(kept) == 1
    may_live.touch()
    with one_worker():
        found = compare(cells, ["none"], ["naive-bayes"], out, resume=True, **asked)
    assert not found.missing and len(list(out.rglob("predictions.csv"))) == 2
    assert all(path.read_bytes() == held for path, held in kept.items())
