"""The key of a quiz: what every cell is. It stays beside the page, and never in it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from gansynth.errors import InputError
from gansynth.files import TableWriter, read_table, shown
from gansynth.files.atomic import write_text

KEY_FILE = "key.csv"
Origin = Literal["real", "synthetic"]
ORIGINS: tuple[Origin, ...] = get_args(Origin)
_COLUMNS = ("quiz", "cell", "origin", "class", "file_name")
_ADVICE = f"give the {KEY_FILE} that `gansynth quiz` wrote, with --key"


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
