"""`--dry-run`: what a command would do, how long it would take here, and how large what it writes would be.

Times are measured: a few seconds of the same work, on this machine, as busy as it is. They are rough.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
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
from gansynth.recipes import GanRecipe, load_recipe
from gansynth.recipes.classifier import NeuralRecipe
from gansynth.runs.device import chosen_device, placed
from gansynth.runs.threads import settle_threads
from gansynth.studies.benchmark.entry import entries_of
from gansynth.studies.benchmark.study import BenchmarkSettings, budget_of
from gansynth.studies.comparison.arm import threads_of
from gansynth.studies.comparison.plan import gans_of, steps_of
from gansynth.studies.comparison.settings import ComparisonSettings
from gansynth.studies.comparison.study import DEFAULT, Ready, prepare
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
    device: str = "auto",
) -> Forecast:
    """Say what a training of a GAN would do.

    Parameters
    ----------
    dataset : CellDataset
    recipe : GanRecipe
    steps, minutes, images : optional
        The budget, whichever is reached first; default: the recipe's steps.
    counts : mapping of str to int, optional
        Training images of each class; default: those of the dataset's training part, or of all of it.
    device : {"auto", "cpu", "cuda"}
    """
    if counts is None:
        counts = (dataset.part("train") if (dataset.records["split"] == "train").any() else dataset).counts()
    if steps is None and minutes is None and images is None:
        steps = recipe.training.steps
    speed = training_speed(recipe, seconds=SPEED_SECONDS, device=device)
    per_step = speed.seconds / speed.steps
    of_images = None if images is None else images / speed.images_per_second
    limits = [None if steps is None else steps * per_step, of_images, minutes and 60 * minutes]
    seconds = min(limit for limit in limits if limit is not None)
    gan = build_gan(recipe, dataset.class_names)
    all_weights = sum(weight.numel() for weight in gan.parameters())
    slow = sum(weight.numel() for weight in gan.generator.parameters())
    lines = (
        f"train {recipe.name} ({recipe.gan}, {recipe.resolution} px) on {sum(counts.values()):,} images of "
        f"{len(dataset.class_names)} classes: {_per_class(counts)}",
        f"about {seconds / per_step:,.0f} generator steps, {per_step:.2g} s a step",
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
    data: str | Path, remedies: Sequence[str], classifiers: Sequence[str], out: Path, settings: ComparisonSettings
) -> Forecast:
    """Say what a comparison would do. Runs that have seen test images are refused, as they would be."""
    return _compared(prepare(data, remedies, classifiers, out, settings, resume=False, progress=False), {})


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
        Its `ratios`, `minority`, `thin` and `most`.
    """
    ready = prepare_sweep(data, remedies, classifiers, out, settings, progress=False, **thinned)
    lines: list[str] = []
    seconds: list[float | None] = []
    measured: dict[str, float] = {}
    for step, asked in ready.steps:
        place, arms = out / step.folder, ready.settings.remedies
        of_step = prepare(data, arms, classifiers or DEFAULT, place, asked, resume=False, progress=False)
        one = _compared(of_step, measured)
        lines += [f"rho {step.ratio:g}: {one.lines[0]}; learn from {_per_class(step.counts)}", *one.lines[1:]]
        seconds.append(one.seconds)
    known = [each for each in seconds if each is not None]
    return Forecast(tuple(lines), sum(known) if len(known) == len(seconds) else None, None)


def _compared(ready: Ready, measured: dict[str, float]) -> Forecast:
    """Say what a comparison would do; what is `measured`, a step of each classifier, is not measured again."""
    plan, folds, settings = ready.plan, ready.folds, ready.plan.settings
    seconds: float | None = 0.0
    lines = [
        f"compare {counted(len(plan.arms), 'arm')} by {counted(len(plan.classifiers), 'classifier')} with "
        f"{counted(len(plan.seeds), 'seed')} on {counted(len(folds), 'fold')}: "
        f"{counted(ready.grid.total, 'training')}, {ready.grid.jobs or 'as many as your joblib backend'} "
        "at a time"
    ]
    for recipe in plan.classifiers:
        steps = [steps_of(recipe, sum(fold.counts["train"].values())) for fold in folds]
        trainings = len(plan.arms_of(recipe)) * len(plan.seeds)
        if not isinstance(recipe, NeuralRecipe) or None in steps:
            seconds = None
            lines.append(f"{recipe.name}: {trainings * len(folds):,} fits; how long they take is not measured")
            continue
        if recipe.name not in measured:
            measured[recipe.name] = _one_step(recipe, len(ready.grid.class_names), settings, ready.grid.jobs)
        each = measured[recipe.name]
        lines.append(f"{recipe.name}: {trainings * len(folds):,} trainings of {steps[0]:,} steps, {each:.2g} s a step")
        if seconds is not None:
            seconds += trainings * sum(step or 0 for step in steps) * each / max(1, ready.grid.jobs)
    for title, gan in gans_of(plan.arms).items():
        if gan.given is not None:
            lines.append(f"{title}: a run that is given, not trained")
            continue
        recipe_of_gan = load_recipe(gan.source, settings.gan_changes)
        one = training(
            ready.dataset, recipe_of_gan, None, settings.gan_minutes, settings.gan_images,
            counts=folds[0].counts["train"], device=settings.device,
        )  # fmt: skip
        often = "once" if len(folds) == 1 else f"once in each of {len(folds)} folds"
        lines.append(f"{title}: {one.lines[0]}, {often}; {one.lines[1]}")
        if seconds is not None and one.seconds is not None:
            seconds += one.seconds * len(folds)
    return Forecast(tuple(lines), seconds, None)


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


def _one_step(recipe: NeuralRecipe, n_classes: int, settings: ComparisonSettings, jobs: int) -> float:
    """Return the seconds of a step of a classifier on noise, computed as a training would: the median of three, after
    one that warms up, on this job's share of the processors."""
    where, threads = chosen_device(settings.device), torch.get_num_threads()
    weights = None if settings.weights_dir is None else Path(settings.weights_dir)
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


def _per_class(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counts.items())


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"
