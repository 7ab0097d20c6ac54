"""`--dry-run`: what a command would do, how long it would take here, and how large what it writes would be.

Times are measured: a few seconds of the same work, on this machine, as busy as it is. They are rough.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from gansynth.classifiers.neural import build_network, computes_in_bf16
from gansynth.classifiers.neural_training import build_optimizer
from gansynth.data import CellDataset, open_dataset
from gansynth.gans import Run, build_gan, open_run
from gansynth.gans.engine.speed import training_speed
from gansynth.metrics.wording import counted
from gansynth.networks.images import to_float
from gansynth.recipes import GanRecipe
from gansynth.recipes.classifier import ClassifierRecipe, NeuralRecipe
from gansynth.runs.device import chosen_device, placed
from gansynth.runs.threads import settle_threads
from gansynth.studies.benchmark.entry import entries_of
from gansynth.studies.benchmark.study import BenchmarkSettings, budget_of
from gansynth.studies.comparison.arm import Cell, threads_of
from gansynth.studies.comparison.plan import gans_of, steps_of
from gansynth.studies.comparison.registration import Registration
from gansynth.studies.comparison.settings import ComparisonSettings
from gansynth.studies.comparison.splits import Fold
from gansynth.studies.comparison.study import DEFAULT, Ready, prepare
from gansynth.studies.search.study import SearchOptions, prepare_search
from gansynth.studies.sweep.study import prepare_sweep
from gansynth.synthesis.balancing import lacking
from gansynth.synthesis.provenance import Provenance, encode_png

MEASURED = 32
"""Images that are generated to see how long one takes."""

SPEED_SECONDS = 6.0
"""Of a GAN's training loop."""

NOTE = "nothing was written; times are those of this machine as busy as it is now"


@dataclass(frozen=True)
class Forecast:
    """What would be done.

    Attributes
    ----------
    lines : tuple of str
        A sentence each.
    seconds : float or None
        How long, roughly; None where that cannot be said.
    size : int or None
        Bytes that would be written, roughly.
    """

    lines: tuple[str, ...]
    seconds: float | None
    size: int | None

    def to_json(self) -> dict[str, Any]:
        """Return what `--dry-run --json` prints."""
        return {"would": list(self.lines), "estimated_seconds": self.seconds, "estimated_bytes": self.size}

    def __str__(self) -> str:
        """Return the lines, with time and size below them."""
        said = list(self.lines)
        said.append("time: " + ("cannot be said" if self.seconds is None else f"about {_duration(self.seconds)}"))
        if self.size is not None:
            said.append(f"size: about {_size(self.size)}")
        return "\n".join([*said, NOTE])


def training(
    dataset: CellDataset,
    recipe: GanRecipe,
    steps: int | None = None,
    minutes: float | None = None,
    images: int | None = None,
    *,
    counts: Mapping[str, int] | None = None,
    begun: Run | None = None,
    device: str = "auto",
) -> Forecast:
    """Say what a training of a GAN would do, or what is left of one.

    Parameters
    ----------
    dataset : CellDataset
    recipe : GanRecipe
    steps, minutes, images : optional
        The budget, whichever is reached first; default: the recipe's steps.
    counts : mapping of str to int, optional
        Training images of each class; default: those of the dataset's training part, or of all of it.
    begun : Run, optional
        The training that is continued: its part of the budget is spent.
    device : {"auto", "cpu", "cuda"}
    """
    if counts is None:
        counts = (dataset.part("train") if (dataset.records["split"] == "train").any() else dataset).counts()
    if steps is None and minutes is None and images is None:
        steps = recipe.training.steps
    speed = training_speed(recipe, seconds=SPEED_SECONDS, device=device)
    per_step = speed.seconds / speed.steps
    had = (0, 0, 0.0) if begun is None else (begun.step, begun.images, begun.seconds)
    limits = [
        None if steps is None else (steps - had[0]) * per_step,
        None if images is None else (images - had[1]) / speed.images_per_second,
        None if minutes is None else 60 * minutes - had[2],
    ]
    seconds = max(0.0, min(limit for limit in limits if limit is not None))
    gan = build_gan(recipe, dataset.class_names)
    all_weights = sum(weight.numel() for weight in gan.parameters())
    slow = sum(weight.numel() for weight in gan.generator.parameters())
    more = "" if begun is None else f" more than the {begun.step:,} that were made"
    lines = (
        f"train {recipe.name} ({recipe.gan}, {recipe.resolution} px) on {sum(counts.values()):,} images of "
        f"{len(dataset.class_names)} classes: {_per_class(counts)}",
        f"about {seconds / per_step:,.0f} generator steps{more}, {per_step:.2g} s a step",
    )
    # Weights with two moments each, the slow generator, and the generator alone.
    return Forecast(lines, seconds, 4 * (3 * all_weights + 2 * slow))


