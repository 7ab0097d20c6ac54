"""What a search of a remedy's parameters found, as the table that pasupa2020 shows (table 1)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gansynth.atomic import write_json, write_text
from gansynth.data.dataset import CellDataset
from gansynth.metrics.classification_tests import corrected_t_test
from gansynth.metrics.estimate import mean_of_known
from gansynth.studies.comparison_record import Record
from gansynth.studies.remedy_grid import Candidate

CHOSEN_BY = "macro-F1"
SHOWN = ("accuracy", "balanced-accuracy", CHOSEN_BY, "ROC-AUC")


@dataclass(frozen=True)
class RemedySearch:
    """The table of a search.

    Attributes
    ----------
    about : dict
        Settings, classes, images by fold.
    rows : list of dict
        By candidate, in the order of the grid: "arm", "values", "folds" (finished), "epoch" (mean of the best ones), a
        dict {"mean", "sd"} for each of `SHOWN`, "recall" of the rarest class, and "gain": macro-F1 against the first
        arm beside, with its interval and p (Nadeau and Bengio's corrected t-test over the folds).
    best : dict or None
        The searched row with the highest mean macro-F1 among those whose folds are all finished.
    failed : dict of str to str
    """

    about: dict[str, Any]
    rows: list[dict[str, Any]]
    best: dict[str, Any] | None
    failed: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return what results.json holds."""
        return {"about": self.about, "rows": self.rows, "best": self.best, "failed": self.failed}

    def table(self) -> pd.DataFrame:
        """Return one line for each candidate."""
        lines = []
        for row in self.rows:
            line = {"arm": row["arm"], **row["values"], "best epoch": row["epoch"], "folds": row["folds"]}
            for name in (*SHOWN, "recall"):
                title = name if name in SHOWN else f"recall of {self.about['rarest']}"
                line |= {title: row[name]["mean"], f"{title} sd": row[name]["sd"]}
            gain = row["gain"]
            line |= {"gain": gain["value"], "gain low": gain["interval"][0], "gain high": gain["interval"][1]}
            lines.append(line | {"p": gain["p"]})
        return pd.DataFrame(lines)

    def write(self, out: Path) -> None:
        """Write results.json and search.csv."""
        write_json(out / "results.json", self.to_json())
        write_text(out / "search.csv", self.table().to_csv(index=False, lineterminator="\n", float_format="%.5g"))


def gather(
    candidates: Sequence[Candidate],
    records: Mapping[str, Sequence[Record]],
    folds: Sequence[CellDataset],
    settings: Mapping[str, Any],
    failed: dict[str, str],
) -> RemedySearch:
    """Put the finished trainings of a search into its table."""
    training = folds[0]
    counts = {name: n for name, n in training.counts().items() if n}
    rarest = min(counts, key=lambda name: counts[name])
    tested = [int((fold.records["split"] == "test").sum()) for fold in folds]
    learned = [int((fold.records["split"] == "train").sum()) for fold in folds]
    first = _by_fold(records[candidates[0].arm.spec], CHOSEN_BY)
    ratio = float(np.mean(tested) / np.mean(learned))
    rows = [_row(one, records[one.arm.spec], rarest, first, ratio) for one in candidates if records[one.arm.spec]]
    whole = [row for row in rows if row["values"] and row["folds"] == len(folds)]
    best = max(whole, key=lambda row: row[CHOSEN_BY]["mean"] or 0.0) if whole else None
    about = {
        **settings, "classes": counts, "rarest": rarest, "chosen_by": CHOSEN_BY, "learned_from": learned,
        "scored_on": tested,
    }  # fmt: skip
    return RemedySearch(about, rows, best, failed)


def _row(
    candidate: Candidate, records: Sequence[Record], rarest: str, first: Mapping[int, float], ratio: float
) -> dict[str, Any]:
    row: dict[str, Any] = {"arm": candidate.arm.spec, "values": candidate.values, "folds": len(records)}
    row["epoch"] = mean_of_known([_best_epoch(record) for record in records])
    for name in SHOWN:
        row[name] = _spread([record.note.scores.overall[name] for record in records])
    row["recall"] = _spread([record.note.scores.classes[rarest]["recall"] for record in records])
    mine = _by_fold(records, CHOSEN_BY)
    both = sorted(set(mine) & set(first))
    gain = corrected_t_test([mine[k] - first[k] for k in both], ratio)
    interval = [_known(gain.interval[0]), _known(gain.interval[1])]
    row["gain"] = {"value": _known(gain.value), "interval": interval, "p": _known(gain.p), "folds": len(both)}
    return row


def _by_fold(records: Sequence[Record], name: str) -> dict[int, float]:
    found = {record.cell.fold: record.note.scores.overall[name] for record in records}
    return {fold: value for fold, value in found.items() if value is not None}


def _best_epoch(record: Record) -> float | None:
    """Return the epoch whose weights were kept; None without epochs."""
    points = [point for point in record.note.curve if "val_macro_f1" in point]
    return max(points, key=lambda point: point["val_macro_f1"])["epoch"] if points else None


def _spread(values: Sequence[float | None]) -> dict[str, float | None]:
    known = [value for value in values if value is not None]
    return {"mean": mean_of_known(values), "sd": float(np.std(known, ddof=1)) if len(known) > 1 else None}


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
