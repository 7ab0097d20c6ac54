"""Which image a row of `metadata.csv` or `splits.csv` is about, however its path is spelled."""

from __future__ import annotations

import os
import posixpath
import unicodedata
import warnings
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gansynth.errors import InputError
from gansynth.files import is_named, shown

UNMATCHED_VARIABLE = "GANSYNTH_UNMATCHED"
UNMATCHED = ("refuse", "ignore")


def chosen_unmatched(unmatched: str | None) -> str:
    """Return what becomes of a table that does not fit its images: "refuse", or "ignore" where that was asked for.

    Parameters
    ----------
    unmatched : {"refuse", "ignore"} or None
        None takes the environment's `GANSYNTH_UNMATCHED`, else "refuse".
    """
    chosen = unmatched or os.environ.get(UNMATCHED_VARIABLE) or UNMATCHED[0]
    if chosen not in UNMATCHED:
        raise InputError(f"unmatched rows '{chosen}': choose one of {', '.join(UNMATCHED)}")
    return chosen


_OTHER_SUFFIXES = frozenset({".csv", ".tsv", ".xlsx", ".xls", ".ods", ".jsonl", ".parquet"})


def has_table(root: Path, name: str, unmatched: str | None = None) -> bool:
    """Return whether a data set has a table of this name; refuse one that is called nearly so.

    `Splits.csv`, `splits.csv.csv` or `metadata.xlsx` was put there by somebody who takes it to be read.

    Parameters
    ----------
    root : pathlib.Path
    name : str
        "metadata.csv" or "splits.csv".
    unmatched : {"refuse", "ignore"}, optional
        "ignore" goes on without, with a warning; see `chosen_unmatched`. Where "refuse" is given nothing else can be
        asked for.

    Raises
    ------
    InputError
        With what it is called, and what it should be.
    """
    if is_named(root / name):
        return True
    stem = name.partition(".")[0]
    near = [entry for entry in sorted(os.listdir(root)) if _is_nearly(entry.lower(), stem)]
    if near:
        what = f"{shown(root / near[0])}: is not read, since it is not called {name}"
        if chosen_unmatched(unmatched) == "refuse":
            without = "" if unmatched == "refuse" else ", or go on without it with `gansynth --unmatched ignore ...`"
            raise InputError(f"{what}; save it as CSV under this name, or take it out of the folder{without}")
        warnings.warn(f"{what}; gone on without, as asked for", stacklevel=3)
    return False


def _is_nearly(entry: str, stem: str) -> bool:
    first, _, rest = entry.partition(".")
    return first.strip() == stem and f".{rest.rpartition('.')[2].strip()}" in _OTHER_SUFFIXES and "previous" not in rest


@dataclass
class MatchedRows:
    """Rows of a table and the images they are about.

    Attributes
    ----------
    row : int64 array, shape [N]
        Of each image, the position of its row; -1 where it has none.
    unknown : list of str
        What the table names that is not there.
    ambiguous : list of str
        What the table names that several images are called.
    missing : list of str
        Images without a row.
    """

    row: NDArray[np.int64]
    unknown: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """Return one clause for each way in which the table does not fit the images; none where it fits."""
        found = []
        if self.unknown:
            are = "is" if len(self.unknown) == 1 else "are"
            found.append(f"names {_counted(self.unknown, 'file')} that {are} not there, such as '{self.unknown[0]}'")
        if self.ambiguous:
            found.append(
                f"has {_counted(self.ambiguous, 'row')} that may mean several images, such as '{self.ambiguous[0]}' "
                "(write the class folder before the name)"
            )
        if self.missing:
            found.append(f"misses {len(self.missing):,} of {len(self.row):,} images, such as '{self.missing[0]}'")
        return found


def match_rows(table: pd.DataFrame, paths: Sequence[str], others: Collection[str] = ()) -> MatchedRows:
    """Find the image that each row of a table is about.

    All spellings of one path are one path: with backslashes, a leading `./` or `/`, folders before the data set's own
    (an absolute path, the folder's name), composed or decomposed accents. A name without its class folder counts
    where only one image is called so, or where the column `class` says which.

    Parameters
    ----------
    table : pandas.DataFrame
        With a column `file_name`, perhaps with `class`.
    paths : sequence of str
        The images, relative to the data set's folder, with "/".
    others : collection of str
        Files that may be named although they are not images.

    Raises
    ------
    InputError
        If two rows are about one image; the sentence begins with a verb, for the file's name to stand before it.
    """
    index = _Index(paths)
    allowed = {*others, *map(_plain, others)}
    found = MatchedRows(np.full(len(paths), -1, np.int64))
    classes = table["class"] if "class" in table.columns else [""] * len(table)
    for row, (name, class_name) in enumerate(zip(table["file_name"], classes, strict=True)):
        positions = index.positions(name, class_name)
        if len(positions) == 1:
            position = positions[0]
            if found.row[position] >= 0:
                before = table["file_name"].iloc[found.row[position]]
                also = "" if before == name else f" (also as '{before}')"
                raise InputError(f"names '{name}' twice{also}")
            found.row[position] = row
        elif positions:
            found.ambiguous.append(name)
        elif name not in allowed and _plain(name) not in allowed:
            found.unknown.append(name)
    found.missing = [paths[k] for k in np.flatnonzero(found.row < 0).tolist()]
    return found


def refuse_unmatched(found: MatchedRows, file: Path, unmatched: str | None, advice: str) -> None:
    """Refuse a table that does not fit its images, or warn where going on was asked for.

    Raises
    ------
    InputError
        With the counts.
    """
    problems = found.problems()
    if not problems:
        return
    what = f"{shown(file)}: {', and '.join(problems)}"
    if chosen_unmatched(unmatched) == "refuse":
        raise InputError(f"{what}; {advice}")
    warnings.warn(f"{what}; gone on without, as asked for", stacklevel=4)


class _Index:
    """The images by everything that a row may call them."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._given = paths
        self._exact = {path: k for k, path in enumerate(paths)}

    # Most tables spell paths as the folders do; only others need these, which take more memory than all else.
    @cached_property
    def _paths(self) -> list[str]:
        return [_plain(path) for path in self._given]

    @cached_property
    def _plain(self) -> dict[str, list[int]]:
        return _positions(self._paths)

    @cached_property
    def _names(self) -> dict[str, list[int]]:
        return _positions(path.rsplit("/", 1)[-1] for path in self._paths)

    def positions(self, name: str, class_name: str) -> list[int]:
        if name in self._exact:
            return [self._exact[name]]
        plain = _plain(name)
        parts = plain.split("/")
        for k in range(len(parts) - 1):  # folders above the data set's own may stand before
            known = self._plain.get("/".join(parts[k:]))
            if known:
                return known
        known = self._plain.get(plain, [])
        if not known and parts[0] != "..":
            known = [k for k in self._names.get(parts[-1], []) if f"/{self._paths[k]}".endswith(f"/{plain}")]
        if len(known) > 1 and class_name:
            home = f"{_plain(class_name)}/"
            known = [k for k in known if self._paths[k].startswith(home)] or known
        return known


def _positions(names: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for k, name in enumerate(names):
        found.setdefault(name, []).append(k)
    return found


def _plain(path: str) -> str:
    """Return the one spelling of a path."""
    return posixpath.normpath(unicodedata.normalize("NFC", path.strip()).replace("\\", "/").lstrip("/") or ".")


def _counted(names: Sequence[str], what: str) -> str:
    return f"{len(names):,} {what}{'s' * (len(names) > 1)}"
