"""The whole story on phantom cells: draw, fine-tune, balance, look, compare. Minutes on a laptop, no data needed."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gansynth.data import CellDataset, open_dataset, write_splits
from gansynth.data.phantom import PHANTOM_COUNTS, write_phantom
from gansynth.errors import InputError
from gansynth.files import holding
from gansynth.files.atomic import write_json
from gansynth.gans import Run, open_run, train_gan
from gansynth.metrics.agreement import class_agreement
from gansynth.metrics.diversity import class_diversity
from gansynth.metrics.memorisation import memorisation
from gansynth.recipes import GanRecipe, load_recipe
from gansynth.report.comparison.page import write_comparison_page
from gansynth.report.first_look import Before, Compared, FirstLook, first_look_page
from gansynth.report.page import write_page
from gansynth.report.training import curves_of
from gansynth.runs.artifact import shipped
from gansynth.runs.device import chosen_device
from gansynth.runs.log import read_log
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.study import compare
from gansynth.synthesis import balance
from gansynth.version import __version__

PARENT = "phantom-64"
"""The shipped generator of phantom cells, which the demo fine-tunes; it has learned from cells of other seeds."""

TRAINING = {name: max(6, round(n / 2)) for name, n in PHANTOM_COUNTS.items()}
"""Phantom cells of each class to learn from."""

VALIDATION, TEST = 6, 40
"""More of each class: of drawn cells there are always more, so that every class is tested on as many."""

# Reports come often: the training is short, and the page shows its course.
REPORTS = (
    "reports.log_every=10",
    "reports.sheet_every=50",
    "reports.watch_images=16",
    "reports.classifier_images=6400",
    "reports.pretrained_judge=false",
)
# The critics that begin with the shipped generator know nothing at first, and lead it astray for some minutes: what is
# kept is its mean over many more images than this training sees.
# Drawings of a class hardly differ: from the middle of its cloud every cell is what it is meant to be.
FINE_TUNING = (*REPORTS, "training.ema_ramp=null", "networks.embedding_noise=0")
# Without the shipped generator: at 32 pixels an iteration costs less than half, and within minutes it is iterations
# that separate the classes.
SCRATCH_RECIPE = "c-wgan-gp-64"
SCRATCH = (
    "name=c-wgan-gp-32",
    "resolution=32",
    "networks.generator=[128,96,64,32]",
    "networks.critic=[32,96,128]",
    "networks.classifier=[32,64,96]",
    *REPORTS,
)
MINUTES, SCRATCH_MINUTES = 1.0, 2.5
"""How long the generator is trained: fine-tuned, and from scratch."""

LEAST_STEPS, MOST = 800, 1.5
"""Iterations below which nobody can say what a generator from scratch has learned, and how many times the minutes that
were asked for a busy or slow machine may take to get there."""

REMEDIES = {
    "none": "as they are",
    "posthoc-logit-adjustment": "moving the threshold",
    "oversample": "repeating rare cells",
}
"""What the balanced set is compared with, as the page calls it."""

BALANCED = "balancing with synthetic cells"
CLASSIFIER, CLASSIFIER_SIZE = "sequential-cnn", 32

SHOWN = 5
MEASURED = 40
_MARK = "demo.json"
_OURS = ("phantom", "run", "balanced", "compared", "report.html", _MARK)


@dataclass(frozen=True)
class Effort:
    """How much the demo does.

    Attributes
    ----------
    training : dict of str to int
        Phantom cells of each class to learn from.
    validation, test : int
        Others of each class.
    minutes : float or None
        Of training; None for `MINUTES`, or `SCRATCH_MINUTES` from scratch.
    least_steps : int
        Of training from scratch, however long they take up to `MOST` times the minutes.
    epochs, seeds : int
        Of each arm of the comparison.
    """

    training: dict[str, int]
    validation: int = VALIDATION
    test: int = TEST
    minutes: float | None = None
    least_steps: int = LEAST_STEPS
    epochs: int = 16
    seeds: int = 3


@holding()
def run_demo(
    out: Path | str,
    *,
    minutes: float | None = None,
    seed: int = 0,
    device: str = "auto",
    parent: Path | str | None = None,
    recipe: GanRecipe | None = None,
    effort: Effort | None = None,
    force: bool = False,
) -> Path:
    """Run the whole story and write one page about it.

    Parameters
    ----------
    out : path-like
        A folder that is new or empty, or, with `force`, left by an earlier demo, which is then replaced. It receives
        `phantom/` (the drawn cells with their split), `run/`, `balanced/`, `compared/` and `report.html`.
    minutes : float, optional
        How long to train; default: what `effort` says.
    seed : int
    device : "auto", "cpu" or "cuda"
    parent : path-like, optional
        The run to begin with; default: `PARENT` where it ships, else training begins from scratch.
    recipe : GanRecipe, optional
        Default: that of the run to begin with; from scratch, the compact recipe at 32 pixels.
    effort : Effort, optional
        How many cells, minutes and trainings.
    force : bool
        Replace an earlier demo, and what was made of its run since.

    Returns
    -------
    pathlib.Path
        The page.

    Raises
    ------
    InputError
        If `out` holds something that is not a demo's, or a demo and `force` was not given.
    """
    begun = time.monotonic()
    folder = _make_room(Path(out), force)
    effort = effort or Effort(TRAINING)
    if parent is None and recipe is None:
        # By its place: a folder of its name here would hide it.
        parent = next((model.folder for model in shipped("generator") if model.name == PARENT), None)
    before = None if parent is None else open_run(parent)
    if recipe is None:
        recipe = load_recipe(SCRATCH_RECIPE, SCRATCH) if before is None else load_recipe(before.path, FINE_TUNING)
    minutes = minutes or effort.minutes or (SCRATCH_MINUTES if before is None else MINUTES)

    drawn = sum(effort.training.values()) + (effort.validation + effort.test) * len(effort.training)
    _say(f"1/5  drawing {drawn:,} phantom cells of {len(effort.training)} classes")
    dataset = draw(folder / "phantom", effort, recipe.resolution, seed)

    how = "from scratch" if before is None else f"on from {before.name}"
    _say(f"2/5  training {how} for {minutes:g} minutes, after a classifier that will watch it")
    run = train_gan(dataset, recipe, folder / "run", minutes=minutes, parent=parent, seed=seed, device=device)
    if before is None and run.step < effort.least_steps:
        _say(
            f"     {run.info['step']:,} steps in that time: this machine is busy or slow, so training goes on to "
            f"{effort.least_steps:,} steps, or to {MOST * minutes:g} minutes in all"
        )
        run = train_gan(
            dataset, recipe, run.path,
            steps=effort.least_steps, minutes=MOST * minutes, seed=seed, device=device, resume=True,
        )  # fmt: skip

    _say("3/5  generating synthetic cells until every class has as many as the largest")
    balanced = balance(folder / "phantom", run, folder / "balanced", target="max", seed=seed, device=device)
    added = {name: balanced.after[name] - balanced.before[name] for name in balanced.before}

    _say("4/5  looking at the cells beside fresh ones")
    look = take_first_look(dataset, run, before, seed=seed, device=device, added=added)

    _say("5/5  comparing remedies: a small classifier, trained on each and tested on fresh cells")
    compared = _compare(folder, run, effort, seed, device)

    page = first_look_page(
        replace(look, compared=compared),
        title="From rare cells to a balanced data set",
        subtitle=f"gansynth demo on phantom cells, {date.today().isoformat()}",
        warnings=_honest_words(look),
        commands=_next_commands(folder, seed),
        facts=_facts(run, seed, time.monotonic() - begun),
    )
    return write_page(folder / "report.html", page)


def draw(out: Path, effort: Effort, size: int, seed: int) -> CellDataset:
    """Draw the cells into class folders, the first of each class to learn from, the next to validate, the last to test.

    Parameters
    ----------
    out : pathlib.Path
    effort : Effort
    size : int
        Edge in pixels.
    seed : int

    Returns
    -------
    CellDataset
        With its split, which is written, too.
    """
    more = effort.validation + effort.test
    write_phantom(out, {name: n + more for name, n in effort.training.items()}, size, seed)
    dataset = open_dataset(out, size=size)
    parts = [
        ["train"] * effort.training[name] + ["val"] * effort.validation + ["test"] * effort.test
        for name in dataset.class_names
    ]
    divided = replace(dataset, records=dataset.records.assign(split=[part for of in parts for part in of]))
    write_splits(divided, out)
    return divided


def take_first_look(
    dataset: CellDataset, run: Run, before: Run | None, *, seed: int, device: str, added: dict[str, int]
) -> FirstLook:
    """Generate a few images of every class and measure them beside fresh phantom cells, those to be tested.

    Parameters
    ----------
    dataset : CellDataset
        Phantom cells with the split that `run` was trained on.
    run : Run
    before : Run or None
        What it began with.
    seed : int
        Seed of the first synthetic image of every class.
    device : str
    added : dict of str to int
        Synthetic images added per class.

    Returns
    -------
    FirstLook
    """
    names = run.class_names
    training, fresh = dataset.part("train"), dataset.part("test")
    place = str(chosen_device(device))
    made = _cells(run, names, seed, place)
    images, asked = made.reshape(-1, *made.shape[2:]), np.repeat(np.arange(len(names)), MEASURED)
    # The one that ships has learned from far more phantom cells than this demo has, and none of them synthetic.
    judge = _judge(run if before is None else before, names, place)
    prints = run.fingerprints
    near, near_fresh = (np.zeros(0) if prints is None else prints.distance(x) for x in (images, fresh.images))
    earlier = None
    if before is not None:
        cells = _cells(before, names, seed, place)
        seen = None if judge is None else class_agreement(judge(cells.reshape(-1, *cells.shape[2:])), asked)
        earlier = Before(before.name, list(cells[:, :SHOWN]), seen)
    return FirstLook(
        class_names=names,
        kind="phantom",
        training=training.counts(),
        added=added,
        originals=[training.images[training.labels == c][:SHOWN] for c in range(len(names))],
        synthetic=list(made[:, :SHOWN]),
        agreement=None if judge is None else class_agreement(judge(images), asked),
        agreement_held_out=None if judge is None else class_agreement(judge(fresh.images), fresh.labels),
        diversity=class_diversity(_per_pixel(images), asked, len(names)),
        diversity_held_out=class_diversity(_per_pixel(fresh.images), fresh.labels, len(names)),
        memorisation=memorisation(near, near_fresh),
        copies=0 if prints is None else int((near < prints.copy_threshold).sum()),
        minutes=run.seconds / 60,
        curves=curves_of(read_log(run.path)),
        before=earlier,
    )


def _cells(run: Run, names: Sequence[str], seed: int, device: str) -> NDArray[np.uint8]:
    return np.stack([run.sample(name, MEASURED, seed=seed, device=device) for name in names])


def _judge(run: Run, names: Sequence[str], device: str) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]] | None:
    """Return who says which of these classes an image is of; None where the run has no such classifier."""
    classify = run.independent_classifier(device)
    if classify is None or not set(names) <= set(run.class_names):
        return None
    columns = [run.class_index(name) for name in names]
    return lambda images: classify(images)[:, columns]


def _compare(folder: Path, run: Run, effort: Effort, seed: int, device: str) -> Compared:
    out = folder / "compared"
    found = compare(
        folder / "phantom", [*REMEDIES, str(run.path)], [CLASSIFIER], out,
        size=CLASSIFIER_SIZE, epochs=effort.epochs, seeds=effort.seeds, seed=seed, device=device,
    )  # fmt: skip
    arms = ",".join([*REMEDIES, str(run.path)])
    command = ["gansynth", "compare", str(folder / "phantom"), "--remedies", arms, "--classifiers", CLASSIFIER]
    command += ["--size", str(CLASSIFIER_SIZE), "--epochs", str(effort.epochs), "--seeds", str(effort.seeds)]
    command += ["--seed", str(seed), "--out", str(out)]
    found = replace(found, about=replace(found.about, command=shlex.join(command)))
    found.write(out)
    write_comparison_page(out)
    return Compared(found, "compared/report.html", REMEDIES | {_arm_of(found): BALANCED})


def _arm_of(found: Comparison) -> str:
    """Return how the comparison calls the arm with synthetic images."""
    return next((one.arm for one in found.arms if one.is_synthetic), "")


def _per_pixel(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    # So scaled, the Euclidean distance of two images is their root mean square difference in grey levels.
    flat = images.reshape(len(images), -1).astype(np.float32)
    return flat / np.float32(np.sqrt(flat.shape[1]))


def _honest_words(look: FirstLook) -> list[str]:
    said = ["Phantom cells are drawn by a program. Nothing on this page says how well the method does on real cells."]
    if look.before is None:
        return [
            *said,
            f"{look.minutes:.1f} minutes of training from scratch at a low resolution show that every step works, no "
            "more: a generator worth using trains for hours on a laptop, or for part of an hour on a GPU.",
        ]
    return [
        *said,
        f"{look.before.name} has learned from many drawn cells of other seeds: what it adds to a set is more "
        "than these few images say. With cells of another hospital fine-tuning has more to do, for an hour or two.",
    ]


def _next_commands(out: Path, seed: int) -> list[tuple[str, str]]:
    run, phantom = shlex.quote(str(out / "run")), shlex.quote(str(out / "phantom"))
    return [
        ("gansynth data info my-cells", "See what is in your own folder of images per class"),
        ("gansynth data split my-cells --seen-by pbc-64", "Keep a part of your cells for testing"),
        (
            "gansynth train-gan my-cells --from pbc-64 --minutes 120 --out runs/my-cells",
            "Fine-tune the generator that was trained on real cells",
        ),
        (
            "gansynth compare my-cells --remedies none,posthoc-logit-adjustment,oversample-turned,runs/my-cells "
            "--classifiers efficientnet-lite0 --size 64 --out compared",
            "Find out whether balancing helps on your cells, beside what costs nothing",
        ),
        (
            f"gansynth train-gan {phantom} --seed {seed} --minutes 60 --resume --out {run}",
            "Train the generator of this demo on, to an hour in all",
        ),
    ]


def _facts(run: Run, seed: int, seconds: float) -> list[tuple[str, str]]:
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return [
        ("made by", f"gansynth {__version__}, seed {seed}, in {seconds / 60:.1f} minutes in all"),
        ("machine", f"{machine}; Python {platform.python_version()}, torch {torch.__version__}"),
        ("recipe", f"{run.recipe.name}: {run.recipe.gan}, {run.resolution} × {run.resolution} pixels"),
        ("model", f"sha256 {run.model_sha256}"),
        (
            "beside this page",
            "phantom/, balanced/ (class folders), run/ (weights, log, sheets), compared/ (a page of its own)",
        ),
    ]


def free_name(out: Path = Path("demo")) -> Path:
    """Return a folder for a demo that is not there yet: `out`, or with a number after it."""
    place, number = out, 2
    while os.path.lexists(place):
        place, number = out.with_name(f"{out.name}-{number}"), number + 1
    return place


def _make_room(out: Path, force: bool) -> Path:
    if out.is_dir() and any(out.iterdir()):
        if not (out / _MARK).is_file():
            raise InputError(f"{out}: holds something that is not a demo; choose another folder with --out")
        if not force:
            raise InputError(
                f"{out}: holds an earlier demo, whose run may have been trained on since; choose another folder with "
                "--out, or add --force to replace it"
            )
        for name in _OURS:
            path = out / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    elif out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file; choose a folder with --out")
    write_json(out / _MARK, {"what": "written by `gansynth demo`, which replaces this folder if it is given --force"})
    return out


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
