"""The whole story on phantom cells: draw, split, train, balance, look. Minutes on a laptop, no data needed."""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gansynth.data import CellDataset, open_dataset, split_dataset, write_splits
from gansynth.data.phantom import PHANTOM_COUNTS, phantom_dataset, write_phantom
from gansynth.errors import InputError
from gansynth.files import holding
from gansynth.files.atomic import write_json
from gansynth.gans import Run, train_gan
from gansynth.metrics.agreement import class_agreement
from gansynth.metrics.diversity import class_diversity
from gansynth.metrics.memorisation import memorisation
from gansynth.recipes import GanRecipe, load_recipe
from gansynth.report.first_look import FirstLook, first_look_page
from gansynth.report.page import write_page
from gansynth.runs.device import chosen_device
from gansynth.synthesis import balance
from gansynth.version import __version__

RECIPE = "c-wgan-gp-64"
# At 32 pixels an iteration costs less than half, and within minutes it is iterations that separate the classes.
# Reports come often: the training is short, and the page shows its course.
CHANGES = (
    "name=c-wgan-gp-32",
    "resolution=32",
    "networks.generator=[128,96,64,32]",
    "networks.critic=[32,96,128]",
    "networks.classifier=[32,64,96]",
    "reports.log_every=20",
    "reports.sheet_every=200",
    "reports.watch_images=32",
)
LEAST_STEPS = 800
"""Generator iterations below which nobody can say what the generator learned, however long they took."""

MOST = 1.9
"""How many times the minutes that were asked for a busy or slow machine may take to get there."""

SHOWN = 5
MEASURED = 64
_FRESH_SEED = 1_000_003
_MARK = "demo.json"
_OURS = ("phantom", "run", "balanced", "report.html", _MARK)


@holding()
def run_demo(
    out: Path | str,
    *,
    minutes: float = 2.5,
    seed: int = 0,
    device: str = "auto",
    counts: dict[str, int] | None = None,
    recipe: GanRecipe | None = None,
    force: bool = False,
    least_steps: int | None = None,
) -> Path:
    """Run the whole story and write one page about it.

    Parameters
    ----------
    out : path-like
        A folder that is new or empty, or, with `force`, left by an earlier demo, which is then replaced. It receives
        `phantom/` (the drawn cells with their split), `run/`, `balanced/` and `report.html`.
    minutes : float
        How long to train. A machine that is too slow or too busy for `least_steps` in this time trains on until it has
        them, for `MOST` times as long in all.
    seed : int
    device : "auto", "cpu" or "cuda"
    counts : dict of str to int, optional
        Phantom cells per class; default `PHANTOM_COUNTS`.
    recipe : GanRecipe, optional
        Default: the compact recipe at 32 pixels.
    force : bool
        Replace an earlier demo, and what was made of its run since.
    least_steps : int, optional
        Default: `LEAST_STEPS` for the default recipe, none for another.

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
    chosen = recipe or load_recipe(RECIPE, CHANGES)
    counts = counts or PHANTOM_COUNTS

    _say(f"1/4  drawing {sum(counts.values()):,} phantom cells of {len(counts)} classes")
    write_phantom(folder / "phantom", counts, chosen.resolution, seed)
    dataset = split_dataset(open_dataset(folder / "phantom", size=chosen.resolution), seed=seed)
    write_splits(dataset, folder / "phantom")

    _say(f"2/4  training {chosen.name} from scratch for {minutes:g} minutes, after a classifier that will watch it")
    least = least_steps if least_steps is not None else LEAST_STEPS if recipe is None else 0
    run = _train(dataset, chosen, folder / "run", minutes, least, seed, device)
    minutes = float(run.info["seconds"]) / 60

    _say("3/4  generating synthetic cells until every class has as many as the largest")
    balanced = balance(folder / "phantom", run, folder / "balanced", target="max", seed=seed, device=device)

    _say("4/4  a first look at quality")
    added = {name: balanced.after[name] - balanced.before[name] for name in balanced.before}
    look = take_first_look(dataset, run, minutes=minutes, seed=seed, device=device, added=added)
    page = first_look_page(
        look,
        title="From rare cells to a balanced data set",
        subtitle=f"gansynth demo on phantom cells, {date.today().isoformat()}",
        warnings=_honest_words(minutes),
        commands=_next_commands(folder, seed),
        facts=_facts(run, seed, time.monotonic() - begun),
    )
    return write_page(folder / "report.html", page)


def _train(
    dataset: CellDataset, recipe: GanRecipe, out: Path, minutes: float, least: int, seed: int, device: str
) -> Run:
    run = train_gan(dataset, recipe, out, minutes=minutes, seed=seed, device=device)
    if run.info["step"] >= least:
        return run
    _say(
        f"     {run.info['step']:,} steps in that time: this machine is busy or slow, so training goes on to {least:,} "
        f"steps, or to {MOST * minutes:g} minutes in all"
    )
    return train_gan(dataset, recipe, out, steps=least, minutes=MOST * minutes, seed=seed, device=device, resume=True)


def take_first_look(
    dataset: CellDataset, run: Run, *, minutes: float, seed: int, device: str, added: dict[str, int]
) -> FirstLook:
    """Generate a few images of every class and measure them beside fresh phantom cells.

    Parameters
    ----------
    dataset : CellDataset
        Phantom cells with the split that `run` was trained on.
    run : Run
    minutes : float
        How long it was trained.
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
    training = dataset.part("train")
    place = chosen_device(device)
    generate = run.generator(place)
    seeds = np.arange(seed, seed + MEASURED, dtype=np.int64)
    made = np.stack([generate(c, seeds) for c in range(len(names))])
    images, asked = made.reshape(-1, *made.shape[2:]), np.repeat(np.arange(len(names)), MEASURED)
    # Of phantom cells there are always more: every class gets as many fresh ones as it has synthetic ones.
    fresh = phantom_dataset(dict.fromkeys(names, MEASURED), run.resolution, seed + _FRESH_SEED)
    classify, prints = run.independent_classifier(place), run.fingerprints
    near, near_fresh = (np.zeros(0) if prints is None else prints.distance(x) for x in (images, fresh.images))
    return FirstLook(
        class_names=names,
        kind="phantom",
        training=training.counts(),
        added=added,
        originals=[training.images[training.labels == c][:SHOWN] for c in range(len(names))],
        synthetic=list(made[:, :SHOWN]),
        agreement=None if classify is None else class_agreement(classify(images), asked),
        agreement_held_out=None if classify is None else class_agreement(classify(fresh.images), fresh.labels),
        diversity=class_diversity(_per_pixel(images), asked, len(names)),
        diversity_held_out=class_diversity(_per_pixel(fresh.images), fresh.labels, len(names)),
        memorisation=memorisation(near, near_fresh),
        copies=0 if prints is None else int((near < prints.copy_threshold).sum()),
        minutes=minutes,
        curves=_curves(run),
    )


