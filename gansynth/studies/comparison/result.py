"""What a comparison found, in memory and as a folder: written and read here, and nowhere else."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar, get_args

import pandas as pd

from gansynth.errors import InputError
from gansynth.files import table_text
from gansynth.files.atomic import write_text
from gansynth.files.json_object import ELSEWHERE, JsonObject
from gansynth.metrics.wording import with_ends
from gansynth.remedies.arm import NONE, Arm
from gansynth.studies.comparison.entries import (
    ArmEffect,
    ArmResult,
    ArmScores,
    BestDose,
    DoseCurve,
    Endpoint,
    FailedTraining,
    Recognition,
    Recommendation,
    Standing,
    Swap,
)
from gansynth.studies.result_file import Result
from gansynth.version import __version__

if TYPE_CHECKING:
    from gansynth.data.dataset import CellDataset
    from gansynth.studies.comparison.record import Predictions, Record

_EFFECTS = [
    "classifier", "arm", "against", "metric", "class", "value", "low", "high", "p", "p_holm", "n", "method",
    "mcnemar_p",
]  # fmt: skip

Frame = Literal["metrics", "classes", "effects", "arms"]


@dataclass(frozen=True)
class Counts(JsonObject):
    """Real images by class: to learn from (the mean over the folds), and tested (over all folds)."""

    train: dict[str, int]
    test: dict[str, int]


@dataclass(frozen=True)
class LevelFacts(JsonObject):
    """What is the same for every arm of a comparison, at the level of its classes or of its superclasses.

    Attributes
    ----------
    classes : tuple of str
    counts : Counts
    rarity : dict of str to int
        Training images that classes were held to.
    rare : tuple of str
        Classes whose recall is an endpoint.
    endpoints : tuple of Endpoint
        Named before the run, the primary one first.
    folds : int
    seeds : tuple of int
    protocol : "clean" or "paper"
    """

    classes: tuple[str, ...]
    counts: Counts
    rarity: dict[str, int]
    rare: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]
    folds: int
    seeds: tuple[int, ...]
    protocol: str

    @property
    def training_counts(self) -> dict[str, int]:
        """Real images to learn from, by class."""
        return self.counts.train

    @property
    def test_counts(self) -> dict[str, int]:
        """Real images tested, by class."""
        return self.counts.test


@dataclass(frozen=True)
class About(LevelFacts):
    """The same of a whole comparison, with where it comes from.

    Attributes
    ----------
    data : str
    size : int
        Edge length in pixels of the images that the first classifier looks at.
    sizes : dict of str to int
        Of every classifier.
    steps : dict of str to (list of int or None)
        Optimizer steps of each classifier in each fold.
    command : str or None
        What was typed.
    device, date : str
    versions : dict of str to str
    """

    data: str
    size: int
    sizes: dict[str, int] = field(default_factory=dict)
    steps: dict[str, list[int | None]] = field(default_factory=dict)
    command: str | None = None
    device: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    date: str = ""


F_co = TypeVar("F_co", bound=LevelFacts, covariant=True)
A_co = TypeVar("A_co", bound=ArmScores, covariant=True)


@dataclass(frozen=True, repr=False)
class Level(JsonObject, Generic[F_co, A_co]):
    """Arms and effects at one level, of classes or of superclasses: what tables and charts ask for.

    Attributes
    ----------
    about : LevelFacts
    arms : tuple of ArmScores
        One for each arm and classifier.
    effects : tuple of ArmEffect
        Each arm against ``none``, ordinary augmentation and over-sampling.
    """

    about: F_co
    arms: tuple[A_co, ...]
    effects: tuple[ArmEffect, ...]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes of this level."""
        return self.about.classes

    @property
    def arm_names(self) -> list[str]:
        """Arms in the order of the tables, "none" first."""
        return sorted(dict.fromkeys(entry.arm for entry in self.arms), key=lambda name: name != NONE)

    @property
    def classifiers(self) -> list[str]:
        """Classifiers in the order of the tables."""
        return list(dict.fromkeys(entry.classifier for entry in self.arms))

    @property
    def is_paper(self) -> bool:
        """Whether the data was split after balancing, as in hazra2022, so that its numbers are too good."""
        return self.about.protocol == "paper"

    @property
    def by_rarity(self) -> list[str]:
        """Classes, the rare ones first."""
        return list(dict.fromkeys([*self.about.rare, *self.class_names]))

    def entry(self, arm: str, classifier: str) -> A_co | None:
        """Return what an arm scored with a classifier; None where it was not run."""
        return next((e for e in self.arms if (e.arm, e.classifier) == (arm, classifier)), None)

    def effect(self, arm: str, classifier: str, endpoint: Endpoint, against: str = NONE) -> ArmEffect | None:
        """Return the test of an arm against another; None where there was none."""
        asked = (arm, classifier, endpoint, against)
        return next((e for e in self.effects if (e.arm, e.classifier, e.endpoint, e.against) == asked), None)

    def __repr__(self) -> str:
        found = f"{len(self.arm_names)} arms, {len(self.classifiers)} classifiers, {len(self.effects)} effects"
        return f"{type(self).__name__}({found})"


