"""The state of a GAN's training between two steps.

A training's random numbers are functions of (seed, step, process): see `seed_step`. So a state is the players, the slow
generator, the optimizers and a step number, and a training resumed from it is the training that was never interrupted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.optim import Optimizer

from gansynth.gans.ema import Ema
from gansynth.gans.gan import GAN
from gansynth.gans.state_files import optimizer_tensors, read_newest_state, write_state
from gansynth.gans.weights import state_tensors


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes
    ----------
    step : int
        Generator iterations done.
    images : int
        Real images the critic has seen.
    seconds : float
        Wall time spent in training, over all sessions.
    """

    step: int = 0
    images: int = 0
    seconds: float = 0.0


def seed_step(seed: int, step: int, process: int) -> None:
    """Seed every random generator for one step: iteration k draws the same numbers however it was reached."""
    digest = hashlib.blake2b(f"{seed}/{step}/{process}".encode(), digest_size=8).digest()
    torch.manual_seed(int.from_bytes(digest, "little") >> 1)


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
        If the newest state is unreadable or belongs to another data set, recipe or seed.
    """
    another = (
        "with another recipe or another seed; resume with the same data, recipe and --seed, or train into another "
        "folder"
    )
    state = read_newest_state(folder, identity, another)
    if state is None:
        return Progress()
    gan.load_state_dict(state.under("gan"))
    ema.network.load_state_dict(state.under("ema"))
    for player, optimizer in optimizers.items():
        state.restore(optimizer, f"optimizer.{player}")
    return Progress(state.step, int(state.card["images"]), float(state.card["seconds"]))
