"""One row of a benchmark: train (or reuse) a run, generate (or compose), measure. What is done is not done again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gansynth.data.opening import open_dataset
from gansynth.errors import InputError
from gansynth.gans import Run, build_gan, open_run, train_gan
from gansynth.recipes import GanRecipe, load_recipe
from gansynth.remedies.naturalize import LEAST_EDGE
from gansynth.runs.artifact import zoo_models
from gansynth.runs.device import Devices
from gansynth.studies.benchmark.composites import COMPOSITES, Made, composed
from gansynth.studies.benchmark.result import BenchmarkRun, Settings
from gansynth.studies.quality.result import Quality
from gansynth.studies.quality.study import quality
from gansynth.synthesis import generate


@dataclass(frozen=True)
class Entry:
    """A recipe with a seed, a run that exists already, or composites of training images (neither of the two).

    Attributes
    ----------
    recipe : str
        How tables call it.
    seed : int
    asked : GanRecipe or None
        What to train by; None where nothing is trained.
    given : Run or None
        The run that exists.
    """

    recipe: str
    seed: int
    asked: GanRecipe | None = None
    given: Run | None = None

    @property
    def name(self) -> str:
        """What its folders are called."""
        return f"{self.recipe}-seed{self.seed}"

    @property
    def resolution(self) -> int:
        """Edge length of its images in pixels."""
        if self.given is not None:
            return self.given.resolution
        return LEAST_EDGE if self.asked is None else self.asked.resolution

    @property
    def gan(self) -> str:
        """The kind of its GAN; "composites" where there is none."""
        recipe = self.given.recipe if self.given is not None else self.asked
        return "composites" if recipe is None else recipe.gan


def entries_of(names: Sequence[str], seeds: Sequence[int], changes: Sequence[str]) -> list[Entry]:
    """Return one entry for each recipe and seed, seeds outermost, so that a benchmark cut short compares all recipes.

    A name may be a recipe of the zoo, a YAML file, a run folder or a generator that ships, which are taken as they are,
    or `COMPOSITES`, which are drawn anew with every seed.

    Raises
    ------
    InputError
        For an unknown name, or two recipes of one name.
    """
    found: list[Entry] = []
    recipes: list[GanRecipe] = []
    composites: list[str] = []
    ships = zoo_models()
    for name in names:
        if name == COMPOSITES:
            composites.append(name)
        elif (Path(name) / "run.json").is_file() or name in ships:
            run = open_run(name)
            found.append(Entry(run.name, run.seed, given=run))
        else:
            recipes.append(load_recipe(name, changes))
    titles = composites + [recipe.name for recipe in recipes] + [entry.recipe for entry in found]
    twice = sorted({title for title in titles if titles.count(title) > 1})
    if twice:
        raise InputError(f"--recipes: {', '.join(twice)} is named twice; give each recipe a `name` of its own")
    for seed in seeds:
        found += [Entry(recipe.name, seed, asked=recipe) for recipe in recipes]
        found += [Entry(name, seed) for name in composites]
    return found


def carry_out(entry: Entry, settings: Settings) -> BenchmarkRun:
    """Train and generate, or compose, and measure; return what was done.

    Raises
    ------
    InputError
        If a step cannot be done.
    """
    run = entry.given
    if entry.asked is not None:
        run = _trained(entry, settings)
    seconds = _composed(entry, settings) if run is None else _generated(run, entry, settings)
    folder = settings.out / "quality" / entry.name
    if not Quality.is_in(folder):
        shutil.rmtree(folder, ignore_errors=True)
        quality(
            settings.data,
            settings.out / "synthetic" / entry.name,
            run=run,
            encoder=settings.encoder,
            pairing=settings.pairing,
            size=settings.size,
            weights_dir=settings.weights_dir,
            dinobloom=settings.dinobloom,
            seed=settings.seed,
            device=settings.device,
            progress=settings.progress,
        ).write(folder)
    Quality.read(folder)
    return BenchmarkRun(
        recipe=entry.recipe,
        gan=entry.gan,
        seed=entry.seed,
        status="done",
        images=None if run is None else run.images,
        steps=None if run is None else run.step,
        seconds=None if run is None else run.seconds,
        generating_seconds=seconds,
        parameters={} if run is None else parameters(run),
        run=None if run is None else str(run.path) if entry.given is not None else f"runs/{entry.name}",
        quality=f"quality/{entry.name}",
    )


def parameters(run: Run) -> dict[str, int]:
    """Return the number of weights of every player."""
    counts = {
        name: sum(p.numel() for p in network.parameters())
        for name, network in build_gan(run.recipe, run.class_names).named_children()
    }
    return {name: n for name, n in counts.items() if n}


def _trained(entry: Entry, settings: Settings) -> Run:
    assert entry.asked is not None
    place = settings.out / "runs" / entry.name
    began = (place / "run.json").is_file()
    if began and _same_training(Run(place) if (place / "model.safetensors").is_file() else None, entry, settings):
        return Run(place)
    dataset = open_dataset(settings.data, size=entry.asked.resolution, progress=settings.progress)
    return train_gan(
        dataset,
        entry.asked,
        place,
        images=settings.budget.images,
        minutes=settings.budget.minutes,
        resume=place.is_dir() and any(place.iterdir()),
        seed=entry.seed,
        device=Devices(settings.device, settings.devices),
        progress=settings.progress,
    )


def _same_training(run: Run | None, entry: Entry, settings: Settings) -> bool:
    """Whether a run is the one asked for, and complete; `train_gan` itself refuses to continue another one."""
    if run is None or entry.asked is None or not run.finished:
        return False
    apart = {"reports"}
    same = run.recipe.model_dump(exclude=apart) == entry.asked.model_dump(exclude=apart)
    spent = run.has_had(settings.budget.images, settings.budget.minutes)
    dataset = open_dataset(settings.data, size=entry.resolution)
    training = set(dataset.part("train").records["sha256"])
    return same and spent and run.seed == entry.seed and training == set(run.info["training_sha256"])


def _composed(entry: Entry, settings: Settings) -> float | None:
    """Compose what is not there yet; drawings of different seeds have no image in common."""
    return composed(
        settings.data,
        settings.out / "synthetic" / entry.name,
        count=settings.count,
        first=settings.seed + (entry.seed - settings.seed) * settings.count,
        size=settings.size,
        progress=settings.progress,
    )


def _generated(run: Run, entry: Entry, settings: Settings) -> float | None:
    """Generate what is not there yet; return the seconds that took, None where a stopped generation was continued."""
    place = settings.out / "synthetic" / entry.name
    if Made.is_in(place):
        held = Made.read(place)
        if held.model_sha256 == run.model_sha256:
            return held.seconds
        shutil.rmtree(place, ignore_errors=True)  # the run was trained on
        shutil.rmtree(settings.out / "quality" / entry.name, ignore_errors=True)
    resume, began = place.is_dir() and any(place.iterdir()), time.monotonic()
    counts = dict.fromkeys(run.class_names, settings.count)
    # Nothing is left out: the generator is judged by all that it makes, copies and broken images too.
    report = generate(
        run, counts, place, seed=settings.seed, device=settings.device, resume=resume, keep_copies=True,
        keep_broken=True, progress=settings.progress,
    )  # fmt: skip
    if not report.complete:
        raise InputError(f"{entry.name}: not every class could be generated: {report}")
    seconds = None if resume else round(time.monotonic() - began, 2)
    Made(run.model_sha256, seconds).write(place)
    return seconds
