"""What a search of a remedy's parameters found, as the table that pasupa2020 shows (table 1)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd

from gansynth.data.dataset import CellDataset
from gansynth.files import table_text
from gansynth.files.atomic import write_text
from gansynth.files.json_object import INLINE, Json, JsonObject
from gansynth.metrics.classification_tests import corrected_t_test
from gansynth.metrics.estimate import mean_of_known
from gansynth.studies.comparison.record import Record
from gansynth.studies.result_file import Asked, Result
from gansynth.studies.search.grid import Candidate

CHOSEN_BY = "macro-F1"
SHOWN = ("accuracy", "balanced-accuracy", CHOSEN_BY, "ROC-AUC")
COMMAND = "gansynth search-remedy"


@dataclass(frozen=True)
class SearchSettings(Asked):
    """What was asked, in search.json before the first training.

    Attributes
    ----------
    gansynth : str
        The version.
    data_sha256 : str
        Of the training split.
    remedy : str
    folds : int
    rarity : dict of class to int
        Training images kept.
    recipe : mapping
        The classifier's, as its model writes it.
    beside : list of str
    seed : int
    arms : list of str
        Every candidate as it is typed; gains are against the first.
    values : list of dict of parameter to float
        Of each; empty for what only stands beside.
    """

    FILE, COMMAND, WHAT = "search.json", COMMAND, "search"
    MAY_GROW = ("arms", "values")

    gansynth: str
    data_sha256: str
    remedy: str
    folds: int
    rarity: dict[str, int]
    recipe: Mapping[str, object]
    beside: list[str]
    seed: int
    arms: list[str]
    values: list[dict[str, float]]


@dataclass(frozen=True)
class OverFolds(JsonObject):
    """A metric over the folds: None where no fold has it, `sd` also where only one has."""

    mean: float | None
    sd: float | None


@dataclass(frozen=True)
class Gain(JsonObject):
    """Macro-F1 of a candidate less that of the first arm, on the folds that both have.

    `interval` and `p` are of Nadeau and Bengio's corrected t-test; None where it says nothing.
    """

    value: float | None
    interval: tuple[float | None, float | None]
    p: float | None
    folds: int

    @property
    def shown(self) -> bool:
        """Whether the interval lies above 0."""
        return self.interval[0] is not None and self.interval[0] > 0


@dataclass(frozen=True)
class CandidateResult(JsonObject):
    """A line of the table.

    Attributes
    ----------
    arm : str
    values : dict of parameter to float
        What was set; empty for what only stands beside.
    folds : int
        Finished.
    epoch : float or None
        Mean of the best ones.
    scores : dict of metric to OverFolds
        Of `SHOWN`.
    recall : OverFolds
        Of the rarest class.
    gain : Gain
    """

    arm: str
    values: dict[str, float]
    folds: int
    epoch: float | None
    scores: dict[str, OverFolds]
    recall: OverFolds
    gain: Gain

    @property
    def mean(self) -> float:
        """Mean macro-F1, by which one is chosen; 0 where it is not known."""
        return self.scores[CHOSEN_BY].mean or 0.0

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON: the scores stand among the other values."""
        found: dict[str, Any] = {}
        for name, value in super().to_json().items():
            found |= value if name == "scores" else {name: value}
        return found

    @classmethod
    def by_field(cls, found: Json) -> dict[str, Any]:
        """Return what a JSON object holds, by the names of the fields."""
        return {**super().by_field(found), "scores": {name: found[name] for name in SHOWN if name in found}}


@dataclass(frozen=True)
class About(JsonObject):
    """What was searched.

    Attributes
    ----------
    settings : SearchSettings
    classes : dict of class to int
        Training images.
    rarest : str
    learned_from, scored_on : list of int
        Images by fold.
    data, command : str
        What was searched on, and what was typed; empty where it is not known.
    chosen_by : str
    """

    settings: Annotated[SearchSettings, INLINE]
    classes: dict[str, int]
    rarest: str
    learned_from: list[int]
    scored_on: list[int]
    data: str = ""
    command: str = ""
    chosen_by: str = CHOSEN_BY