def generating(run: Run | str | Path, counts: Mapping[str, int], *, device: str = "auto") -> Forecast:
    """Say what generating so many images of each class would do; without screening, which makes more of them."""
    run = run if isinstance(run, Run) else open_run(run)
    for name in counts:
        run.class_index(name)
    n = sum(counts.values())
    per_image, size = _one_image(run, next(iter(counts)), device) if counts else (0.0, 0)
    line = f"generate {n:,} images of {run.resolution} px with {run.name}: {_per_class(counts)}"
    return Forecast((line,), n * per_image, n * size)


def balancing(
    data: str | Path, run: Run | str | Path, *, target: str | int = "max", seed: int = 0, device: str = "auto"
) -> Forecast:
    """Say what balancing would do."""
    run = run if isinstance(run, Run) else open_run(run)
    found = lacking(data, run, target=target, seed=seed)
    made = generating(run, found.missing, device=device)
    line = f"{_per_class(found.before)} for training become {found.wanted:,} of each class that has fewer"
    return Forecast((line, *made.lines), made.seconds, made.size)


def comparing(
    data: str | Path,
    remedies: Sequence[str],
    classifiers: Sequence[str],
    out: Path,
    settings: ComparisonSettings,
    *,
    resume: bool = False,
) -> Forecast:
    """Say what a comparison would do, or what is left of one. Runs that have seen test images are refused, as they
    would be."""
    return _compared(prepare(data, remedies, classifiers, out, settings, resume=resume, progress=False), {})


def sweeping(
    data: str | Path,
    remedies: Sequence[str],
    classifiers: Sequence[str],
    out: Path,
    settings: ComparisonSettings,
    **thinned: Any,
) -> Forecast:
    """Say what a sweep would do, ratio by ratio.

    Parameters
    ----------
    data, remedies, classifiers, out, settings
        As in `sweep_imbalance`.
    **thinned
        Its `ratios`, `minority`, `thin`, `most` and `resume`.
    """
    ready = prepare_sweep(data, remedies, classifiers, out, settings, progress=False, **thinned)
    lines: list[str] = []
    seconds: list[float | None] = []
    measured: dict[str, float] = {}
    for step, asked in ready.steps:
        place, arms = out / step.folder, ready.settings.remedies
        begun = Registration.is_in(place)
        of_step = prepare(data, arms, classifiers or DEFAULT, place, asked, resume=begun, progress=False)
        one = _compared(of_step, measured)
        lines += [f"rho {step.ratio:g}: {one.lines[0]}; learn from {_per_class(step.counts)}", *one.lines[1:]]
        seconds.append(one.seconds)
    known = [each for each in seconds if each is not None]
    return Forecast(tuple(lines), sum(known) if len(known) == len(seconds) else None, None)


