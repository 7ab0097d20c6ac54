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
# At 32 pixels an iteration costs less than half, and within minutes it is iterations that tell the classes apart.
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
) -> Path:
    """Run the whole story and write one page about it.

    Parameters
    ----------
    out : path-like
        A folder that is new or empty, or, with `force`, left by an earlier demo, which is then replaced. It receives
        `phantom/` (the drawn cells with their split), `run/`, `balanced/` and `report.html`.
    minutes : float
        How long to train.
    seed : int
    device : "auto", "cpu" or "cuda"
    counts : dict of str to int, optional
        Phantom cells per class; default `PHANTOM_COUNTS`.
    recipe : GanRecipe, optional
        Default: the compact recipe at 32 pixels.
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
    chosen = recipe or load_recipe(RECIPE, CHANGES)
    counts = counts or PHANTOM_COUNTS

    _say(f"1/4  drawing {sum(counts.values()):,} phantom cells of {len(counts)} classes")
    write_phantom(folder / "phantom", counts, chosen.resolution, seed)
    dataset = split_dataset(open_dataset(folder / "phantom", size=chosen.resolution), seed=seed)
    write_splits(dataset, folder / "phantom")

    _say(f"2/4  training {chosen.name} from scratch for {minutes:g} minutes, after a classifier that will watch it")
    run = train_gan(dataset, chosen, folder / "run", minutes=minutes, seed=seed, device=device)

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
        f"{minutes:g} minutes of training from scratch at a low resolution show that every step works, no more: a "
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
        ("gansynth train-gan my-cells --recipe c-wgan-gp-64 --minutes 120 --out runs/my-cells", "Train on your cells"),
        ("gansynth balance my-cells runs/my-cells --out balanced", "Balance them"),
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
            raise InputError(f"{out}: holds something that is no demo; choose another folder with --out")
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
