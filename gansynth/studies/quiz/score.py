"""What readers' answers to a quiz say: whether synthetic cells are distinguished, and whether classes are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from gansynth.errors import InputError
from gansynth.files import read_table, shown
from gansynth.metrics.estimate import Estimate
from gansynth.metrics.signal_detection import Detection, detection, share_of
from gansynth.studies.quiz.drawing import KEY_FILE, ORIGINS, Key, QuizCell
from gansynth.studies.result_file import Result

_COLUMNS = ("quiz", "reader", "cell", "origin", "class")
_ADVICE = "give the file that the quiz page saved"


@dataclass(frozen=True)
class ClassScore:
    """One reader's answers about the cells of one class, or of all.

    Attributes
    ----------
    detection : Detection
        Real or synthetic? A synthetic cell is the signal.
    named_real, named_synthetic : Estimate
        Share of the real, and of the synthetic, cells whose class was named. "Cannot say" counts as not named.
    """

    detection: Detection
    named_real: Estimate
    named_synthetic: Estimate

    def metrics(self) -> dict[str, Estimate]:
        """Return every number by its name."""
        return {
            "d'": self.detection.sensitivity,
            "accuracy": self.detection.accuracy,
            "synthetic called synthetic": self.detection.hits,
            "real called synthetic": self.detection.false_alarms,
            "class named, real": self.named_real,
            "class named, synthetic": self.named_synthetic,
        }

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON."""
        figures: dict[str, Any] = {name: one.to_json() for name, one in self.metrics().items()}
        return figures | {"criterion": self.detection.criterion}


@dataclass(frozen=True)
class ReaderScore:
    """One reader's numbers over all cells, and class by class."""

    reader: str
    overall: ClassScore
    classes: dict[str, ClassScore]

    @property
    def verdict(self) -> str:
        """One sentence: whether this reader distinguished the two."""
        one = self.overall.detection.sensitivity
        if one.value is None or one.interval is None:
            return f"{self.reader}: answered cells of one kind only, which says nothing"
        low, high = one.interval
        figure = f"d' = {one.value:.2f} ({low:.2f} to {high:.2f}, {one.n} cells)"
        if low > 0:
            return f"{self.reader} distinguishes synthetic cells from real ones: {figure}"
        if high < 0:
            return f"{self.reader} takes synthetic cells for real ones more often than real ones themselves: {figure}"
        return f"{self.reader} was not seen to distinguish synthetic cells from real ones: {figure}"


