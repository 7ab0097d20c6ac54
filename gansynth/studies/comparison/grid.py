"""The grid of arms, classifiers, seeds and folds: what is missing is done, in parallel, through joblib."""

from __future__ import annotations

import math
import shutil
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gansynth.cells.spoiling import SPOILINGS
from gansynth.data.dataset import CellDataset
from gansynth.files.atomic import whole_file
from gansynth.remedies import Arm, Treatment, Workplace
from gansynth.remedies.arm import ALONE, NONE
from gansynth.runs.device import chosen_device
from gansynth.runs.display import WorkDisplay
from gansynth.studies.comparison.arm import (
    NOT_OUR_FAULT,
    Cell,
    Job,
    Outcome,
    cores,
    memory_available,
    sentence,
    threads_of,
)
from gansynth.studies.comparison.jobs import keep_failure, keep_outcome, run_jobs
from gansynth.studies.comparison.plan import Plan, gans_of, steps_of
from gansynth.studies.comparison.record import finished
from gansynth.studies.comparison.splits import Fold, Images, split_after
from gansynth.studies.spread import has_backend

_JOB_BYTES = 2 * 1024**3
"""What a job holds beside the shared images: torch, a network, its activations, the features of a classical model."""

_SHARED_FROM = 2**20
"""Bytes from which an array is written down and memory-mapped instead of being copied to every process."""


@dataclass(frozen=True)
class Missing:
    """A cell that could not be filled."""

    cell: Cell
    error: str


class Grid:
    """All cells of a comparison, and what is done of them.

    Parameters
    ----------
    plan : Plan
    folds : sequence of Fold
    images : Images
    jobs : int
        Cells at a time; 0 leaves that, and the threads, to the backend that the user has set.
    """

    def __init__(self, plan: Plan, folds: Sequence[Fold], images: Images, jobs: int) -> None:
        self.plan, self.folds, self.images, self.jobs = plan, folds, images, jobs
        self.class_names = images.at(plan.sizes[0]).class_names
        self.missing: list[Missing] = []
        self.total = sum(len(self.cells(fold)) for fold in folds)
        self._done = 0

    def cells(self, fold: Fold) -> list[Cell]:
        """Return the cells of a fold: seeds outermost, so that what is cut short compares all arms."""
        return [
            Cell(arm.spec, arm.folder_name, recipe.name, fold.number, seed)
            for seed in self.plan.seeds
            for recipe in self.plan.classifiers
            for arm in self.plan.arms_of(recipe)
        ]

    def waiting(self, fold: Fold) -> list[Cell]:
        """Return the cells of a fold that are not finished."""
        conditions = self.conditions
        return [
            cell
            for cell in self.cells(fold)
            if finished(self.plan.out, cell, self.class_names, self.swapped(cell), conditions) is None
        ]

    def needed(self, cells: Sequence[Cell]) -> list[Arm]:
        """Return the arms whose images some cells learn from or predict."""
        names = {cell.arm for cell in cells} | {f"{ALONE}{gan}" for cell in cells for gan in self.swapped(cell)}
        return [arm for arm in self.plan.arms if arm.spec in names]

    def place(self, fold: Fold) -> Workplace:
        """Return where the remedies of a fold work."""

        def learning(size: int) -> CellDataset:
            return self.images.of(fold, size, "train", "val")

        plan = self.plan
        folder = plan.out / fold.name
        return Workplace(
            folder,
            learning,
            plan.settings.seed,
            plan.settings.budget,
            plan.settings.device,
            plan.progress,
            None,
            tuple(plan.settings.gan_changes),
            plan.settings.min_confidence,
        )

    def refuse_leaks(self) -> None:
        """Refuse runs that have seen what they, or what goes on from them, would be tested on, before anything is
        trained."""
        begun = [gan for gan in gans_of(self.plan.arms).values() if gan.given is not None or gan.parent is not None]
        if self.plan.is_paper or not begun:
            return
        for fold in self.folds:
            test = self.images.of(fold, self.plan.sizes[0], "test")
            for gan in begun:
                gan.refuse_leaks(test, self.place(fold))

    def fill(self) -> None:
        """Do every cell that is not finished, fold by fold; what fails is noted, and does not cost the others.

        Raises
        ------
        InputError
            If something has learned from images it would be tested on.
        """
        for fold in self.folds:
            waiting = self.waiting(fold)
            self._done += len(self.cells(fold)) - len(waiting)
            try:
                if waiting:
                    self._fill(fold, waiting)
            finally:
                shutil.rmtree(self.features_of(fold), ignore_errors=True)

    def _fill(self, fold: Fold, waiting: Sequence[Cell]) -> None:
        made = _Made(self, fold)
        made.prepare(self.needed(waiting))
        shown = self.plan.progress
        with WorkDisplay("classifiers", self.total, done=self._done, shown=shown, every=math.inf) as display:
            for cell in waiting:
                if cell.arm in made.failed:
                    self._note_failure(display, cell, *made.failed[cell.arm])
            jobs = [made.job(cell) for cell in waiting if cell.arm not in made.failed]
            of = {job.cell: job for job in jobs}
            for outcome in run_jobs(jobs, self.jobs):
                self._keep(display, of[outcome.cell], outcome)

    def _keep(self, display: WorkDisplay, job: Job, outcome: Outcome) -> None:
        if outcome.error is not None:
            self._note_failure(display, job.cell, outcome.error, outcome.traceback, outcome.is_mistake)
        else:
            self._say(display, job.cell, keep_outcome(self.plan.out, job, outcome))

    def _note_failure(
        self, display: WorkDisplay, cell: Cell, error: str, traceback: str, is_mistake: bool = False
    ) -> None:
        keep_failure(self.plan.out, cell, error, traceback, is_mistake)
        self.missing.append(Missing(cell, error))
        self._say(display, cell, f"failed: {error}")

    def _say(self, display: WorkDisplay, cell: Cell, what: str) -> None:
        self._done += 1
        display.step(f"{cell}: {what}")

    @property
    def conditions(self) -> tuple[str, ...]:
        """In which the test images are predicted too."""
        return tuple(SPOILINGS) if self.plan.settings.robustness else ()

    def swapped(self, cell: Cell) -> list[str]:
        """Return the GANs whose images the classifier of a cell predicts."""
        return list(gans_of(self.plan.arms)) if self.plan.settings.swap and cell.arm == NONE else []

    def features_of(self, fold: Fold) -> Path:
        """Return where a fold keeps what its jobs share."""
        return self.plan.out / fold.name / "shared"