def _compared(ready: Ready, measured: dict[str, float]) -> Forecast:
    """Say what a comparison would do; what is `measured`, a step of each classifier, is not measured again."""
    plan, folds, grid = ready.plan, ready.folds, ready.grid
    waiting = [(fold, grid.waiting(fold)) for fold in folds]
    lines = [
        f"compare {counted(len(plan.arms), 'arm')} by {counted(len(plan.classifiers), 'classifier')} with "
        f"{counted(len(plan.seeds), 'seed')} on {counted(len(folds), 'fold')}: "
        f"{counted(grid.total, 'training')}, {grid.jobs or 'as many as your joblib backend'} at a time"
    ]
    done = grid.total - sum(len(cells) for _, cells in waiting)
    if done:
        lines.append(_finished(done))
    parts = [*_classifiers(ready, waiting, measured), *_gans(ready, waiting)]
    lines += [line for line, _ in parts]
    known = [seconds for _, seconds in parts if seconds is not None]
    return Forecast(tuple(lines), sum(known) if len(known) == len(parts) else None, None)


Waiting = list[tuple[Fold, list[Cell]]]
Part = tuple[str, float | None]
"""A line, and the seconds of what it says; None where they are not known."""


def _classifiers(ready: Ready, waiting: Waiting, measured: dict[str, float]) -> Iterator[Part]:
    """Say of each classifier how often it is to be trained."""
    for recipe in ready.plan.classifiers:
        steps = [
            steps_of(recipe, sum(fold.counts["train"].values()))
            for fold, cells in waiting
            for cell in cells
            if cell.classifier == recipe.name
        ]
        if steps:
            how = ready.plan.settings
            yield _trainings(
                recipe, steps, len(ready.grid.class_names), ready.grid.jobs, how.device, how.weights_dir, measured
            )


def _trainings(
    recipe: ClassifierRecipe,
    steps: Sequence[int | None],
    n_classes: int,
    jobs: int,
    device: str,
    weights_dir: str | Path | None,
    measured: dict[str, float],
) -> Part:
    """Say how long trainings of a classifier take that have so many steps each."""
    known = [one for one in steps if one is not None]
    if not isinstance(recipe, NeuralRecipe) or len(known) < len(steps):
        return f"{recipe.name}: {counted(len(steps), 'fit')}; how long they take is not measured", None
    if recipe.name not in measured:
        measured[recipe.name] = _one_step(recipe, n_classes, jobs, device, weights_dir)
    each = measured[recipe.name]
    line = f"{recipe.name}: {counted(len(steps), 'training')} of {known[0]:,} steps, {each:.2g} s a step"
    return line, sum(known) * each / max(1, jobs)


def _gans(ready: Ready, waiting: Waiting) -> Iterator[Part]:
    """Say of each GAN whether it is to be trained, and in how many folds."""
    grid, settings = ready.grid, ready.plan.settings
    needed = [(fold, gans_of(grid.needed(cells))) for fold, cells in waiting]
    for title, gan in gans_of(ready.plan.arms).items():
        if gan.given is not None:
            yield f"{title}: a run that is given, not trained", 0.0
            continue
        untrained = [fold for fold, gans in needed if title in gans and not gan.trained(grid.place(fold))]
        if not untrained:
            yield f"{title}: trained already", 0.0
            continue
        place = grid.place(untrained[0])
        budget = gan.budget(place)
        one = training(
            ready.dataset, gan.recipe(place), None, budget.minutes, budget.images,
            counts=untrained[0].counts["train"], device=settings.device,
        )  # fmt: skip
        often = "once" if len(untrained) == 1 else f"once in each of {len(untrained)} folds"
        seconds = None if one.seconds is None else one.seconds * len(untrained)
        yield f"{title}: {one.lines[0]}, {often}; {one.lines[1]}", seconds


