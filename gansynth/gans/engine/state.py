"""The state of a GAN's training between two steps.

A training's random numbers are functions of (seed, step, process): see `seed_step`. So a state is the players, the slow
generator, the optimizers and a step number, and a training resumed from it is the training that was never interrupted.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch.optim import Optimizer

from gansynth.gans.engine.ema import Ema
from gansynth.gans.gan import GAN
from gansynth.runs.state_files import Progress, optimizer_tensors, read_newest_state, write_state
from gansynth.runs.weights import state_tensors


def save_state(
    folder: Path, gan: GAN, ema: Ema, optimizers: Mapping[str, Optimizer], progress: Progress, identity: str
) -> Path:
    """Write a state, whole, and drop all but the newest; return its path."""
    tensors = state_tensors(gan, "gan") | state_tensors(ema.network, "ema")
    for player, optimizer in optimizers.items():
        tensors |= optimizer_tensors(optimizer, f"optimizer.{player}")
    card = {"images": str(progress.images), "seconds": repr(progress.seconds), "identity": identity}
    return write_state(folder, progress.step, tensors, card)


def load_state(folder: Path, gan: GAN, ema: Ema, optimizers: Mapping[str, Optimizer], identity: str) -> Progress:
    """Restore the newest state in `folder`; a fresh `Progress` where there is none.

    Raises
    ------
    InputError
        If the newest state is unreadable, incomplete, or belongs to another data set, recipe or seed; or if a trained
        run has none.
    """
    another = (
        "with another recipe or another seed; resume with the same data, recipe and --seed, or train into another "
        "folder"
    )
    anew = f"begin another run with its generator (--from {folder})"
    state = read_newest_state(folder, identity, another, anew)
    if state is None:
        return Progress()
    gan.load_state_dict(state.under("gan"))
    ema.network.load_state_dict(state.under("ema"))
    for player, optimizer in optimizers.items():
        state.restore(optimizer, f"optimizer.{player}")
    return Progress(state.step, int(state.card["images"]), float(state.card["seconds"]))
