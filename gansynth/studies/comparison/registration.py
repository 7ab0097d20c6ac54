"""What a comparison writes down before the first training: what is compared, and the endpoints (comparison.json)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gansynth.studies.comparison.entries import Endpoint
from gansynth.studies.comparison.plan import RECIPES, SPLITS
from gansynth.studies.result_file import Asked
from gansynth.version import __version__


@dataclass(frozen=True, kw_only=True)
class Registration(Asked):
    """What is compared, and by what it is judged.

    Attributes
    ----------
    data, data_sha256 : str
        Where the images are, and which.
    protocol : "clean" or "paper"
    folds : int or None
    rarity : dict of str to int
    rare : tuple of str
    endpoints : tuple of Endpoint
    in_use : tuple of Endpoint
        Tested too: what the rare classes need beyond their recall.
    first_seed : int
    gan_images, gan_minutes, gan_changes, min_confidence
        How GANs are trained, and which of their images are kept.
    arms : tuple of str
    classifiers : dict of str to dict
        The recipe of each, resolved.
    seeds : tuple of int
    steps : dict of str to (list of int or None)
        Optimizer steps of each classifier in each fold.
    swap, robustness : bool
    tree : dict of str to (list of str), or None
        Superclasses with their classes.
    swap_arms : tuple of str
        Arms that nobody asked for but `swap`.
    jobs : int
    gansynth : str
    """

    FILE, COMMAND, WHAT = "comparison.json", "gansynth compare", "comparison"
    BEFORE = (RECIPES, SPLITS)
    # Where the data lie may differ, since their images are known by their hash; and the label tree trains nothing.
    MAY_GROW = ("data", "arms", "classifiers", "seeds", "steps", "swap", "swap_arms", "robustness", "jobs", "tree")

    gansynth: str = __version__
    data: str
    data_sha256: str
    protocol: str
    folds: int | None
    rarity: dict[str, int]
    rare: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]
    in_use: tuple[Endpoint, ...]
    first_seed: int
    gan_images: int | None
    gan_minutes: float | None
    gan_changes: tuple[str, ...]
    min_confidence: float | None
    arms: tuple[str, ...]
    classifiers: dict[str, dict[str, Any]]
    seeds: tuple[int, ...]
    steps: dict[str, list[int | None]]
    swap: bool
    robustness: bool
    tree: dict[str, list[str]] | None
    swap_arms: tuple[str, ...]
    jobs: int