AnyLevel = Level[LevelFacts, ArmScores]


@dataclass(frozen=True, repr=False)
class Superclasses(Level[LevelFacts, ArmScores]):
    """The same arms one level up; `tree` is the classes of each superclass."""

    tree: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class Comparison(Level[About, ArmResult], Result):
    """Remedies side by side.

    Attributes
    ----------
    about : About
        Data, counts, endpoints, folds, seeds, protocol, versions.
    arms : tuple of ArmResult
        One for each arm and classifier: values with intervals, confusion matrix, counts, cost, runs.
    effects : tuple of ArmEffect
        Each arm against ``none``, ordinary augmentation and over-sampling.
    in_use : tuple of ArmEffect
        The same of what rare classes need beyond their recall: precision where 90% of them are found, and calibration.
        Named before the run; p is corrected within each.
    leaderboard : tuple of Standing
        The arms of each classifier, ranked by the mean recall of the rare classes at no loss elsewhere.
    doses : tuple of DoseCurve
        For each remedy with several doses, a curve of each endpoint and of each class's recall.
    best_dose : tuple of BestDose
    swap : tuple of Swap
        Trained on synthetic, tested on real (TSTR), and the reverse (TRTS).
    recognition : tuple of Recognition
        How many synthetic images of each GAN and class its independent classifier recognises, beside real ones.
    superclasses : Superclasses or None
        The same arms one level up, see `gansynth.studies.comparison.levels`; None where there is no label tree.
    conditions : dict of str to Level
        The same arms on the same test cells as other laboratories would show them, by the name of the condition (see
        `gansynth.studies.comparison.levels`); empty where that was not asked for.
    recommendation : Recommendation or None
        What to use: the cheapest arm that nothing is shown to beat. None where nothing was tested.
    missing : tuple of FailedTraining
        Cells of the grid that could not be filled, and why.
    warnings : tuple of str
    gansynth : str
        The version that compared.
    folder : pathlib.Path or None
        Where the predictions are.
    """

    COMMAND = "gansynth compare DATA --remedies none,... --classifiers ... --out DIR"

    about: About
    arms: tuple[ArmResult, ...]
    effects: tuple[ArmEffect, ...]
    in_use: tuple[ArmEffect, ...] = ()
    leaderboard: tuple[Standing, ...] = ()
    doses: tuple[DoseCurve, ...] = ()
    best_dose: tuple[BestDose, ...] = ()
    swap: tuple[Swap, ...] = ()
    recognition: tuple[Recognition, ...] = ()
    superclasses: Superclasses | None = None
    conditions: dict[str, AnyLevel] = field(default_factory=dict)
    recommendation: Recommendation | None = None
    missing: tuple[FailedTraining, ...] = ()
    warnings: tuple[str, ...] = ()
    gansynth: str = __version__
    folder: Annotated[Path | None, ELSEWHERE] = field(default=None, compare=False)

    @classmethod
    def read(cls, folder: Path | str) -> Comparison:
        """Read a folder that `compare` wrote; raises InputError where it holds none, or another's."""
        return replace(super().read(folder), folder=Path(folder))

    def write(self, folder: Path | str) -> None:
        """Write results.json and effects.csv."""
        table = table_text(self.frame("effects"), "%.6g")
        write_text(Path(folder) / "effects.csv", table)
        super().write(folder)

    def frame(self, of: Frame = "metrics") -> pd.DataFrame:
        """Return a tidy table.

        Parameters
        ----------
        of : str
            "metrics": arm, classifier, metric, value, low, high, n. "classes": the same of every class. "effects":
            what effects.csv holds. "arms": what each arm learned from and what it took.
        """
        if of == "effects":
            return pd.DataFrame([_row(one) for one in (*self.effects, *self.in_use)], columns=_EFFECTS)
        if of == "arms":
            rows = [(e.arm, e.classifier, e.dose, *_sums(e), e.steps, e.seconds, len(e.runs)) for e in self.arms]
            columns = ["arm", "classifier", "dose", "images", "synthetic", "steps", "seconds", "trainings"]
            return pd.DataFrame(rows, columns=columns)
        if of not in ("metrics", "classes"):
            raise ValueError(f"'{of}': choose one of {', '.join(get_args(Frame))}")
        whole = pd.concat([ArmResult.frame(e) for e in self.arms] or [pd.DataFrame({"class": []})], ignore_index=True)
        found = whole[(whole["class"] == "") == (of == "metrics")].reset_index(drop=True)
        return found.drop(columns="class") if of == "metrics" else found

    def summary(self) -> pd.DataFrame:
        """Return the endpoints of every arm with their intervals, as text: a row for each arm and classifier."""
        columns = ["classifier", "arm", *map(str, self.about.endpoints)]
        rows = [
            [e.classifier, e.arm, *(with_ends(e.estimate(p), absent="-") for p in self.about.endpoints)]
            for e in self.arms
        ]
        return pd.DataFrame(rows, columns=columns)

    def _repr_html_(self) -> str:
        return str(self.summary().to_html(index=False))

    @property
    def main_arms(self) -> list[str]:
        """One arm of each remedy, at the dose nearest to balance: what a reader compares."""
        doses = {entry.arm: 1.0 if entry.dose is None else entry.dose for entry in self.arms}
        stems: dict[str, list[str]] = {}
        for name in self.arm_names:
            arm = Arm.parse(name)
            if not arm.alone:
                stems.setdefault(str(arm.without_dose()), []).append(name)
        return [min(held, key=lambda name: abs(doses[name] - 1.0)) for held in stems.values()]

    def has_images(self, arm: str) -> bool:
        """Return whether an arm learned from synthetic images."""
        return any(entry.is_synthetic for entry in self.arms if entry.arm == arm)

    def standings(self, classifier: str) -> list[Standing]:
        """Return the ranked arms of a classifier, best first."""
        return sorted((one for one in self.leaderboard if one.classifier == classifier), key=lambda one: one.rank)

    def records(self, entry: ArmResult, seed: int | None = None) -> list[Record]:
        """Return the trainings of an arm, or those from one seed; their files are read when they are asked for."""
        from gansynth.studies.comparison.arm import Cell
        from gansynth.studies.comparison.record import Record

        if self.folder is None:
            return []
        return [
            Record(
                Cell(entry.arm, "", entry.classifier, run.fold, run.seed), self.folder / run.folder, self.class_names
            )
            for run in entry.runs
            if seed is None or run.seed == seed
        ]

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
        from gansynth.studies.comparison.record import Predictions

        wanted = min((run.seed for run in entry.runs), default=0) if seed is None else seed
        held = [record.predictions() for record in self.records(entry, wanted) if record.has_predictions]
        return Predictions.joined(held) if held else None

    def cells(self) -> CellDataset | None:
        """Open the images that were compared; None where they are no longer there."""
        return _opened(self.about.data, self.about.size) if self.about.data else None


def _sums(entry: ArmResult) -> tuple[int, int]:
    return sum(entry.training_counts.values()), sum(entry.synthetic_counts.values())


def _row(one: ArmEffect) -> dict[str, Any]:
    low, high = one.interval or (None, None)
    return {**one.to_json(), "low": low, "high": high}


@lru_cache(maxsize=1)
def _opened(data: str, size: int) -> CellDataset | None:
    from gansynth.data.opening import open_dataset

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return open_dataset(data, size)
    except (InputError, OSError):
        return None
