"""What a comparison writes down before the first training: what is compared, and the endpoints (comparison.json)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from gansynth.errors import InputError
from gansynth.files import is_named, read_json
from gansynth.files.atomic import write_json
from gansynth.studies.comparison.entries import Endpoint
from gansynth.studies.result_file import typed
from gansynth.version import __version__

REGISTRATION = "comparison.json"
_MAY_GROW = ("data", "arms", "classifiers", "seeds", "steps", "swap", "swap_arms", "robustness", "jobs", "tree")
"""What may differ when a comparison is continued. The place of the data too: its images are known by their hash. And
the label tree: nothing is trained by it."""


@dataclass(frozen=True, kw_only=True)
class Registration:
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

    @classmethod
    def read(cls, folder: Path) -> Registration | None:
        """Read what `write` wrote; None where there is none.

        Raises
        ------
        InputError
            If comparison.json is truncated, or something else.
        """
        file = folder / REGISTRATION
        if not is_named(file):
            return None
        found = read_json(file)
        try:
            named = {key: tuple(map(Endpoint.from_json, found[key])) for key in ("endpoints", "in_use")}
            return typed(cls, {**found, **named})
        except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
            raise InputError(f"{file}: not what `compare` writes ({error!r}); give another --out") from error

    def write(self, folder: Path) -> None:
        """Write comparison.json."""
        named = {key: [one.to_json() for one in getattr(self, key)] for key in ("endpoints", "in_use")}
        write_json(folder / REGISTRATION, {**vars(self), **named})

    def refuse_another(self, held: Registration | None, out: Path) -> None:
        """Refuse (InputError) to continue a folder that holds another comparison."""
        names = [one.name for one in fields(self) if held is not None and one.name not in _MAY_GROW]
        other = [name for name in names if getattr(held, name) != getattr(self, name)]
        if other:
            raise InputError(
                f"{out}: holds a comparison with another {', '.join(other)}; give the same, or another --out"
            )
