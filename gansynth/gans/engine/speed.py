"""How fast a recipe trains on this machine: the training loop itself, for some seconds, on noise."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from gansynth.data.dataset import CellDataset
from gansynth.gans.engine.budget import Budget
from gansynth.gans.engine.ema import Ema
from gansynth.gans.engine.graphs import best_play
from gansynth.gans.engine.loop import Batches, Callbacks, build_optimizers, train
from gansynth.gans.engine.training import launch
from gansynth.gans.gan import build_gan
from gansynth.recipes import GanRecipe, load_recipe
from gansynth.runs.device import Devices, placed
from gansynth.runs.state_files import Progress
from gansynth.runs.threads import settle_threads

_CLASSES, _IMAGES = 8, 256
_WARM = 0.3
"""Share of the time that warms up and is not measured: memory is taken, and a GPU's moves are recorded."""


@dataclass(frozen=True)
class TrainingSpeed:
    """How fast a recipe trains.

    Attributes
    ----------
    recipe : str
    device : str
        "cpu", or the GPU's name.
    precision : str
        What networks compute in: "bf16-mixed" or "32-true".
    steps : int
        Generator steps that were measured.
    seconds : float
        How long they took.
    batch_size : int
        Real images of a step.
    recipe_steps : int
        Generator steps of a whole training by this recipe.
    """

    recipe: str
    device: str
    precision: str
    steps: int
    seconds: float
    batch_size: int
    recipe_steps: int

    @property
    def images_per_second(self) -> float:
        """Real images a second that the critic is shown."""
        return self.steps * self.batch_size / self.seconds

    @property
    def minutes(self) -> float:
        """Minutes of a whole training by the recipe, without its sheets and its class watch."""
        return self.recipe_steps / self.steps * self.seconds / 60


def training_speed(
    recipe: str | GanRecipe = "c-wgan-gp-64", *, seconds: float = 12.0, device: str = "auto"
) -> TrainingSpeed:
    """Train for some seconds on noise, leave nothing behind, and say how fast it went.

    Parameters
    ----------
    recipe : str or GanRecipe
    seconds : float
        Of training, a step more or less; the first third warms up. Where one step takes longer, that step is timed.
    device : {"auto", "cpu", "cuda"}

    Returns
    -------
    TrainingSpeed

    Raises
    ------
    InputError
        If there is no such recipe or device.
    """
    recipe = recipe if isinstance(recipe, GanRecipe) else load_recipe(recipe)
    fabric = launch(recipe, Devices(device))
    settle_threads(fabric.device)  # as a training does
    every = 1 if fabric.device.type == "cpu" else 10
    reports = recipe.reports.model_copy(update={"log_every": every, "sheet_every": 10**9, "save_every": 10**9})
    recipe = recipe.model_copy(update={"reports": reports})
    with torch.random.fork_rng(devices=[fabric.device] if fabric.device.type == "cuda" else []):
        torch.manual_seed(0)
        noise = _noise(recipe.resolution)
        gan = build_gan(recipe, noise.class_names)
        placed(gan, fabric.device)
        ema = Ema(gan.generator, recipe.training.ema_half_life, recipe.training.ema_ramp)
        optimizers = build_optimizers(gan, recipe)
        batches = Batches(noise, recipe, recipe.training.batch_size, fabric.device)
        seen: list[tuple[int, float]] = []

        def note(at: Progress, terms: dict[str, float]) -> None:
            seen.append((at.step, time.monotonic()))

        began = time.monotonic()
        went_on = train(
            gan, ema, optimizers, batches, Budget(None, minutes=seconds / 60), fabric, seed=0, start=Progress(),
            callbacks=Callbacks(on_log=note),
            play=best_play(
                fabric, [gan, ema.network], list(optimizers.values()),
                on_device=batches.on_device is not None, say=lambda sentence: None,
            ),
        )  # fmt: skip
    if not went_on:
        raise KeyboardInterrupt
    warm = [one for one in seen if one[1] - began >= _WARM * seconds]
    if len(warm) < 2:
        warm = seen
    steps, spent = warm[-1][0] - warm[0][0], warm[-1][1] - warm[0][1]
    if steps < 1:  # the time was over in the first step, which is always made: with its warm-up, it is what is known
        steps, spent = seen[-1][0], seen[-1][1] - began
    where = torch.cuda.get_device_name(fabric.device) if fabric.device.type == "cuda" else "cpu"
    return TrainingSpeed(
        recipe.name, where, str(fabric.strategy.precision.precision), steps, spent, recipe.training.batch_size,
        recipe.training.steps,
    )  # fmt: skip


def _noise(size: int) -> CellDataset:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (_IMAGES, 3, size, size), np.uint8)
    names = tuple(f"class {c}" for c in range(_CLASSES))
    records = pd.DataFrame({name: [""] * _IMAGES for name in ("path", "sha256", "source", "group", "split", "origin")})
    return CellDataset(images, np.arange(_IMAGES) % _CLASSES, names, records)
