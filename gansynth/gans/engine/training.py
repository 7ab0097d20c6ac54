"""From a data set and a recipe to a run folder."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.loggers import Logger
from torch import Tensor

from gansynth.data.dataset import CellDataset
from gansynth.data.split import split_dataset
from gansynth.errors import InputError
from gansynth.files import holding, is_first_process
from gansynth.files.lock import slurm_tasks
from gansynth.gans.engine.budget import Budget
from gansynth.gans.engine.ema import Ema
from gansynth.gans.engine.graphs import best_play
from gansynth.gans.engine.loop import Batches, Callbacks, build_optimizers, train
from gansynth.gans.engine.run_folder import (
    begin_folder,
    best_score,
    identity_of,
    identity_of_run,
    write_info,
    write_model,
)
from gansynth.gans.engine.showing import prepare_watch, show, show_beginning
from gansynth.gans.engine.state import load_state, save_state
from gansynth.gans.engine.transfer import inherited, transfer
from gansynth.gans.gan import GAN, build_gan
from gansynth.gans.run import Run, open_run
from gansynth.recipes import GanRecipe, load_recipe
from gansynth.recipes.declared import CompactGenerator
from gansynth.runs.device import Devices, allow_fast_arithmetic, chosen_device, has_bf16, placed
from gansynth.runs.folder import RECIPE, claim_folder
from gansynth.runs.journal import Journal
from gansynth.runs.loggers import open_loggers, refuse_loggers
from gansynth.runs.state_files import Progress, recorded_threads
from gansynth.runs.threads import settle_threads

DEFAULT_RECIPE = "c-wgan-gp-64"

VARYING_SUMS = (
    "resumed on a GPU: every step draws the numbers it would have drawn, but a GPU adds in an order that varies, so "
    "the weights are those of a training never interrupted up to rounding, not bit for bit"
)


@holding()
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
    device: str | Devices = "auto",
    progress: bool = True,
    loggers: Sequence[str | Logger] = (),
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
    device : {"auto", "cpu", "cuda"} or Devices
        One device, or several (`gansynth.runs.device.Devices`). The recipe says in which precision; in bf16 the norm of
        the gradient penalty and all losses stay in float32.
    progress : bool
        Report on the terminal.
    loggers : sequence of str or Logger
        Trackers beside TensorBoard: "wandb", "mlflow" (`gansynth.runs.loggers`), or any logger of Lightning Fabric.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If the data do not fit the recipe, the folder holds something else, or the training diverges.
    """
    recipe = recipe if isinstance(recipe, GanRecipe) else load_recipe(recipe)
    unlimited = steps is None and (minutes is not None or images is not None)
    budget = Budget(recipe.training.steps if steps is None and not unlimited else steps, images, minutes)
    if dataset.size != recipe.resolution:
        raise InputError(
            f"images are {dataset.size} px and recipe {recipe.name} makes {recipe.resolution} px; "
            f"open the data set with size={recipe.resolution}"
        )
    if not (dataset.records["split"] == "train").any():
        dataset = split_dataset(dataset, seed=seed, progress=progress and is_first_process())
    training = dataset.part("train")
    empty = [name for name, n in training.counts().items() if n == 0]
    if empty:
        raise InputError(f"no training image of class {', '.join(empty)}; add images or remove the class folder")

    if isinstance(recipe.networks, CompactGenerator) and recipe.networks.frozen and parent is None and not resume:
        raise InputError(
            f"recipe {recipe.name} keeps what a generator draws up to {recipe.networks.frozen} px as it is "
            "(networks.frozen), so it has to begin with one that is trained; name it with --from"
        )
    out = Path(out)
    refuse_loggers(loggers)
    if is_first_process():  # before the others start: a refusal now is one sentence, later it leaves them waiting
        claim_folder(out, resume)
    fabric = launch(recipe, device if isinstance(device, Devices) else Devices(device))
    about_threads = settle_threads(fabric.device, recorded_threads(out)) if fabric.world_size == 1 else ""
    identity = identity_of(training, recipe, seed)

    torch.manual_seed(seed)
    gan = build_gan(recipe, training.class_names)
    placed(gan, fabric.device)
    ema = Ema(gan.generator, recipe.training.ema_half_life, recipe.training.ema_ramp)
    optimizers = build_optimizers(gan, recipe)
    start = load_state(out, gan, ema, optimizers, identity) if resume else Progress()
    lineage, notes = inherited(out), [about_threads]
    if start.step == 0 and parent is not None:
        begun_with = open_run(parent)
        lineage = transfer(begun_with, gan, ema, training)
        notes += [lineage.resemblances, _held_out_images_seen(begun_with, dataset)]
    elif start.step == 0 and lineage is not None:
        raise InputError(f"{out}: began from run {lineage.name} and has no state yet; give the same --from again")
    of_run = identity_of_run(identity, lineage)
    ema.seen_before = 0 if lineage is None else lineage.images_before
    if fabric.is_global_zero:
        begin_folder(out, recipe, start)
    batch_size = recipe.training.batch_size // fabric.world_size
    batches = Batches(training, recipe, batch_size, fabric.device)
    chooses = recipe.reports.keep == "recognised"

    trackers = open_loggers(loggers, out) if fabric.is_global_zero else []
    for tracker in trackers:
        tracker.log_hyperparams(recipe.model_dump(mode="json") | {"seed": seed})
    with Journal(out, start.step, terminal=progress, enabled=fabric.is_global_zero, loggers=trackers) as journal:
        if fabric.is_global_zero:
            if start.step == 0:
                show_beginning(out, gan, ema, training.class_names)
            watcher = prepare_watch(out, dataset, training, recipe, seed, fabric, journal, gan.pretrained)
            write_info(
                out, training, recipe, seed, fabric, start, lineage, of_run,
                pretrained=gan.pretrained, finished=budget.share(start) >= 1,
            )  # fmt: skip
            gan.label_with(watcher.classifier)
            known = some_of_each_class(training)
        fabric.barrier()
        for sentence in filter(None, notes):
            journal.note(start.step, sentence)
        journal.begin(budget.share(start))

        def on_sheet(at: Progress) -> None:
            if fabric.is_global_zero:
                align(gan, ema, *known)
                seen = show(out, gan, ema, watcher, training.class_names, at, journal)
                if chooses and (score := seen.score) > best_score(out):
                    write_model(out, recipe, training.class_names, ema, of_run, (at.step, score))

        def on_save(at: Progress, finished: bool) -> None:
            if fabric.is_global_zero:
                align(gan, ema, *known)
                if not chooses or best_score(out) < 0:
                    write_model(out, recipe, training.class_names, ema, of_run)
                save_state(out, gan, ema, optimizers, at, identity)
                write_info(
                    out, training, recipe, seed, fabric, at, lineage, of_run,
                    pretrained=gan.pretrained, finished=finished,
                )  # fmt: skip
            fabric.barrier()

        def say(sentence: str) -> None:
            journal.note(start.step, sentence)

        if fabric.device.type == "cuda" and start.step and not torch.are_deterministic_algorithms_enabled():
            say(VARYING_SUMS)
        finished = train(
            gan, ema, optimizers, batches, budget, fabric,
            seed=seed, start=start,
            callbacks=Callbacks(
                on_log=lambda at, terms: journal.log(at, terms, budget.share(at)),
                on_sheet=on_sheet,
                on_save=on_save,
                on_step=lambda at: journal.advance(at, budget.share(at)),
            ),
            play=best_play(
                fabric, [gan, ema.network], list(optimizers.values()),
                on_device=batches.on_device is not None, say=say,
            ),
        )  # fmt: skip
    if not finished:
        raise KeyboardInterrupt
    return Run(out)


