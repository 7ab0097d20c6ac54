"""One cell of a comparison's grid (arm, classifier, seed, fold): learned, checked for leaks, predicted."""

from __future__ import annotations

import os
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gansynth.cells.spoiling import SPOILINGS
from gansynth.classifiers.curves import Epoch
from gansynth.data.dataset import CellDataset
from gansynth.data.leaks import refuse_seen
from gansynth.errors import InputError
from gansynth.recipes.classifier import ClassifierRecipe, NeuralRecipe
from gansynth.remedies import Treatment

NOT_OUR_FAULT = (
    InputError, ArithmeticError, MemoryError, OSError, np.linalg.LinAlgError, torch.linalg.LinAlgError,
    torch.cuda.OutOfMemoryError,
)  # fmt: skip
"""What one training may fail with without costing the others: its data or the machine are the cause, not a mistake."""

_NO_MEMORY = "DefaultCPUAllocator"
"""Torch has no class for it."""


@dataclass(frozen=True)
class Cell:
    """Which cell of the grid.

    Attributes
    ----------
    arm : str
        Its spec.
    folder_name : str
        The arm in a path.
    classifier : str
    fold, seed : int
    """

    arm: str
    folder_name: str
    classifier: str
    fold: int
    seed: int

    @property
    def path(self) -> str:
        """Its folder inside the comparison's."""
        return f"arms/fold{self.fold}/{self.folder_name}/{self.classifier}/seed{self.seed}"

    def __str__(self) -> str:
        return f"{self.arm}, {self.classifier}, fold {self.fold}, seed {self.seed}"


@dataclass(frozen=True)
class Job:
    """What one process needs for a cell; its images are memory-mapped, so that many jobs hold them once.

    Attributes
    ----------
    cell : Cell
    treatment : Treatment
    validation : CellDataset or None
    test : CellDataset
    synthetic : dict of str to CellDataset
        By GAN: synthetic images that are predicted too (trained on real, tested on synthetic).
    conditions : tuple of str
        Names of `SPOILINGS` in which the test images are predicted too.
    recipe : ClassifierRecipe
    steps : int or None
    leak_free : bool
        Whether a classifier that learned from a test image is refused.
    device : str
    weights_dir : pathlib.Path or None
    threads : int or None
        That it may compute on; None leaves them as they are.
    """

    cell: Cell
    treatment: Treatment
    validation: CellDataset | None
    test: CellDataset
    synthetic: Mapping[str, CellDataset]
    conditions: tuple[str, ...]
    recipe: ClassifierRecipe
    steps: int | None
    leak_free: bool
    device: str
    weights_dir: Path | None
    threads: int | None


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    Attributes
    ----------
    cell : Cell
    probabilities : float64 array, shape [n, C], or None
        Of the test images; None where it failed.
    synthetic, conditions : dict of str to float64 array
        The same of synthetic images by their GAN, and of the test images by the condition they are shown in.
    seconds : float
    curve : list of Epoch
    weights : str
    notes : list of str
        Warnings of the training.
    error : str or None
    leak : str or None
        Why it was refused.
    traceback : str
        Of the error.
    is_mistake : bool
        Whether the error is one of this program, which ends the study.
    """

    cell: Cell
    probabilities: NDArray[np.float64] | None = None
    synthetic: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    conditions: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    seconds: float = 0.0
    curve: list[Epoch] = field(default_factory=list)
    weights: str = ""
    notes: list[str] = field(default_factory=list)
    error: str | None = None
    leak: str | None = None
    traceback: str = ""
    is_mistake: bool = False


def carry_out(job: Job) -> Outcome:
    """Train a classifier and let it predict the test images. Runs in a process of its own, and writes nothing."""
    began = time.monotonic()
    with _threads(job.threads), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        try:
            return _predicted(job, began, caught)
        except Exception as error:
            mistake = not isinstance(error, NOT_OUR_FAULT) and _NO_MEMORY not in str(error)
            return Outcome(
                job.cell,
                seconds=time.monotonic() - began,
                error=sentence(error),
                traceback=traceback.format_exc(),
                is_mistake=mistake,
            )


def sentence(error: BaseException) -> str:
    """Return what went wrong in one line."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return (lines[0] if isinstance(error, InputError) else f"{type(error).__name__}: {lines[0]}")[:500]


def _predicted(job: Job, began: float, caught: list[warnings.WarningMessage]) -> Outcome:
    from gansynth.classifiers.training import train_classifier

    classifier = train_classifier(
        job.treatment,
        job.recipe,
        validation=job.validation,
        seed=job.cell.seed,
        steps=job.steps,
        patience=0,
        device=job.device,
        weights_dir=job.weights_dir,
        progress=False,
    )
    if isinstance(job.recipe, NeuralRecipe) and job.steps and _last_step(classifier.curve) < job.steps:
        raise KeyboardInterrupt  # what was stopped before its last step is not what was asked for
    if job.leak_free:
        try:
            refuse_seen(job.test, classifier.seen_sha256, f"{job.cell.classifier} ({job.cell.arm})")
            refuse_seen(job.test, classifier.chosen_on_sha256, f"a choice in {job.cell.classifier} ({job.cell.arm})")
        except InputError as leak:
            return Outcome(job.cell, leak=str(leak))
    probabilities = classifier.probabilities(job.test.images)
    synthetic = {gan: classifier.probabilities(made.images) for gan, made in job.synthetic.items()}
    altered = {
        name: classifier.probabilities(SPOILINGS[name].alter(np.asarray(job.test.images))) for name in job.conditions
    }
    return Outcome(
        job.cell,
        probabilities,
        synthetic,
        altered,
        time.monotonic() - began,
        list(classifier.curve),
        getattr(classifier, "weights", ""),
        [
            *job.treatment.notes,
            *dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, UserWarning)),
        ],
    )


def _last_step(curve: list[Epoch]) -> int:
    return curve[-1].step if curve else 0


@contextmanager
def _threads(wanted: int | None) -> Iterator[None]:
    """Compute on so many threads, and afterwards on as many as before."""
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    with threadpool_limits(wanted) if wanted is not None else nullcontext():
        try:
            if wanted is not None:
                torch.set_num_threads(wanted)
            yield
        finally:
            torch.set_num_threads(before)


def cores() -> int:
    """Return how many processor cores this process may use."""
    from joblib import cpu_count

    return int(cpu_count())


def threads_of(jobs: int) -> int:
    """Return how many threads each of `jobs` computes on: its share of the cores, at most `$OMP_NUM_THREADS`."""
    share = max(1, cores() // jobs)
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(share, int(asked)) if asked.isdigit() and int(asked) else share


def memory_available() -> int | None:
    """Return the bytes of memory that are free for new processes; None where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, OSError, ValueError):
        return None