@dataclass(frozen=True)
class QuizScore(Result):
    """What all readers of a quiz answered.

    Attributes
    ----------
    quiz : str
    cells : int
        In the quiz.
    readers : tuple of ReaderScore
        By name.
    """

    quiz: str
    cells: int
    readers: tuple[ReaderScore, ...]

    @property
    def mean(self) -> Estimate | None:
        """The mean d' of the readers, with the t interval over readers; None with fewer than two.

        It holds for further readers of these same cells.
        """
        found = [reader.overall.detection.sensitivity.value for reader in self.readers]
        values = np.array([value for value in found if value is not None])
        if len(values) < 2:
            return None
        half = float(student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
        mean = float(values.mean())
        return Estimate(mean, len(values), (mean - half, mean + half), floor=0.0, note="n counts readers")

    def to_json(self) -> dict[str, Any]:
        """Return what `quiz --score --json` prints."""
        mean = self.mean
        return {
            "quiz": self.quiz,
            "cells": self.cells,
            "readers": {
                one.reader: {
                    "verdict": one.verdict,
                    "metrics": one.overall.to_json(),
                    "classes": {name: of_class.to_json() for name, of_class in one.classes.items()},
                }
                for one in self.readers
            },
            "mean d'": None if mean is None else mean.to_json(),
        }

    def frame(self) -> pd.DataFrame:
        """Return every number as a row: reader, class ("" over all), metric, value, low, high, n."""
        rows = []
        for one in self.readers:
            for name, found in {"": one.overall, **one.classes}.items():
                for metric, estimate in found.metrics().items():
                    low, high = estimate.interval or (None, None)
                    rows.append((one.reader, name, metric, estimate.value, low, high, estimate.n))
        return pd.DataFrame(rows, columns=["reader", "class", "metric", "value", "low", "high", "n"])

    def __repr__(self) -> str:
        sensitivities = {one.reader: one.overall.detection.sensitivity.value for one in self.readers}
        found = ", ".join(f"{name} d' {'-' if d is None else f'{d:.2f}'}" for name, d in sensitivities.items())
        return f"QuizScore({self.cells} cells: {found})"


@dataclass(frozen=True)
class _Answer:
    """What a reader said about a cell; an empty class is "cannot say"."""

    truth: QuizCell
    origin: str
    class_name: str


def score_quiz(answers: Sequence[str | Path], key: str | Path | None = None) -> QuizScore:
    """Score the answers of one or more readers of one quiz.

    Parameters
    ----------
    answers : sequence of path-like
        What the page saved, a file or more for each reader. Cells that were not answered do not count.
    key : path-like, optional
        The quiz's key or the folder that holds it; default: ``key.csv`` beside the first file of answers.

    Returns
    -------
    QuizScore

    Raises
    ------
    InputError
        If a file cannot be read, belongs to another quiz, or answers a cell twice.
    """
    if not answers:
        raise InputError("no answers; name the files that the quiz page saved")
    known = Key.read(_key_file(Path(answers[0]), key))
    readers: dict[str, dict[int, _Answer]] = {}
    for file in answers:
        for reader, found in _read_answers(Path(file), known).items():
            book = readers.setdefault(reader, {})
            twice = sorted(book.keys() & found.keys())
            if twice:
                raise InputError(
                    f"{shown(file)}: {reader} has answered cell {twice[0]} in another file too; give one file for each "
                    "reader, or correct the column reader"
                )
            book |= found
    names = known.class_names
    scored = [_score_reader(reader, list(readers[reader].values()), names) for reader in sorted(readers)]
    return QuizScore(known.quiz, len(known.cells), tuple(scored))


def _key_file(answers: Path, key: str | Path | None) -> Path:
    if key is not None:
        return Path(key) / KEY_FILE if Path(key).is_dir() else Path(key)
    beside = answers.parent / KEY_FILE
    if not beside.is_file():
        raise InputError(
            f"{shown(answers)}: no {KEY_FILE} lies beside it; say with --key where the quiz was written (its --out)"
        )
    return beside


def _read_answers(file: Path, key: Key) -> dict[str, dict[int, _Answer]]:
    table, where = read_table(file, _COLUMNS, _ADVICE), shown(file)
    if not len(table):
        raise InputError(f"{where}: holds no answer; {_ADVICE}")
    others = set(table["quiz"]) - {key.quiz}
    if others:
        raise InputError(f"{where}: answers quiz {min(others)}, but the key is that of {key.quiz}; {_ADVICE}, or --key")
    found: dict[str, dict[int, _Answer]] = {}
    for row in table[list(_COLUMNS)].itertuples(index=False):
        _, reader, cell, origin, class_name = map(str, row)
        number = int(cell) if cell.isascii() and cell.isdigit() and len(cell) < 9 else 0
        if not 1 <= number <= len(key.cells):
            raise InputError(f"{where}: there is no cell '{cell:.20}' in a quiz of {len(key.cells)}; {_ADVICE}")
        if origin not in ORIGINS or class_name not in ("", *key.class_names):
            raise InputError(f"{where}: cell {cell} is answered '{origin:.40}', '{class_name:.40}'; {_ADVICE}")
        book = found.setdefault(reader or file.stem, {})
        if number in book:
            raise InputError(f"{where}: answers cell {cell} twice; {_ADVICE}")
        book[number] = _Answer(key.cells[number - 1], origin, class_name)
    return found


def _score_reader(reader: str, answers: Sequence[_Answer], names: Sequence[str]) -> ReaderScore:
    of_class: Mapping[str, list[_Answer]] = {
        name: [one for one in answers if one.truth.class_name == name] for name in names
    }
    return ReaderScore(reader, _score(answers), {name: _score(found) for name, found in of_class.items() if found})


def _score(answers: Sequence[_Answer]) -> ClassScore:
    sides = {origin: [one for one in answers if one.truth.origin == origin] for origin in ORIGINS}
    called = {o: sum(one.origin == "synthetic" for one in found) for o, found in sides.items()}
    named = {
        o: share_of(sum(one.class_name == one.truth.class_name for one in found), len(found))
        for o, found in sides.items()
    }
    found = detection(called["synthetic"], len(sides["synthetic"]), called["real"], len(sides["real"]))
    return ClassScore(found, named["real"], named["synthetic"])
