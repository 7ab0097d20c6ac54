"""What `compare` left in a folder, read back for the page."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.report.comparison_entries import ArmResult, Dose, EffectResult, Endpoint, Swap
from gansynth.report.quality_folder import read_json

if TYPE_CHECKING:
    from gansynth.studies.comparison_record import Predictions

NONE = "none"
"""The arm that every other one is held against: the original data."""

AUGMENTATION = "augmentation"


@dataclass(frozen=True)
class ComparisonResults:
    """A folder of `compare`.

    Attributes
    ----------
    folder : pathlib.Path
    facts : dict
        results.json as it stands.
    class_names : tuple of str
    arms : tuple of ArmResult
    effects : tuple of EffectResult
    endpoints : tuple of Endpoint
        Named before the run.
    doses : tuple of Dose
    swaps : tuple of Swap
    """

    folder: Path
    facts: dict[str, Any]
    class_names: tuple[str, ...]
    arms: tuple[ArmResult, ...]
    effects: tuple[EffectResult, ...]
    endpoints: tuple[Endpoint, ...]
    doses: tuple[Dose, ...]
    swaps: tuple[Swap, ...]

    @property
    def about(self) -> dict[str, Any]:
        """What was compared."""
        return dict(self.facts["about"])

    @property
    def is_paper(self) -> bool:
        """Whether the data was split after balancing, as in hazra2022, so that its figures are too good."""
        return bool(self.about.get("protocol") == "paper")

    @property
    def arm_names(self) -> list[str]:
        """Arms in the order of the table, "none" first."""
        names = dict.fromkeys(entry.arm for entry in self.arms)
        return sorted(names, key=lambda name: name != NONE)

    @property
    def classifiers(self) -> list[str]:
        """Classifiers in the order of the table."""
        return list(dict.fromkeys(entry.classifier for entry in self.arms))

    @property
    def rare(self) -> list[str]:
        """The classes that the question is about."""
        return [name for name in self.about.get("rare") or [] if name in self.class_names]

    @property
    def by_rarity(self) -> list[str]:
        """Classes, the rare ones first."""
        return [*self.rare, *(name for name in self.class_names if name not in self.rare)]

    @property
    def main_arms(self) -> list[str]:
        """One arm of each remedy, at the dose nearest to balance: what a reader compares."""
        doses = {entry.arm: entry.dose for entry in self.arms}
        stems: dict[str, list[str]] = {}
        for name in self.arm_names:
            if not name.startswith("only-"):
                stems.setdefault(without_dose(name), []).append(name)
        return [min(held, key=lambda name: abs((doses[name] or 1.0) - 1.0)) for held in stems.values()]

    def entry(self, arm: str, classifier: str) -> ArmResult | None:
        """What an arm scored with a classifier; None where it was not run."""
        return next((e for e in self.arms if e.arm == arm and e.classifier == classifier), None)

    def effect(self, arm: str, classifier: str, endpoint: Endpoint, against: str = NONE) -> EffectResult | None:
        """The test of an arm against another; None where there was none."""
        asked = (arm, classifier, endpoint, against)
        return next((e for e in self.effects if (e.arm, e.classifier, e.endpoint, e.against) == asked), None)

    def has_images(self, arm: str) -> bool:
        """Whether an arm learned from synthetic images."""
        return any(entry.is_synthetic for entry in self.arms if entry.arm == arm)

    def real_count(self, name: str) -> int | None:
        """Real training images of a class: the mean over the folds."""
        found = (self.about.get("counts") or {}).get("train", {}).get(name)
        return None if found is None else round(found)

    def notes(self, entry: ArmResult) -> list[dict[str, Any]]:
        """Read arm.json of every run of an arm that is there."""
        places = [self.folder / str(run["folder"]) / "arm.json" for run in entry.runs]
        return [read_json(place, "run `gansynth compare ... --resume`") for place in places if place.is_file()]

    def predictions(self, entry: ArmResult, seed: int | None = None) -> Predictions | None:
        """Read what an arm predicted for the test images of all folds.

        Parameters
        ----------
        entry : ArmResult
        seed : int or None
            Which training seed; None: the first.

        Returns
        -------
        Predictions or None
            None where no file is there.

        Raises
        ------
        InputError
            If a file is not what `compare` writes.
        """
        from gansynth.studies.comparison_arm import Cell
        from gansynth.studies.comparison_record import PREDICTIONS, Predictions, Record

        wanted = min((int(run["seed"]) for run in entry.runs), default=0) if seed is None else seed
        held: list[Predictions] = []
        for run in entry.runs:
            place = self.folder / str(run["folder"])
            if run["seed"] == wanted and (place / PREDICTIONS).is_file():
                cell = Cell(entry.arm, "", entry.classifier, int(run["fold"]), wanted)
                try:
                    held.append(Record(cell, place, self.class_names).predictions())
                except (KeyError, ValueError) as error:
                    raise InputError(f"{place / PREDICTIONS}: not what `compare` writes ({error!r})") from error
        if not held:
            return None
        return Predictions(
            [path for one in held for path in one.paths],
            np.concatenate([one.labels for one in held]),
            np.concatenate([one.predicted for one in held]),
            np.concatenate([one.probabilities for one in held]),
            [],
        )

    def cells(self) -> CellDataset | None:
        """Open the images that were compared; None where they are no longer there."""
        data = self.about.get("data")
        return _opened(str(data), int(self.about["size"])) if data else None


def without_dose(arm: str) -> str:
    """Return an arm's remedies without their doses.

    Examples
    --------
    >>> without_dose("augmentation+c-wgan-gp@0.5")
    'augmentation+c-wgan-gp'
    """
    return re.sub(r"@[^+@]*", "", arm)


def read_comparison_folder(folder: Path) -> ComparisonResults:
    """Read a folder that `compare` wrote.

    Parameters
    ----------
    folder : pathlib.Path
        With results.json and the arms' folders that it names.

    Returns
    -------
    ComparisonResults

    Raises
    ------
    InputError
        If results.json is absent or is not what `compare` writes.
    """
    path = folder / "results.json"
    facts = read_json(path, "write it with `gansynth compare DATA --remedies none,... --classifiers ... --out DIR`")
    return comparison_of(folder, facts)


def comparison_of(folder: Path, facts: dict[str, Any]) -> ComparisonResults:
    """Return a comparison from what results.json holds.

    Raises
    ------
    InputError
        If it is not what `compare` writes.
    """
    try:
        about = facts["about"]
        return ComparisonResults(
            folder,
            facts,
            tuple(about["classes"]),
            tuple(ArmResult.from_json(entry) for entry in facts["arms"]),
            tuple(EffectResult.from_json(entry) for entry in facts.get("effects", [])),
            tuple(Endpoint.from_json(entry) for entry in about["endpoints"]),
            tuple(Dose.from_json(entry) for entry in facts.get("doses", [])),
            tuple(Swap.from_json(entry) for entry in facts.get("swap", [])),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        message = f"{folder / 'results.json'}: not what `compare` writes ({error!r}); compare again"
        raise InputError(message) from error


@lru_cache(maxsize=1)
def _opened(data: str, size: int) -> CellDataset | None:
    from gansynth.data.opening import open_dataset

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return open_dataset(data, size)
    except (InputError, OSError):
        return None