def _per_pixel(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    # So scaled, the Euclidean distance of two images is their root mean square difference in grey levels.
    flat = images.reshape(len(images), -1).astype(np.float32)
    return flat / np.float32(np.sqrt(flat.shape[1]))


def _curves(run: Run) -> dict[str, dict[str, tuple[list[float], list[float]]]]:
    """Read from the run's log each player's loss and each class's watch, over minutes of training."""
    records = [json.loads(line) for line in (run.path / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    minutes = {record["step"]: record["seconds"] / 60 for record in records if "seconds" in record}
    losses: dict[str, tuple[list[float], list[float]]] = {}
    watch: dict[str, tuple[list[float], list[float]]] = {}
    for record in records:
        if record["step"] not in minutes:
            continue
        at = minutes[record["step"]]
        terms = [(name.split("/")[0], value) for name, value in record.items() if "/" in name]
        values = [(losses, player, sum(v for p, v in terms if p == player)) for player in {p for p, _ in terms}]
        values += [(watch, name, seen["recall"]) for name, seen in record.get("watch", {}).items()]
        for curves, name, value in values:
            if value is not None:
                x, y = curves.setdefault(name, ([], []))
                x.append(at)
                y.append(value)
    return {"losses": dict(sorted(losses.items())), "watch": watch}


def _honest_words(minutes: float) -> list[str]:
    return [
        "Phantom cells are drawn by a program. Nothing on this page says how well the method does on real cells.",
        f"{minutes:.1f} minutes of training from scratch at a low resolution show that every step works, no more: a "
        "generator worth using trains for hours on a laptop, or for part of an hour on a GPU.",
    ]


def _next_commands(out: Path, seed: int) -> list[tuple[str, str]]:
    run, phantom = shlex.quote(str(out / "run")), shlex.quote(str(out / "phantom"))
    return [
        (
            "gansynth generate pbc-64 --class promyelocyte --count 100 --out synthetic",
            "Generate with the generator that ships with gansynth; it was trained on real cells",
        ),
        (
            f"gansynth train-gan {phantom} --seed {seed} --minutes 60 --resume --out {run}",
            "Train this one on, to an hour in all",
        ),
        ("gansynth data info my-cells", "See what is in your own folder of images per class"),
        ("gansynth data split my-cells", "Keep a part of your cells for testing; everything learns from the rest"),
        (
            "gansynth compare my-cells --remedies none,posthoc-logit-adjustment,oversample-turned,runs/my-cells "
            "--classifiers efficientnet-lite0 --size 64 --out compared",
            "Find out whether balancing helps on your cells, beside what costs nothing",
        ),
    ]


def _facts(run: Run, seed: int, seconds: float) -> list[tuple[str, str]]:
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return [
        ("made by", f"gansynth {__version__}, seed {seed}, in {seconds / 60:.1f} minutes in all"),
        ("machine", f"{machine}; Python {platform.python_version()}, torch {torch.__version__}"),
        ("recipe", f"{run.recipe.name}: {run.recipe.gan}, {run.resolution} × {run.resolution} pixels"),
        ("model", f"sha256 {run.model_sha256}"),
        ("beside this page", "phantom/ and balanced/ (class folders), run/ (weights, log, sample sheets)"),
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