class _Made:
    """What the jobs of a fold learn from and are tested on, made when it is first asked for, and held once."""

    def __init__(self, grid: Grid, fold: Fold) -> None:
        self.grid, self.fold, self.plan = grid, fold, grid.plan
        self.place = grid.place(fold)
        self.recipes = {recipe.name: recipe for recipe in self.plan.classifiers}
        self.arms = {arm.spec: arm for arm in self.plan.arms}
        self._treatments: dict[tuple[str, int, int], Treatment] = {}
        self._parts: dict[tuple[str, int], CellDataset | None] = {}
        self._after: dict[tuple[str, int], tuple[Treatment, CellDataset, CellDataset]] = {}
        self._files = 0
        self.failed: dict[str, tuple[str, str]] = {}

    def prepare(self, arms: Sequence[Arm]) -> None:
        """Make what the arms need (GANs, synthetic images), the largest dose first; note what failed, and why."""
        for arm in sorted(arms, key=lambda arm: 0.0 if arm.dose is None else -arm.dose):
            try:
                for size in self.plan.sizes:
                    self.treatment(arm.spec, size)
            except NOT_OUR_FAULT as error:
                self.failed[arm.spec] = sentence(error), traceback.format_exc()
                continue
            if not self.plan.is_paper:
                test = self.part("test", self.plan.sizes[0])
                assert test is not None
                arm.refuse_leaks(test, self.place)

    def treatment(self, spec: str, size: int, seed: int | None = None) -> Treatment:
        """Return what an arm learns from, with images that processes share; drawn anew for a seed where that is
        cheap."""
        drawing = self.plan.settings.seed if seed is None or not self.arms[spec].cheap else seed
        if (spec, size, drawing) not in self._treatments:
            training = self.part("train", size)
            assert training is not None
            treated = self.arms[spec].treat(training, replace(self.place, drawing_seed=drawing))
            if treated.images is not training:
                treated = replace(treated, images=self._shared(treated.images))
            self._treatments[spec, size, drawing] = treated
        return self._treatments[spec, size, drawing]

    def part(self, name: str, size: int) -> CellDataset | None:
        """Return the real images of a part of the fold; None where it has none."""
        if (name, size) not in self._parts:
            found = self.grid.images.of(self.fold, size, name)
            self._parts[name, size] = self._shared(found) if len(found) else None
        return self._parts[name, size]

    def job(self, cell: Cell) -> Job:
        """Return the job of a cell."""
        recipe, plan = self.recipes[cell.classifier], self.plan
        size = recipe.resolution
        treatment, validation, test = self._split(cell.arm, size, cell.seed)
        threads = None if self.grid.jobs == 0 else threads_of(self.grid.jobs)
        return Job(
            cell=cell,
            treatment=treatment,
            validation=validation,
            test=test,
            synthetic={
                gan: self._synthetic(gan, size) for gan in self.grid.swapped(cell) if f"{ALONE}{gan}" not in self.failed
            },
            conditions=self.grid.conditions,
            recipe=recipe,
            steps=steps_of(recipe, training_images(plan, self.fold)),
            leak_free=not plan.is_paper,
            device=plan.settings.device,
            weights_dir=None if plan.settings.weights_dir is None else Path(plan.settings.weights_dir),
            threads=threads,
        )

    def _split(self, spec: str, size: int, seed: int) -> tuple[Treatment, CellDataset | None, CellDataset]:
        if self.plan.is_paper:
            if (spec, size) not in self._after:
                treatment, validation, test = split_after(self.treatment(spec, size), self.plan.settings.seed)
                self._after[spec, size] = treatment, self._shared(validation), self._shared(test)
            return self._after[spec, size]
        tested = self.part("test", size)
        assert tested is not None
        return self.treatment(spec, size, seed), self.part("val", size), tested

    def _synthetic(self, gan: str, size: int) -> CellDataset:
        """Return as many synthetic images of each class as there are real ones to learn from."""
        alone = self.treatment(f"{ALONE}{gan}", size)
        if ("synthetic " + gan, size) not in self._parts:
            self._parts["synthetic " + gan, size] = self._shared(alone.images.select(alone.rows))
        found = self._parts["synthetic " + gan, size]
        assert found is not None
        return found

    def _shared(self, dataset: CellDataset) -> CellDataset:
        """Return a data set whose images lie in a file that every process maps, instead of a copy in each."""
        if dataset.images.nbytes < _SHARED_FROM:
            return dataset
        self._files += 1
        path = self.grid.features_of(self.fold) / f"{self._files}.npy"
        with whole_file(path) as temporary:
            np.save(temporary, np.ascontiguousarray(dataset.images), allow_pickle=False)
        # "c": torch warns of arrays that cannot be written to; nobody writes to these.
        images: NDArray[np.uint8] = np.load(path, mmap_mode="c", allow_pickle=False)
        return replace(dataset, images=images)


def training_images(plan: Plan, fold: Fold) -> int:
    """Return how many real images a classifier of a fold has to learn from, whatever the arm."""
    n = sum(fold.counts["train"].values())
    return round(0.7 * n) if plan.is_paper else n


def chosen_jobs(asked: int | None, device: str, before: int | None = None) -> int:
    """Return how many cells are done at a time.

    Where nothing is asked: what the user's own joblib configuration says (0), as many as `before`, one on a GPU, else
    as many as there are cores and memory.
    """
    if asked is not None:
        return asked
    if has_backend():
        return 0
    if before:
        return before
    if chosen_device(device).type == "cuda":
        return 1
    free = memory_available()
    return max(1, min(cores(), cores() if free is None else free // _JOB_BYTES))
