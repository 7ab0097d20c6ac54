"""How a benchmark is carried out: what beside data and recipes it may be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gansynth.errors import InputError
from gansynth.metrics.matching import Pairing


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
