"""CSV tables as people and programs write them, within limits; every cell is text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TextIO

from gansynth.errors import InputError
from gansynth.files.names import plain_cell, shown, spreadsheet_cell
from gansynth.files.text import read_text

if TYPE_CHECKING:
    import pandas as pd

MOST_BYTES = 512_000_000
"""A million images with 500 characters about each."""
MOST_COLUMNS = 200
_DELIMITERS = (",", ";", "\t")
_LINE_END = re.compile(r"\r\n?|\n")
_OFTEN = 1000
"""Different cells of a column that are looked for again."""


def read_table(path: str | Path, needs: Sequence[str], advice: str) -> pd.DataFrame:
    """Return a CSV table with a header, every cell as text.

    Cells are divided by commas, semicolons or tabs, whichever makes the header hold what is needed. Blanks around
    column names, empty lines and a byte-order mark do not count; the mark before a formula (`spreadsheet_cell`) is
    taken away.

    Parameters
    ----------
    path : path-like
    needs : sequence of str
        Columns that must be there.
    advice : str
        What to do about a table that cannot be used; the end of the sentence.

    Returns
    -------
    pandas.DataFrame
        In the file's order.

    Raises
    ------
    NoSuchFile, InputError
        If the file cannot be read as UTF-8 text, a column is missing or there twice, or a row has another number of
        cells than the header; with the line.
    """
    import pandas as pd  # slow to load, and most that read a file read no table

    where = shown(path)
    text = read_text(path, MOST_BYTES)
    header_line = next((line for line in _lines(text) if line.strip()), "").strip("\r\n")
    if not header_line:
        raise InputError(f"{where}: is empty; {advice}")
    if max(header_line.count(delimiter) for delimiter in _DELIMITERS) >= MOST_COLUMNS:
        raise InputError(f"{where}: has more than {MOST_COLUMNS} columns; {advice}")
    delimiter = _delimiter(header_line, needs)
    if delimiter is None:
        columns = " and ".join(f"'{name}'" for name in needs)
        raise InputError(
            f"{where}: needs the column{'s' * (len(needs) > 1)} {columns}, and its first line is "
            f"'{_shortened(header_line)}'; {advice}"
        )
    rows = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    names: list[str] = []
    found: list[_Column] = []
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if not names:
                names = _names(row, where, advice)
                found = [_Column() for _ in names]
            else:
                cells = _fitted(row, len(names), f"{where}, line {rows.line_num}", advice)
                for column, cell in zip(found, cells, strict=True):
                    column.add(plain_cell(cell))
    except csv.Error as error:
        raise InputError(f"{where}, line {rows.line_num}: not a CSV table ({error}); {advice}") from None
    return pd.DataFrame(
        {name: pd.Series(column.cells, dtype=object) for name, column in zip(names, found, strict=True)},
        columns=names,
    )


def table_text(table: pd.DataFrame, float_format: str | None = None) -> str:
    """Return a table as CSV text in which no name is taken for a formula (`spreadsheet_cell`); `read_table` reads it.

    Parameters
    ----------
    table : pandas.DataFrame
        Without its index.
    float_format : str, optional
        Such as ``"%.6g"``.
    """
    marked = table.map(lambda cell: spreadsheet_cell(cell) if isinstance(cell, str) else cell)
    # A carriage return ends a line for whoever reads, and Python's csv does not quote it.
    returns = bool(marked.map(lambda cell: isinstance(cell, str) and "\r" in cell).to_numpy().any())
    quoting: Literal[0, 2] = 2 if returns else 0  # csv.QUOTE_NONNUMERIC, csv.QUOTE_MINIMAL
    return marked.to_csv(index=False, lineterminator="\n", float_format=float_format, quoting=quoting)


class TableWriter:
    """Write a CSV table row by row, as `table_text` does at once: for one that memory shall not hold.

    Parameters
    ----------
    file : text file
        Opened with ``newline=""``.

    Examples
    --------
    >>> text = io.StringIO()
    >>> TableWriter(text).write(["=1+1", 0.5, None])
    >>> text.getvalue()
    "'=1+1,0.5,\\n"
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._line = io.StringIO()
        # A character of the terminator is quoted, so that no cell ends a line with either of the two.
        self._csv = csv.writer(self._line, lineterminator="\r\n")

    def write(self, cells: Iterable[object]) -> None:
        """Write one row; what is not text is written as Python writes it, None as nothing."""
        self._csv.writerow([spreadsheet_cell(cell) if isinstance(cell, str) else cell for cell in cells])
        self._file.write(self._line.getvalue()[:-2] + "\n")
        self._line.seek(0)
        self._line.truncate()


class _Column:
    """Cells of a column; what is often there (a class, a part of the split) is in memory once."""

    def __init__(self) -> None:
        self.cells: list[str] = []
        self._known: dict[str, str] = {}

    def add(self, cell: str) -> None:
        if len(self._known) < _OFTEN:
            self._known.setdefault(cell, cell)
        self.cells.append(self._known.get(cell, cell))


def _lines(text: str) -> Iterator[str]:
    """Give line after line with its end; of the text of a million images there is no second copy."""
    start = 0
    for end in _LINE_END.finditer(text):
        yield text[start : end.end()]
        start = end.end()
    if start < len(text):
        yield text[start:]


def _delimiter(header: str, needs: Sequence[str]) -> str | None:
    for delimiter in _DELIMITERS:
        try:
            found = {name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])}
        except csv.Error:
            continue
        if set(needs) <= found:
            return delimiter
    return None


def _names(row: list[str], where: str, advice: str) -> list[str]:
    names = [name.strip() for name in row]
    while names and not names[-1]:
        names.pop()
    twice = [name for k, name in enumerate(names) if name in names[:k]]
    if twice:
        raise InputError(f"{where}: has two columns '{_shortened(twice[0])}'; {advice}")
    return names


def _fitted(row: list[str], n: int, where: str, advice: str) -> list[str]:
    if len(row) < n or any(cell.strip() for cell in row[n:]):
        raise InputError(f"{where}: {len(row)} cells under a header of {n}; {advice}")
    return row[:n]


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