def choose_recipe(
    recipe: str | Path | None, changes: Sequence[str], out: Path, *, resume: bool, parent: str | Path | None = None
) -> GanRecipe:
    """Return the recipe to train by: the one named; else, when resuming, the run's own; else that of the run to begin
    with, all of whose layers learn again; else the compact C-WGAN-GP."""
    if recipe is None and resume and (out / RECIPE).is_file():
        return load_recipe(out, changes)
    if recipe is None and parent is not None:
        begun_with = open_run(parent)
        thawed = ["networks.frozen=0"] if isinstance(begun_with.recipe.networks, CompactGenerator) else []
        return load_recipe(begun_with.path, [*thawed, *changes])
    return load_recipe(recipe or DEFAULT_RECIPE, changes)


def some_of_each_class(training: CellDataset, most: int = 64) -> tuple[Tensor, Tensor]:
    """Return up to `most` images of each class (uint8 [n, 3, R, R]), the classes taking turns, and labels [n]."""
    n_classes = len(training.class_names)
    chosen = [np.flatnonzero(training.labels == c)[:most] for c in range(n_classes)]
    index = np.array([of_class[i] for i in range(most) for of_class in chosen if i < len(of_class)])
    return torch.from_numpy(training.images[index]), torch.from_numpy(training.labels[index])


