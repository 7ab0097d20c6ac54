"""Which cells a quiz shows, as many real as synthetic ones of every class in random order, and the key: what each is.

The key stays beside the page, and never in it.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gansynth.errors import InputError
from gansynth.files import TableWriter, read_table, shown
from gansynth.files.atomic import write_text
from gansynth.studies.quality.sets import Images, Sets, open_sets

COUNT = 80
"""Cells by default: 40 of each kind, and d' is known to about 0.55 either way."""

KEY_FILE = "key.csv"
Origin = Literal["real", "synthetic"]
ORIGINS: tuple[Origin, ...] = get_args(Origin)
_COLUMNS = ("quiz", "cell", "origin", "class", "file_name")
_ADVICE = f"give the {KEY_FILE} that `gansynth quiz` wrote, with --key"


@dataclass(frozen=True)
class Quiz:
    """A quiz, ready to be shown.

    Attributes
    ----------
    key : Key
        What the cells are.
    images : uint8 array [N, 3, R, R]
        The cells in the order in which they are shown, all at one size.
    warnings : tuple of str
        What whoever gives the quiz must know.
    """

    key: Key
    images: NDArray[np.uint8]
    warnings: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)


def draw_quiz(
    real: str | Path,
    synthetic: str | Path,
    *,
    count: int = COUNT,
    seed: int = 0,
    size: int | None = None,
    cache_dir: Path | None = None,
    progress: bool = False,
) -> Quiz:
    """Draw real and synthetic cells, as many of the one as of the other in every class, and shuffle them.

    If the mix of classes differed, a cell's class would help to guess what it is; if the sizes did, its sharpness.

    Parameters
    ----------
    real, synthetic : path-like
        Folders of images per class, or of images alone. Where `real` has a split, cells are drawn from its validation
        and test images only.
    count : int
        Cells in all; an odd number is rounded down, and fewer are drawn where a folder holds too few.
    seed : int
    size : int, optional
        Edge length of all cells in pixels; default: the smaller of the two folders' median edges, at most 256.
    cache_dir : path-like, optional
        Where decoded images are kept.
    progress : bool
        Show how far decoding is, on standard error.

    Returns
    -------
    Quiz

    Raises
    ------
    InputError
        If a folder cannot be used, the two have no class in common, or `count` is below 2.
    """
    if count < 2:
        raise InputError(f"a quiz of {count} cells: give at least 2, one of each kind")
    sets = open_sets(real, synthetic, size=size, seed=seed, cache_dir=cache_dir, progress=progress)
    n = len(sets.class_names)
    there = np.minimum(sets.reference.counts(n), sets.synthetic.counts(n))
    counts = even_counts(there, count // 2)
    if not counts.sum():
        raise InputError(f"{real} and {synthetic} have no class with an image on both sides; give more images")
    cells: list[QuizCell] = []
    pixels: list[NDArray[np.uint8]] = []
    for origin, images in (("real", sets.reference), ("synthetic", sets.synthetic)):
        drawn = images.draw(counts, seed)
        pixels.append(images.pixels(drawn))
        cells += _cells(origin, images, drawn, sets.class_names)
    order = np.random.default_rng([seed, len(cells)]).permutation(len(cells))
    shown = np.concatenate(pixels)[order]
    key = Key(_name_of(shown), tuple(cells[k] for k in order))
    return Quiz(key, shown, tuple(_warnings(sets, str(real), 2 * (count // 2), len(cells))))


def even_counts(there: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Spread `total` images over classes as evenly as `there` allows.

    Parameters
    ----------
    there : int64 array [C]
        Images that each class has.
    total : int

    Returns
    -------
    int64 array [C]
        Sums to `total`, or to less where there are not so many.

    Examples
    --------
    >>> even_counts(np.array([2, 50, 50]), 20).tolist()
    [2, 9, 9]
    """
    counts = np.zeros_like(there)
    while counts.sum() < min(total, there.sum()):
        open_classes = np.flatnonzero(counts < there)
        left = total - int(counts.sum())
        share = max(1, left // len(open_classes))
        for c in open_classes[: max(1, left // share)]:
            counts[c] += min(share, there[c] - counts[c])
    return counts


def _cells(origin: str, images: Images, drawn: NDArray[np.int64], names: tuple[str, ...]) -> list[QuizCell]:
    kind: Origin = "real" if origin == "real" else "synthetic"
    return [QuizCell(kind, names[images.labels[k]], images.path(k)) for k in drawn]


def _name_of(images: NDArray[np.uint8]) -> str:
    """Return a name that follows from what is shown, and so gives nothing away that is not."""
    return hashlib.sha256(np.ascontiguousarray(images).tobytes()).hexdigest()[:12]


def _warnings(sets: Sets, real: str, asked: int, drawn: int) -> list[str]:
    no_split = f"{real} has no split"
    found = [warning for warning in sets.warnings if not warning.startswith(no_split)]
    if not sets.split_known:
        found.append(
            f"{no_split}, so its cells may have trained the generator, and readers may know them; "
            "`gansynth data split` before training holds some out"
        )
    if drawn < asked:
        found.append(f"{drawn} cells instead of {asked}: no class has more on both sides")
    return found


@dataclass(frozen=True)
class QuizCell:
    """One cell of a quiz: what it is, and its path in the folder that it was drawn from."""

    origin: Origin
    class_name: str
    path: str


@dataclass(frozen=True)
class Key:
    """What the cells of a quiz are, in the order in which they are shown.

    Attributes
    ----------
    quiz : str
        Which quiz: it stands in the page and in every reader's answers.
    cells : tuple of QuizCell
        The first one is cell 1.
    """

    quiz: str
    cells: tuple[QuizCell, ...]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes of the cells, sorted."""
        return tuple(sorted({cell.class_name for cell in self.cells}))

    def write(self, path: Path | str) -> None:
        """Write a table with the columns quiz, cell, origin, class, file_name."""
        text = io.StringIO()
        table = TableWriter(text)
        table.write(_COLUMNS)
        for number, cell in enumerate(self.cells, 1):
            table.write((self.quiz, number, cell.origin, cell.class_name, cell.path))
        write_text(path, text.getvalue())

    @classmethod
    def read(cls, path: Path | str) -> Key:
        """Read what `write` wrote.

        Raises
        ------
        InputError
            If the file is not such a table.
        """
        table = read_table(path, _COLUMNS, _ADVICE)
        where = shown(path)
        if not len(table) or list(table["cell"]) != [str(number) for number in range(1, len(table) + 1)]:
            raise InputError(f"{where}: does not number its cells from 1; {_ADVICE}")
        if len(set(table["quiz"])) > 1 or not set(table["origin"]) <= set(ORIGINS):
            raise InputError(f"{where}: is not the key of one quiz; {_ADVICE}")
        rows = zip(table["origin"], table["class"], table["file_name"], strict=True)
        return cls(str(table["quiz"].iloc[0]), tuple(QuizCell(*row) for row in rows))
