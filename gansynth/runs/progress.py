"""How far a training is, and the seeds of each of its steps."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch


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
