"""What a study writes into its folder and reads back; its result shows itself in a notebook, too."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, TypeVar

import pandas as pd

from gansynth.errors import InputError
from gansynth.files import is_named, read_json
from gansynth.files.atomic import write_json
from gansynth.files.json_object import JsonObject

T = TypeVar("T", bound="StudyFile")
A = TypeVar("A", bound="Asked")


class StudyFile(JsonObject):
    """What a study keeps as one JSON file in its folder.

    Attributes
    ----------
    FILE : str
        Its name.
    COMMAND : str
        What writes such a file, such as ``gansynth sweep``; messages name it.
    """

    FILE: ClassVar[str]
    COMMAND: ClassVar[str]

    @classmethod
    def file_of(cls, folder: Path | str) -> Path:
        """Return the file of a folder."""
        return Path(folder) / cls.FILE

    @classmethod
    def is_in(cls, folder: Path | str) -> bool:
        """Return whether a folder has such a file."""
        return is_named(cls.file_of(folder))

    @classmethod
    def read(cls: type[T], folder: Path | str) -> T:
        """Read what `write` wrote.

        Raises
        ------
        InputError
            If there is no such file, it was cut off, or something else wrote it.
        """
        file = cls.file_of(folder)
        if not is_named(file):
            raise InputError(f"{file}: no such file; write it with `{cls.COMMAND}`")
        try:
            return cls.from_json(read_json(file))
        except InputError as error:
            raise InputError(f"{error}; write it again with `{cls.COMMAND}`") from error
        except (TypeError, ValueError, ArithmeticError) as error:
            raise InputError(f"{file}: is not what `{cls.COMMAND}` writes ({error}); write it again") from error

    def write(self, folder: Path | str) -> None:
        """Write the file."""
        write_json(self.file_of(folder), self.to_json())


class Asked(StudyFile):
    """What is asked of a study, written down before its first training: a folder goes on with nothing else.

    Attributes
    ----------
    WHAT : str
        The study, in messages.
    MAY_GROW : tuple of str
        Keys that may differ when it goes on.
    BEFORE : tuple of str
        What may lie in a folder that has no such file yet: an interrupted beginning leaves it.
    """

    WHAT: ClassVar[str]
    MAY_GROW: ClassVar[tuple[str, ...]] = ()
    BEFORE: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def held_in(cls: type[A], out: Path, resume: bool) -> A | None:
        """Return what a folder goes on with; None for a new one.

        Raises
        ------
        InputError
            If the folder holds something else, or this and nobody said that it goes on.
        """
        if cls.is_in(out):
            if not resume:
                raise InputError(f"{out}: already holds a {cls.WHAT}; continue it with --resume, or give another --out")
            return cls.read(out)
        there = [path.name for path in out.iterdir()] if out.is_dir() else []
        if out.is_file() or any(not name.startswith(".") and name not in cls.BEFORE for name in there):
            raise InputError(f"{out}: is not empty and holds no {cls.WHAT}; give another --out")
        return None

    def refuse_another(self, held: Asked, out: Path) -> None:
        """Refuse (InputError) to go on with a folder that holds something else."""
        mine, theirs = self.to_json(), held.to_json()
        other = [key for key in mine if key not in self.MAY_GROW and mine[key] != theirs[key]]
        if other:
            raise InputError(
                f"{out}: holds a {self.WHAT} with another {', '.join(other)}; give the same, or another --out"
            )


class Result(StudyFile, ABC):
    """A result that shows itself: a line for `repr`, a table in a notebook."""

    FILE = "results.json"

    @abstractmethod
    def frame(self) -> pd.DataFrame:
        """Return the result as a tidy table."""

    def _repr_html_(self) -> str:
        table = self.frame().to_html(index=False, na_rep="–", float_format="{:.4g}".format)
        return f"<p>{html.escape(repr(self))}</p>{table}"