def align(gan: GAN, ema: Ema, images: Tensor, labels: Tensor) -> None:
    """Let the generator, and the slow one that is shown and saved, learn what stands for which class."""
    gan.align(images, labels)
    ema.copy_buffers()


def machines() -> int:
    """Return over how many machines torchrun, or SLURM, has started this command."""
    environment = os.environ
    if "TORCHELASTIC_RUN_ID" in environment:
        return int(environment["WORLD_SIZE"]) // int(environment["LOCAL_WORLD_SIZE"])
    several = slurm_tasks(environment) > 1
    nodes = environment.get("SLURM_NNODES", "")
    return int(nodes) if several and nodes.isdecimal() else 1


def launch(recipe: GanRecipe, asked: Devices) -> Fabric:
    """Return what computes a training: devices, precision, processes.

    Raises
    ------
    InputError
        If there are not so many devices, or their number does not divide the batch.
    """
    nodes, batch, devices = machines(), recipe.training.batch_size, asked.count
    if devices < 1 or batch % (devices * nodes):
        each = f" on each of {nodes} machines" if nodes > 1 else ""
        raise InputError(f"--devices {devices}{each}: give a number that divides the batch size {batch}")
    where = chosen_device(asked.kind)
    if where.type == "cuda" and devices > torch.cuda.device_count():
        raise InputError(f"--devices {devices}: this machine has {torch.cuda.device_count()} that torch can use")
    precision = recipe.training.precision
    if precision == "auto":
        precision = "bf16" if has_bf16(where) else "32"
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # the run says what it computes in
    fabric = Fabric(
        accelerator=where.type,
        devices=devices,
        num_nodes=nodes,
        strategy="ddp" if devices * nodes > 1 else "auto",
        precision="bf16-mixed" if precision == "bf16" else "32-true",
    )
    fabric.launch()
    allow_fast_arithmetic(fabric.device)
    return fabric


def _held_out_images_seen(parent: Run, dataset: CellDataset) -> str:
    """Say before anything is trained that what comes of it cannot be tested on these data; empty where it can."""
    held_out = dataset.records[dataset.records["split"].isin(["val", "test"])]
    n = int(held_out["sha256"].isin(list(parent.training_sha256)).sum())
    if not n:
        return ""
    return (
        f"{parent.name} has learned from {n} of the {len(held_out)} images that are held out here. `balance`, "
        "`quality` and `compare` will refuse this run on these data; to prevent that, stop, keep those images for "
        f"training (`gansynth data split DIR --force --seen-by {parent.name}`) and begin again"
    )
