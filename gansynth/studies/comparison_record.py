"""What a finished cell of the grid leaves in its folder, and how it is read again."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gansynth.atomic import whole_file, write_json
from gansynth.data.dataset import CellDataset
from gansynth.metrics.classification import classification_scores
from gansynth.studies.comparison_arm import Cell, Job, Outcome

PREDICTIONS, SYNTHETIC, NOTE = "predictions.csv", "synthetic.csv", "arm.json"
_DECIMALS = 5


@dataclass(frozen=True)
class Predictions:
    """Labelled images and what a classifier says of them.

    Attributes
    ----------
    paths : list of str
    labels, predicted : int64 arrays, shape [n]
    probabilities : float64 array, shape [n, C]
    gans : list of str
        For synthetic images, whose they are; empty for real ones.
    """

    paths: list[str]
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    gans: list[str]


@dataclass(frozen=True)
class Record:
    """A finished cell: its note and its predictions, read when they are asked for."""

    cell: Cell
    folder: Path
    class_names: tuple[str, ...]

    @cached_property
    def note(self) -> dict[str, Any]:
        """What arm.json says."""
        found: dict[str, Any] = json.loads((self.folder / NOTE).read_text(encoding="utf-8"))
        return found

    def predictions(self) -> Predictions:
        """Return what it says of the test images."""
        return _read(self.folder / PREDICTIONS, self.class_names)

    def synthetic(self) -> Predictions:
        """Return what it says of synthetic images."""
        return _read(self.folder / SYNTHETIC, self.class_names)


def finished(out: Path, cell: Cell, class_names: tuple[str, ...], gans: Collection[str] = ()) -> Record | None:
    """Return the record of a finished cell, which has also predicted the images of `gans`; None for any other."""
    folder = out / cell.path
    try:
        record = Record(cell, folder, class_names)
        there = set(record.note.get("predicted_gans", ()))
    except (FileNotFoundError, ValueError):
        return None
    return record if there >= set(gans) else None


def write_record(out: Path, job: Job, outcome: Outcome) -> Record:
    """Write a cell's predictions, and its note last: what has a note is finished."""
    assert outcome.probabilities is not None
    folder, names = out / job.cell.path, job.test.class_names
    (folder / NOTE).unlink(missing_ok=True)
    shown = np.round(outcome.probabilities, _DECIMALS)
    _write(folder / PREDICTIONS, names, job.test, shown)
    if job.synthetic:
        made = list(job.synthetic.values())
        gans = [gan for gan, one in job.synthetic.items() for _ in range(len(one))]
        together = [np.round(outcome.synthetic[gan], _DECIMALS) for gan in job.synthetic]
        both = pd.concat([one.records for one in made], ignore_index=True)
        labels = np.concatenate([one.labels for one in made])
        _write_rows(folder / SYNTHETIC, names, both["path"].tolist(), labels, np.concatenate(together), gans)
    scores = classification_scores(job.test.labels, shown, len(names))
    write_json(
        folder / NOTE,
        {
            "arm": job.cell.arm,
            "classifier": job.cell.classifier,
            "fold": job.cell.fold,
            "seed": job.cell.seed,
            "steps": job.steps,
            "seconds": round(outcome.seconds, 2),
            "training_counts": job.treatment.counts(),
            "synthetic_counts": job.treatment.synthetic_counts(),
            "curve": outcome.curve,
            "weights": outcome.weights,
            "predicted_gans": list(job.synthetic),
            "warnings": outcome.notes,
            "scores": {"overall": scores.overall, "classes": dict(zip(names, scores.classes, strict=True))},
        },
    )
    return Record(job.cell, folder, names)


def _write(path: Path, names: Sequence[str], images: CellDataset, probabilities: NDArray[np.float64]) -> None:
    _write_rows(path, names, images.records["path"].tolist(), images.labels, probabilities, [])


def _write_rows(
    path: Path,
    names: Sequence[str],
    paths: list[str],
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    gans: list[str],
) -> None:
    table = pd.DataFrame({"gan": gans} if gans else {})
    table["file_name"] = paths
    of = np.array(names, object)
    table["class"] = of[labels]
    table["predicted"] = of[probabilities.argmax(axis=1)]
    columns = pd.DataFrame(probabilities, columns=[f"p_{name}" for name in names])
    text = pd.concat([table, columns], axis=1).to_csv(index=False, lineterminator="\n", float_format=f"%.{_DECIMALS}f")
    with whole_file(path) as temporary:
        # A file name that is no valid UTF-8 goes into the table byte by byte as it is on the disk.
        temporary.write_bytes(text.encode("utf-8", "surrogateescape"))


def _read(path: Path, names: tuple[str, ...]) -> Predictions:
    table = pd.read_csv(
        path, encoding="utf-8", encoding_errors="surrogateescape", keep_default_na=False,
        dtype={"file_name": str, "class": str, "predicted": str, "gan": str},
    )  # fmt: skip
    index = {name: i for i, name in enumerate(names)}
    return Predictions(
        table["file_name"].tolist(),
        _positions(table["class"], index),
        _positions(table["predicted"], index),
        table[[f"p_{name}" for name in names]].to_numpy(np.float64),
        table["gan"].tolist() if "gan" in table else [],
    )


def _positions(column: pd.Series[str], index: Mapping[str, int]) -> NDArray[np.int64]:
    return np.array([index[name] for name in column], np.int64)
