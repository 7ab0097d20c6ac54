"""From a data set and a recipe to a run folder."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray

from gansynth.atomic import whole_file, write_json, write_text
from gansynth.data.dataset import CellDataset
from gansynth.data.split import split_dataset
from gansynth.errors import InputError
from gansynth.gans.budget import Budget
from gansynth.gans.ema import Ema
from gansynth.gans.fingerprints import TrainingFingerprints
from gansynth.gans.gan import GAN, build_gan
from gansynth.gans.images import to_uint8
from gansynth.gans.independent_classifier import IndependentClassifier, train_independent_classifier
from gansynth.gans.journal import Journal
from gansynth.gans.loop import Batches, build_optimizers, train
from gansynth.gans.memory import keep_freed_memory
from gansynth.gans.precision import has_bf16
from gansynth.gans.run import CLASSIFIER, FINGERPRINTS, INFO, MODEL, RECIPE, Run, open_run
from gansynth.gans.sampling import draw_latent
from gansynth.gans.sheet import class_sheet
from gansynth.gans.state import Progress, load_state, save_state
from gansynth.gans.transfer import inherited, transfer
from gansynth.gans.watch import Watcher
from gansynth.gans.weights import state_tensors, write_weights
from gansynth.recipes import GanRecipe, load_recipe

DEFAULT_RECIPE = "c-wgan-gp-64"


def train_gan(
    dataset: CellDataset,
    recipe: str | GanRecipe,
    out: str | Path,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    images: int | None = None,
    resume: bool = False,
    parent: str | Path | None = None,
    seed: int = 0,
    device: str = "auto",
    devices: int = 1,
    precision: str | None = None,
    progress: bool = True,
) -> Run:
    """Train a GAN on the training split of a data set, and leave a run folder.

    Parameters
    ----------
    dataset : CellDataset
        Of the recipe's resolution. One that has not been split is split first, with the defaults of
        `split_dataset`.
    recipe : str or GanRecipe
        A recipe, its name in the zoo, or its path.
    out : path
        Folder of the run; it must be new or empty, or hold the same training with `resume`.
    steps, minutes, images : optional
        The budget: generator iterations, wall time, real images the critic sees; whichever is reached first.
        Default: the recipe's steps.
    resume : bool
        Continue from the last saved state. The weights are those of a training never interrupted, bit for bit on
        the CPU.
    parent : path, optional
        A run to begin with instead of untrained networks; its training images count as this run's. Ignored once the
        run has a state to resume from.
    seed : int
        Decides everything random.
    device : {"auto", "cpu", "cuda"}
    devices : int
        Processes (one for each device) that share every batch.
    precision : {"auto", "32", "bf16"}, optional
        Default: the recipe's. In bf16 the norm of the gradient penalty and all losses stay in float32.
    progress : bool
        Report on the terminal.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If the data do not fit the recipe, the folder holds something else, or the training diverges.
    """
    recipe = recipe if isinstance(recipe, GanRecipe) else load_recipe(recipe)
    if precision is not None:
        changed = recipe.training.model_copy(update={"precision": precision})
        recipe = recipe.model_copy(update={"training": changed})
    unlimited = steps is None and (minutes is not None or images is not None)
    budget = Budget(None if unlimited else steps or recipe.training.steps, images, minutes)
    if dataset.size != recipe.resolution:
        raise InputError(
            f"images are {dataset.size} px and recipe {recipe.name} makes {recipe.resolution} px; "
            f"open the data set with size={recipe.resolution}"
        )
    if not (dataset.records["split"] == "train").any():
        dataset = split_dataset(dataset, seed=seed)
    training = dataset.part("train")
    empty = [name for name, n in training.counts().items() if n == 0]
    if empty:
        raise InputError(f"no training image of class {', '.join(empty)}; add images or remove the class folder")

    out = Path(out)
    fabric = _launch(recipe, device, devices)
    keep_freed_memory()
    identity = _identity(training, recipe, seed)
    if fabric.is_global_zero:
        _claim(out, recipe, resume)
    fabric.barrier()

    torch.manual_seed(seed)
    gan = build_gan(recipe, training.class_names)
    gan.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    ema = Ema(gan.generator, recipe.training.ema_half_life, recipe.training.ema_ramp)
    optimizers = build_optimizers(gan, recipe)
    start = load_state(out, gan, ema, optimizers, identity) if resume else Progress()
    lineage = inherited(out)
    if parent is not None and start.step == 0:
        lineage = transfer(open_run(parent), gan, ema, training.class_names)
    journal = Journal(out, start.step, terminal=progress, enabled=fabric.is_global_zero)
    watcher = _prepare(out, dataset, training, recipe, seed, fabric, journal) if fabric.is_global_zero else None
    if fabric.is_global_zero:
        write_text(out / RECIPE, recipe.to_yaml())
        _write_info(out, training, recipe, seed, fabric, start, lineage, finished=False)
    fabric.barrier()
    batch_size = _share_of_batch(recipe, fabric.world_size)
    batches = Batches(training.images, training.labels, recipe, len(training.class_names), batch_size, fabric.device)

    def on_sheet(at: Progress) -> None:
        if watcher is not None:
            _look(out, gan, ema, watcher, training.class_names, at, journal)

    def on_save(at: Progress) -> None:
        if fabric.is_global_zero:
            _save_model(out, recipe, training.class_names, ema)
            save_state(out, gan, ema, optimizers, at, identity)
            _write_info(out, training, recipe, seed, fabric, at, lineage, finished=budget.share(at) >= 1)
        fabric.barrier()

    with journal:
        end = train(
            gan, ema, optimizers, batches, budget, fabric,
            seed=seed, start=start, on_sheet=on_sheet, on_save=on_save,
            on_log=lambda at, terms: journal.log(at, terms, budget.share(at)),
        )  # fmt: skip
    if budget.share(end) < 1:
        raise KeyboardInterrupt
    return Run(out)


def choose_recipe(recipe: str | Path | None, changes: Sequence[str], out: Path, *, resume: bool) -> GanRecipe:
    """Return the recipe to train by: the one named; else, when resuming, the run's own; else the compact
    C-WGAN-GP."""
    if recipe is None and resume and (out / RECIPE).is_file():
        return load_recipe(out, changes)
    return load_recipe(recipe or DEFAULT_RECIPE, changes)


def is_first_process() -> bool:
    """Return whether this process speaks for all that train together."""
    return os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0")) == "0"


def _launch(recipe: GanRecipe, device: str, devices: int) -> Fabric:
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: this machine has no CUDA device that torch can use; take --device cpu")
    if devices < 1 or recipe.training.batch_size % devices:
        raise InputError(f"--devices {devices}: give a number that divides the batch size {recipe.training.batch_size}")
    accelerator = "cuda" if device == "cuda" or (device == "auto" and torch.cuda.is_available()) else "cpu"
    precision = recipe.training.precision
    if precision == "auto":
        precision = "bf16" if has_bf16(torch.device(accelerator)) else "32"
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # the run says what it computes in
    fabric = Fabric(
        accelerator=accelerator,
        devices=devices,
        strategy="ddp" if devices > 1 else "auto",
        precision="bf16-mixed" if precision == "bf16" else "32-true",
    )
    fabric.launch()
    return fabric


def _share_of_batch(recipe: GanRecipe, world_size: int) -> int:
    return recipe.training.batch_size // world_size


def _identity(training: CellDataset, recipe: GanRecipe, seed: int) -> str:
    """Return what must be the same for a training to be continued: images, recipe (but for how long and how often
    to report), seed."""
    settings = recipe.model_dump(mode="json")
    for name in ("steps",) if recipe.training.decay == "none" else ():
        settings["training"].pop(name)
    settings.pop("reports")
    digest = hashlib.sha256(json.dumps([settings, seed, list(training.class_names)], sort_keys=True).encode())
    digest.update("".join(training.records["sha256"]).encode())
    digest.update(training.labels.tobytes())
    return digest.hexdigest()


def _claim(out: Path, recipe: GanRecipe, resume: bool) -> None:
    """Make the folder, or refuse one that holds something else."""
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file; give a folder for the run")
    held = any(out.iterdir()) if out.is_dir() else False
    if held and not resume:
        what = "already holds a run; continue it with --resume" if (out / INFO).exists() else "is not empty; empty it"
        raise InputError(f"{out}: {what}, or give another --out")
    if held and not (out / INFO).exists() and not (out / RECIPE).exists():
        raise InputError(f"{out}: holds other files and no run to resume; give another --out")
    out.mkdir(parents=True, exist_ok=True)
    for left in out.glob("**/.*"):  # unfinished files of a killed training
        if left.is_file():
            left.unlink()
    write_text(out / RECIPE, recipe.to_yaml())


def _prepare(
    out: Path,
    dataset: CellDataset,
    training: CellDataset,
    recipe: GanRecipe,
    seed: int,
    fabric: Fabric,
    journal: Journal,
) -> Watcher:
    """Before the game: fingerprints of the training images, the independent classifier, and the real side of the
    watch."""
    held_out = dataset.part("val") if (dataset.records["split"] == "val").any() else None
    if not (out / FINGERPRINTS).exists():
        others = held_out.images if held_out is not None else training.images[:0]
        TrainingFingerprints.of(training.images, others).save(out / FINGERPRINTS)
    if (out / CLASSIFIER).exists():
        classifier = IndependentClassifier.load(out / CLASSIFIER, fabric.device)
    else:
        classifier = train_independent_classifier(
            training, seed=seed, device=fabric.device, on_step=journal.preparation("independent classifier")
        )
        classifier.save(out / CLASSIFIER)
    real = held_out if held_out is not None and min(held_out.counts().values()) >= 2 else training
    return Watcher(classifier, real, recipe.reports.watch_images)


def _look(
    out: Path, gan: GAN, ema: Ema, watcher: Watcher, class_names: tuple[str, ...], at: Progress, journal: Journal
) -> None:
    """Write the sample sheet and log the class watch, both from the slow generator."""
    reports = gan.recipe.reports
    per_class = max(reports.watch_images, reports.sheet_columns)
    images, labels = _samples(gan, ema, len(class_names), per_class)
    first = np.concatenate([np.flatnonzero(labels == c)[: reports.sheet_columns] for c in range(len(class_names))])
    sheet = class_sheet(images[first], labels[first].tolist(), class_names)
    with whole_file(out / "samples" / f"step-{at.step:08d}.png") as temporary:
        sheet.save(temporary)
    journal.watch(at, watcher.look(images, labels), class_names, sheet)


@torch.inference_mode()
def _samples(gan: GAN, ema: Ema, n_classes: int, per_class: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    trained, gan.generator = gan.generator, ema.network
    device = next(ema.network.parameters()).device
    images, labels = [], []
    try:
        for c in range(n_classes):
            latents = torch.stack([draw_latent(gan.recipe.latent, c, i) for i in range(per_class)]).to(device)
            with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device)):
                for part in latents.split(32):
                    made = gan.generate(part, torch.full((len(part),), c, device=device))
                    images.append(to_uint8(made).cpu().numpy())
            labels += [c] * per_class
    finally:
        gan.generator = trained
    return np.concatenate(images), np.array(labels, dtype=np.int64)


def _save_model(out: Path, recipe: GanRecipe, class_names: tuple[str, ...], ema: Ema) -> None:
    """Write the slow generator with all it takes to use it elsewhere."""
    card = {
        "gansynth": metadata.version("gansynth"),
        "class_names": json.dumps(class_names),
        "recipe": recipe.to_yaml(),
    }
    write_weights(out / MODEL, state_tensors(ema.network, "generator"), card)


def _write_info(
    out: Path,
    training: CellDataset,
    recipe: GanRecipe,
    seed: int,
    fabric: Fabric,
    at: Progress,
    lineage: dict[str, Any] | None,
    *,
    finished: bool,
) -> None:
    packages = ("gansynth", "torch", "torchvision", "lightning-fabric", "numpy")
    info: dict[str, Any] = {
        "recipe": recipe.name,
        "gan": recipe.gan,
        "finished": finished,
        "step": at.step,
        "images": at.images,
        "seconds": round(at.seconds, 1),
        "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "seed": seed,
        "device": torch.cuda.get_device_name() if fabric.device.type == "cuda" else platform.machine(),
        "processes": fabric.world_size,
        "threads": torch.get_num_threads(),
        "precision": str(fabric._precision.precision),
        "versions": {"python": platform.python_version(), **{p: metadata.version(p) for p in packages}},
        "class_names": list(training.class_names),
        "training_counts": training.counts(),
        "training_origin": sorted(set(training.records["origin"])),
        "parent": lineage,
        "training_sha256": training.records["sha256"].tolist(),
    }
    write_json(out / INFO, info)
