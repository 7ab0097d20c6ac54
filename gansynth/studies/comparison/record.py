"""What a finished cell of the grid leaves in its folder, and how it is read again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gansynth.classifiers.curves import Epoch
from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.files import open_regular, plain_cell, table_text
from gansynth.files.atomic import whole_file
from gansynth.files.json_object import JsonObject
from gansynth.metrics.classification import classification_scores
from gansynth.studies.comparison.arm import Cell, Job, Outcome
from gansynth.studies.result_file import StudyFile

PREDICTIONS, SYNTHETIC = "predictions.csv", "synthetic.csv"
ALTERED = "predictions-{}.csv"
"""What it says of the test images in a condition."""
FAILED = "failed.txt"
"""The traceback of a training that failed."""
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

    @classmethod
    def joined(cls, parts: Sequence[Predictions]) -> Predictions:
        """Return the predictions of several folds, one after the other."""
        return cls(
            [path for one in parts for path in one.paths],
            np.concatenate([one.labels for one in parts]),
            np.concatenate([one.predicted for one in parts]),
            np.concatenate([one.probabilities for one in parts]),
            [gan for one in parts for gan in one.gans],
        )

    def of(self, gan: str) -> Predictions:
        """Return those of the images of one GAN."""
        mine = np.flatnonzero(np.array(self.gans, object) == gan)
        paths = [self.paths[i] for i in mine]
        return Predictions(paths, self.labels[mine], self.predicted[mine], self.probabilities[mine], [gan] * len(mine))


@dataclass(frozen=True)
class Scores(JsonObject):
    """The metrics of one training, over all classes and of each; None where one cannot be said."""

    overall: dict[str, float | None]
    classes: dict[str, dict[str, float | None]]


@dataclass(frozen=True)
class Note(StudyFile):
    """What arm.json says of a finished training.

    Attributes
    ----------
    arm, classifier : str
    fold, seed : int
    steps : int or None
    seconds : float
    training_counts, synthetic_counts : dict of class to int
        Images of an epoch, and how many of them are synthetic.
    curve : list of Epoch
        Empty for a classifier without epochs.
    weights : str
    predicted_gans : list of str
        Whose synthetic images were predicted too.
    warnings : list of str
    scores : Scores
    conditions : list of str
        In which the test images were predicted too.
    """

    FILE, COMMAND = "arm.json", "gansynth compare"

    arm: str
    classifier: str
    fold: int
    seed: int
    steps: int | None
    seconds: float
    training_counts: dict[str, int]
    synthetic_counts: dict[str, int]
    curve: list[Epoch]
    weights: str
    predicted_gans: list[str]
    warnings: list[str]
    scores: Scores
    conditions: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Record:
    """A finished cell: its note and its predictions, read when they are asked for.

    Attributes
    ----------
    cell : Cell
    folder : pathlib.Path
    class_names : tuple of str
    tested : frozenset of str, optional
        Paths of the images that it must have predicted; predictions of others are refused.
    """

    cell: Cell
    folder: Path
    class_names: tuple[str, ...]
    tested: frozenset[str] | None = None

    @cached_property
    def note(self) -> Note:
        """What arm.json says."""
        return Note.read(self.folder)

    @property
    def has_note(self) -> bool:
        """Whether it is finished, and still there."""
        return Note.is_in(self.folder)

    @property
    def has_predictions(self) -> bool:
        """Whether what it says of the test images is still there."""
        return (self.folder / PREDICTIONS).is_file()

    def predictions(self) -> Predictions:
        """Return what it says of the test images."""
        return self._of_test_images(self.folder / PREDICTIONS)

    def in_condition(self, name: str) -> Predictions:
        """Return what it says of the test images in a condition."""
        return self._of_test_images(self.folder / ALTERED.format(name))

    def synthetic(self) -> Predictions:
        """Return what it says of synthetic images."""
        return _read(self.folder / SYNTHETIC, self.class_names)

    def _of_test_images(self, file: Path) -> Predictions:
        found = _read(file, self.class_names)
        if self.tested is not None and (len(found.paths) != len(self.tested) or set(found.paths) != self.tested):
            raise InputError(
                f"{file}: does not hold one prediction for each of the {len(self.tested)} test images of its fold; "
                f"remove {self.folder}, and --resume does its training again"
            )
        return found


def finished(
    out: Path,
    cell: Cell,
    class_names: tuple[str, ...],
    gans: Collection[str] = (),
    conditions: Collection[str] = (),
    tested: frozenset[str] | None = None,
) -> Record | None:
    """Return the record of a finished cell, which has also predicted the images of `gans`, and the test images in
    `conditions`; None for any other. What it says of others than those `tested` is refused when it is read."""
    folder = out / cell.path
    try:
        record = Record(cell, folder, class_names, tested)
        there, shown_in = set(record.note.predicted_gans), set(record.note.conditions)
    except InputError:
        return None
    return record if there >= set(gans) and shown_in >= set(conditions) else None


def write_record(out: Path, job: Job, outcome: Outcome) -> Record:
    """Write a cell's predictions, and its note last: what has a note is finished."""
    assert outcome.probabilities is not None
    folder, names = out / job.cell.path, job.test.class_names
    (folder / Note.FILE).unlink(missing_ok=True)
    shown = np.round(outcome.probabilities, _DECIMALS)
    _write(folder / PREDICTIONS, names, job.test, shown)
    for name, altered in outcome.conditions.items():
        _write(folder / ALTERED.format(name), names, job.test, np.round(altered, _DECIMALS))
    if job.synthetic:
        made = list(job.synthetic.values())
        gans = [gan for gan, one in job.synthetic.items() for _ in range(len(one))]
        together = [np.round(outcome.synthetic[gan], _DECIMALS) for gan in job.synthetic]
        both = pd.concat([one.records for one in made], ignore_index=True)
        labels = np.concatenate([one.labels for one in made])
        _write_rows(folder / SYNTHETIC, names, both["path"].tolist(), labels, np.concatenate(together), gans)
    scores = classification_scores(job.test.labels, shown, len(names))
    Note(
        arm=job.cell.arm,
        classifier=job.cell.classifier,
        fold=job.cell.fold,
        seed=job.cell.seed,
        steps=job.steps,
        seconds=round(outcome.seconds, 2),
        training_counts=job.treatment.counts(),
        synthetic_counts=job.treatment.synthetic_counts(),
        curve=outcome.curve,
        weights=outcome.weights,
        predicted_gans=list(job.synthetic),
        warnings=outcome.notes,
        scores=Scores(scores.overall, dict(zip(names, scores.classes, strict=True))),
        conditions=list(outcome.conditions),
    ).write(folder)
    (folder / FAILED).unlink(missing_ok=True)
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
    text = table_text(pd.concat([table, columns], axis=1), f"%.{_DECIMALS}f")
    with whole_file(path) as temporary:
        # A file name that is not valid UTF-8 goes into the table byte by byte as it is on the disk.
        temporary.write_bytes(text.encode("utf-8", "surrogateescape"))


def _read(path: Path, names: tuple[str, ...]) -> Predictions:
    index = {name: i for i, name in enumerate(names)}
    try:
        with open_regular(path) as file:
            table = pd.read_csv(
                file, encoding="utf-8", encoding_errors="surrogateescape", keep_default_na=False,
                dtype={"file_name": str, "class": str, "predicted": str, "gan": str},
            )  # fmt: skip
        return Predictions(
            [plain_cell(name) for name in table["file_name"]],
            _positions(table["class"], index),
            _positions(table["predicted"], index),
            table[[f"p_{name}" for name in names]].to_numpy(np.float64),
            [plain_cell(name) for name in table["gan"]] if "gan" in table else [],
        )
    except (KeyError, ValueError) as error:
        raise InputError(f"{path}: not what `compare` writes ({error!r})") from error


def _positions(column: pd.Series[str], index: Mapping[str, int]) -> NDArray[np.int64]:
    return np.array([index[plain_cell(name)] for name in column], np.int64)