def searching(
    data: str | Path, remedy: str, out: Path, how: SearchOptions, *, resume: bool = False, **asked: Any
) -> Forecast:
    """Say what a search for a remedy's parameters would do, or what is left of one.

    Parameters
    ----------
    data, remedy, out, how, resume
        As in `search_remedy`.
    **asked
        Its `classifier`, `grid` and `beside`.
    """
    ready = prepare_search(data, remedy, out, how, resume=resume, progress=False, **asked)
    arms, folds = [one.arm.spec for one in ready.candidates], ready.folds
    total, waiting = len(arms) * len(folds), [len(ready.waiting(k)) for k in range(len(folds))]
    lines = [
        f"compare {counted(len(arms), 'arm')} on {counted(len(folds), 'fold')} of the training split: "
        f"{counted(total, 'training')}, {ready.jobs or 'as many as your joblib backend'} at a time",
        f"the arms: {', '.join(arms)}",
    ]
    if sum(waiting) < total:
        lines.append(_finished(total - sum(waiting)))
    steps: list[int | None] = []
    for fold, n in zip(folds, waiting, strict=True):
        steps += [steps_of(ready.recipe, len(fold.part("train")))] * n
    if not steps:
        return Forecast(tuple(lines), 0.0, None)
    n_classes = len(folds[0].class_names)
    line, seconds = _trainings(ready.recipe, steps, n_classes, ready.jobs, ready.device, ready.weights_dir, {})
    return Forecast((*lines, line), seconds, None)


def benchmarking(data: str | Path, recipes: Sequence[str], settings: BenchmarkSettings) -> Forecast:
    """Say what a benchmark would do; measuring comes to what is said here."""
    entries = entries_of(recipes, range(1), settings.changes)
    budget, seeds = budget_of(entries, settings.images, settings.minutes), settings.seeds
    lines: list[str] = []
    seconds, size = 0.0, 0
    for entry in entries:
        if entry.asked is None:
            lines.append(f"{entry.recipe}: taken as it is")
            continue
        dataset = open_dataset(data, size=entry.asked.resolution)
        one = training(dataset, entry.asked, None, budget.minutes, budget.images, device=settings.device)
        lines += [f"{seeds} times: {one.lines[0]}", one.lines[1]]
        seconds, size = seconds + seeds * (one.seconds or 0.0), size + seeds * (one.size or 0)
    lines.append(
        f"generate {settings.count:,} images of each class with each, and measure them; that time comes on top"
    )
    return Forecast(tuple(lines), seconds, size)


def _one_image(run: Run, class_name: str, device: str) -> tuple[float, int]:
    """Return the seconds and the bytes of one image."""
    run.sample(class_name, 1, device=device)  # loads the generator
    began = time.monotonic()
    images = run.sample(class_name, MEASURED, device=device)
    source = Provenance(run.name, run.model_sha256, run.recipe.name, class_name, seed=0)
    sizes = [len(encode_png(image, source)) for image in images]
    return (time.monotonic() - began) / MEASURED, round(float(np.mean(sizes)))


def _one_step(recipe: NeuralRecipe, n_classes: int, jobs: int, device: str, weights_dir: str | Path | None) -> float:
    """Return the seconds of a step of a classifier on noise, computed as a training would: the median of three, after
    one that warms up, on this job's share of the processors."""
    where, threads = chosen_device(device), torch.get_num_threads()
    weights = None if weights_dir is None else Path(weights_dir)
    network = placed(build_network(recipe, n_classes, weights), where).train()
    optimizer, bf16 = build_optimizer(network, recipe.training), computes_in_bf16(recipe, where)
    batch = recipe.training.batch_size
    noise = torch.randint(0, 256, (batch, 3, recipe.resolution, recipe.resolution), dtype=torch.uint8)
    labels, taken = torch.arange(batch, device=where) % n_classes, []
    try:
        if where.type == "cpu":
            torch.set_num_threads(threads_of(max(1, jobs)))
            settle_threads(where)
        for _ in range(4):
            began = time.monotonic()
            with torch.autocast(where.type, torch.bfloat16, enabled=bf16):
                logits = network(to_float(noise.to(where)))
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(logits.float(), labels).backward()
            optimizer.step()
            if where.type == "cuda":
                torch.cuda.synchronize()
            taken.append(time.monotonic() - began)
    finally:
        torch.set_num_threads(threads)
    return float(np.median(taken[1:]))


def _finished(n: int) -> str:
    return f"{n:,} of them {'is' if n == 1 else 'are'} finished"


def _per_class(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counts.items())


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"
