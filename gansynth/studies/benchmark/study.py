"""`benchmark`: GANs side by side on one data set, with the same budget, measured by the same numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from gansynth.data.opening import open_dataset, refuse_inside
from gansynth.errors import InputError
from gansynth.files import holding
from gansynth.metrics.matching import Pairing
from gansynth.studies.benchmark.attempts import attempts
from gansynth.studies.benchmark.entry import Entry, entries_of
from gansynth.studies.benchmark.result import Benchmark, BenchmarkRun, Budget, Settings, gather
from gansynth.studies.quality.judges import AUTO, OWN, named_encoder
from gansynth.studies.result_file import Asked
from gansynth.version import __version__


@dataclass(frozen=True)
class BenchmarkAsked(Asked):
    """What the numbers of a benchmark depend on, in settings.json before the first training."""

    FILE, COMMAND, WHAT = "settings.json", Benchmark.COMMAND, "benchmark"
    BEFORE = ("runs",)

    data_sha256: str
    images: int | None
    minutes: float | None
    count: int
    changes: list[str]
    size: int
    encoder: str
    pairing: str
    first_seed: int
    gansynth: str


@holding()
def benchmark(
    data: str | Path,
    recipes: Sequence[str],
    out: str | Path,
    *,
    settings: BenchmarkSettings | None = None,
    resume: bool = False,
    progress: bool = True,
    **options: Any,
) -> Benchmark:
    """Train, generate, measure and rank.

    Recipes are carried out one after the other; within ``joblib.parallel_config(backend="dask")``, or another backend
    than joblib's own, on its workers, which see `data` and `out`.

    Parameters
    ----------
    data : path-like
        A data set with its split (`gansynth data split`): generators learn from its training images, and are measured
        against its validation and test images.
    recipes : sequence of str
        Recipes of the zoo, YAML files, folders of runs that are taken as they are, or ``naturalize``: composites of
        the training images, drawn anew with every seed.
    out : path-like
        Gets runs/, synthetic/, quality/, tables and, from the command, report.html.
    settings : BenchmarkSettings, optional
        Seeds, budget, how many images, how they are measured, where it is computed.
    resume : bool
        Continue: what is finished is not done again. Recipes and seeds may be added.
    progress : bool
        Report on standard error.
    **options
        Any of the settings by its name, for daily use: ``seeds=3, images=200_000``. None leaves it as it is.

    Returns
    -------
    Benchmark

    Raises
    ------
    InputError
        If the data have no split, the folder holds something else, or no recipe could be carried out.
    TypeError
        For an option that `BenchmarkSettings` does not have.

    Examples
    --------
    >>> benchmark("my-cells", ["c-wgan-gp-64", "ac-gan-64"], "gans", images=200_000)  # doctest: +SKIP
    """
    given = {name: value for name, value in options.items() if value is not None}
    how = replace(settings or BenchmarkSettings(), **given)
    refuse_inside(data, out)
    entries = entries_of(recipes, range(how.seed, how.seed + how.seeds), how.changes)
    if not entries:
        raise InputError("no recipe; give --recipes with at least one")
    resolved = Settings(
        data=str(data),
        out=Path(out),
        budget=budget_of(entries, how.images, how.minutes),
        count=how.count,
        size=how.size or min(entry.resolution for entry in entries),
        encoder=str(how.encoder),
        pairing=how.pairing,
        seed=how.seed,
        device=how.device,
        devices=how.devices,
        weights_dir=None if how.weights_dir is None else Path(how.weights_dir),
        dinobloom=None if how.dinobloom is None else Path(how.dinobloom),
        progress=progress,
    )
    _claim(resolved, how.changes, resume)
    rows: dict[str, BenchmarkRun] = {}
    for entry, row in attempts(entries, resolved):
        rows[entry.name] = row
        # After every entry, so that a benchmark cut short has its tables.
        found = gather(resolved, [rows[one.name] for one in entries if one.name in rows])
        found.write(resolved.out)
    if not found.done:
        raise InputError(f"no recipe could be carried out; the first failed so: {found.runs[0].error}")
    return found


def budget_of(entries: Sequence[Entry], images: int | None, minutes: float | None) -> Budget:
    """Return the budget of every training: what is asked for, else the images of the recipe with the fewest."""
    if images is None and minutes is None:
        trainings = [entry.asked.training for entry in entries if entry.asked is not None]
        images = min((t.steps * t.critic_steps * t.batch_size for t in trainings), default=None)
    return Budget(images, minutes)


def _claim(settings: Settings, changes: Sequence[str], resume: bool) -> None:
    """Make the folder, or see that it holds this benchmark; note what its numbers depend on."""
    if settings.data == "phantom" and not Path("phantom").is_dir():
        raise InputError(
            "phantom: a benchmark needs a folder; write one with `gansynth data phantom cells` and "
            "`gansynth data split cells`"
        )
    dataset = open_dataset(settings.data, size=settings.size, progress=settings.progress)
    split = set(dataset.records["split"])
    if "train" not in split or not split & {"val", "test"}:
        raise InputError(
            f"{settings.data}: has no split, and each training would make its own; run `gansynth data split` first"
        )
    if settings.encoder not in (AUTO, OWN):  # known before anything is trained, and not after hours
        held_out = dataset.records["sha256"][dataset.records["split"].isin(("val", "test"))]
        named_encoder(settings.encoder, dataset.class_names, held_out.tolist(), torch.device("cpu"))
    held_by = [*dataset.records["sha256"], *dataset.records["split"], *dataset.class_names]
    asked = BenchmarkAsked(
        data_sha256=hashlib.sha256("\0".join(held_by).encode()).hexdigest(),
        images=settings.budget.images,
        minutes=settings.budget.minutes,
        count=settings.count,
        changes=sorted(changes),
        size=settings.size,
        encoder=settings.encoder,
        pairing=settings.pairing,
        first_seed=settings.seed,
        gansynth=__version__,
    )
    held = BenchmarkAsked.held_in(settings.out, resume)
    if held is not None:
        asked.refuse_another(held, settings.out)
    asked.write(settings.out)


@dataclass(frozen=True)
class BenchmarkSettings:
    """How a benchmark is carried out.

    Attributes
    ----------
    seeds : int
        Trainings of each recipe: `seed`, `seed` + 1, ...
    images, minutes : optional
        The budget of every training: real images seen, wall time, or whichever is reached first. Default: the images of
        the recipe with the fewest.
    count : int
        Synthetic images of each class.
    changes : sequence of str
        Changes to every recipe, such as ``"augmentation.policy=none"``.
    encoder, pairing, weights_dir, dinobloom
        As for `quality`.
    size : int, optional
        Compare at this edge length; default: that of the recipe with the smallest images.
    seed : int
        The first seed; also that of generated images and of everything drawn in the measuring.
    device : str
    devices : int
        Of each training.

    Raises
    ------
    InputError
        For what is impossible.
    """

    seeds: int = 2
    images: int | None = None
    minutes: float | None = None
    count: int = 200
    changes: Sequence[str] = ()
    encoder: str | Path = "auto"
    pairing: Pairing = "one-to-one"
    size: int | None = None
    weights_dir: str | Path | None = None
    dinobloom: str | Path | None = None
    seed: int = 0
    device: str = "auto"
    devices: int = 1

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise InputError(f"--seeds {self.seeds}: give at least 1")
        if self.count < 2:
            raise InputError(f"--count {self.count}: give at least 2 images of each class")
