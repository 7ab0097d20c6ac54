"""A small encoder for small phantom cells, good enough to be a fixed point; trainings that are counted, and stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch


@pytest.fixture(scope="module", autouse=True)
def _quickly(module_on_one_thread: None, each_cell_cut_once: None, each_picture_seen_once: None) -> None:
    """All tests of this room."""


@pytest.fixture(scope="session")
def encoder_folder(phantom_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder of the classes of `phantom_folder`. Do not change it."""
    from gansynth.classifiers import train_cell_encoder
    from gansynth.data import open_dataset

    folder, threads = tmp_path_factory.mktemp("encoder") / "tiny", torch.get_num_threads()
    torch.set_num_threads(1)
    train_cell_encoder(open_dataset(phantom_folder, 32).part("train"), images=640, width=4).save(folder)
    torch.set_num_threads(threads)
    return folder


@pytest.fixture(scope="session")
def made_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Other phantom cells of the same classes, in the part of synthetic ones. Do not change it."""
    from gansynth.data.phantom import write_phantom

    folder = tmp_path_factory.mktemp("made") / "cells"
    write_phantom(folder, {"basophil": 6, "eosinophil": 14, "lymphocyte": 12}, size=32, seed=7)
    return folder


@pytest.fixture
def workers_forked() -> Iterator[None]:
    """Fork Dask's workers from one process that has imported what they work with, where many of them begin: each would
    import all of gansynth otherwise. `test_comparison_on_dask.py` starts its workers as users do."""
    dask, utils = pytest.importorskip("dask"), pytest.importorskip("distributed.utils")
    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        context = utils.get_mp_context()
        studies = ("benchmark.entry", "comparison.arm", "comparison.jobs")
        names = ["distributed", "timm", "gansynth.gans.engine.training", *(f"gansynth.studies.{of}" for of in studies)]
        context.set_forkserver_preload(names)
        yield


class CountedJobs:
    """The jobs of a study as they are carried out; where `most` are done, the user interrupts."""

    def __init__(self, real: Callable[[Any], Any]) -> None:
        self.real, self.done, self.most = real, list[str](), -1

    def __call__(self, job: Any) -> Any:
        if len(self.done) == self.most:
            raise KeyboardInterrupt
        self.done.append(str(job.cell))
        return self.real(job)

    def anew(self, most: int = -1) -> None:
        """Count from zero, and interrupt after `most`, or never."""
        self.done.clear()
        self.most = most


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> CountedJobs:
    """Count the trainings of searches, comparisons and sweeps, and stop them."""
    from gansynth.studies.comparison import jobs as comparison_jobs

    counted = CountedJobs(comparison_jobs.carry_out)
    monkeypatch.setattr(comparison_jobs, "carry_out", counted)
    return counted