@dataclass(frozen=True, repr=False)
class RemedySearch(Result):
    """The table of a search.

    Attributes
    ----------
    about : About
        Settings, data, classes, folds.
    rows : list of CandidateResult
        In the order of the grid, what stands beside first.
    failed : dict of str to str
        Trainings that failed, and why.
    """

    COMMAND = COMMAND

    about: About
    rows: list[CandidateResult]
    failed: dict[str, str]

    @property
    def settings(self) -> SearchSettings:
        """What was asked."""
        return self.about.settings

    @property
    def against(self) -> str:
        """The arm that gains are against: the first beside the search."""
        return self.settings.arms[0]

    @property
    def tried(self) -> list[tuple[int, CandidateResult]]:
        """The searched candidates, numbered from 1 in the order in which they were tried."""
        return list(enumerate((row for row in self.rows if row.values), 1))

    @property
    def whole(self) -> list[CandidateResult]:
        """The candidates whose folds are all finished."""
        return [row for row in self.rows if row.folds == self.settings.folds]

    @property
    def highest(self) -> CandidateResult | None:
        """The searched candidate with the highest mean macro-F1 of those that are whole; it may lose to another arm."""
        return max((row for row in self.whole if row.values), key=lambda row: row.mean, default=None)

    @property
    def rival(self) -> CandidateResult | None:
        """The best of the arms that stand beside the search, none of which was searched."""
        return max((row for row in self.whole if not row.values), key=lambda row: row.mean, default=None)

    @property
    def best(self) -> CandidateResult | None:
        """The candidate that was searched and found worth a comparison: None where an arm beside it is as good."""
        highest, rival = self.highest, self.rival
        return None if highest is None or (rival is not None and rival.mean >= highest.mean) else highest

    def verdict(self) -> str:
        """Say whether the search found anything worth a comparison."""
        best, highest, rival, against = self.best, self.highest, self.rival, self.against
        if highest is None:
            return f"no candidate has finished all {self.settings.folds} folds, so none is chosen"
        if best is None:
            assert rival is not None
            return (
                f"nothing that was searched beats {rival.arm}: its {CHOSEN_BY} is {rival.mean:.3f}, the highest "
                f"searched is {highest.mean:.3f}, of {highest.arm}"
            )
        said = f"best by {CHOSEN_BY}: {best.arm}"
        if not best.gain.shown:
            said = f"highest {CHOSEN_BY}: {best.arm}, which the folds do not show to be better than {against}"
        return (
            f"{said}. The best of many is too good by chance: compare it on images that were not searched, "
            f"--remedies {against},{best.arm}"
        )

    def frame(self) -> pd.DataFrame:
        """Return one line for each candidate."""
        lines = []
        for row in self.rows:
            line: dict[str, object] = {"arm": row.arm, **row.values, "best epoch": row.epoch, "folds": row.folds}
            for title, one in {**row.scores, f"recall of {self.about.rarest}": row.recall}.items():
                line |= {title: one.mean, f"{title} sd": one.sd}
            low, high = row.gain.interval
            lines.append(line | {"gain": row.gain.value, "gain low": low, "gain high": high, "p": row.gain.p})
        return pd.DataFrame(lines)

    def to_json(self) -> dict[str, Any]:
        """Return what results.json holds."""
        found = super().to_json()
        failed = found.pop("failed")
        return {**found, "best": self.best and self.best.to_json(), "failed": failed}

    def write(self, folder: Path | str) -> None:
        """Write results.json and search.csv."""
        super().write(folder)
        write_text(Path(folder) / "search.csv", table_text(self.frame(), "%.5g"))

    def __repr__(self) -> str:
        return f"RemedySearch({self.settings.remedy}, {len(self.rows)} candidates: {self.verdict().partition('. ')[0]})"


def gather(
    candidates: Sequence[Candidate],
    records: Mapping[str, Sequence[Record]],
    folds: Sequence[CellDataset],
    settings: SearchSettings,
    failed: dict[str, str],
    data: str,
) -> RemedySearch:
    """Put the finished trainings of a search into its table."""
    training = folds[0]
    counts = {name: n for name, n in training.counts().items() if n}
    rarest = min(counts, key=lambda name: counts[name])
    tested = [int((fold.records["split"] == "test").sum()) for fold in folds]
    learned = [int((fold.records["split"] == "train").sum()) for fold in folds]
    first = _by_fold(records[candidates[0].arm.spec])
    ratio = float(np.mean(tested) / np.mean(learned))
    rows = [_row(one, records[one.arm.spec], rarest, first, ratio) for one in candidates if records[one.arm.spec]]
    return RemedySearch(About(settings, counts, rarest, learned, tested, data), rows, failed)


def _row(
    candidate: Candidate, records: Sequence[Record], rarest: str, first: Mapping[int, float], ratio: float
) -> CandidateResult:
    mine = _by_fold(records)
    both = sorted(set(mine) & set(first))
    gain = corrected_t_test([mine[k] - first[k] for k in both], ratio)
    return CandidateResult(
        arm=candidate.arm.spec,
        values=candidate.values,
        folds=len(records),
        epoch=mean_of_known([_best_epoch(record) for record in records]),
        scores={name: _over_folds([record.note.scores.overall[name] for record in records]) for name in SHOWN},
        recall=_over_folds([record.note.scores.classes[rarest]["recall"] for record in records]),
        gain=Gain(_known(gain.value), (_known(gain.interval[0]), _known(gain.interval[1])), _known(gain.p), len(both)),
    )


def _by_fold(records: Sequence[Record]) -> dict[int, float]:
    found = {record.cell.fold: record.note.scores.overall[CHOSEN_BY] for record in records}
    return {fold: value for fold, value in found.items() if value is not None}


def _best_epoch(record: Record) -> float | None:
    """Return the epoch whose weights were kept; None without epochs."""
    scores = {point.epoch: point.val_macro_f1 for point in record.note.curve if point.val_macro_f1 is not None}
    return max(scores, key=lambda epoch: scores[epoch]) if scores else None


def _over_folds(values: Sequence[float | None]) -> OverFolds:
    known = [value for value in values if value is not None]
    return OverFolds(mean_of_known(values), float(np.std(known, ddof=1)) if len(known) > 1 else None)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
