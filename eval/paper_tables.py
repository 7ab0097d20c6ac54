"""The tables of the five papers, theirs beside ours: read from `paper_tables.yaml` and the kept results."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from gansynth.errors import InputError
from kept_results import RESULTS

TABLES = Path(__file__).parent / "paper_tables.yaml"
VERDICTS = ("holds", "in part", "not shown", "no", "not tested", "a setting")
"""What is said of a paper's conclusion; "not shown": our test does not distinguish it from chance."""

_NUMBER = r"[−+-]?\d[\d,]*(?:\.\d+)?"
_VALUE = re.compile(
    rf"\**(?P<value>{_NUMBER})%?(?: ± (?P<spread>[\d.]+))?"
    rf"(?: \((?P<low>{_NUMBER})(?:-| to )(?P<high>{_NUMBER})\))?"
)


@dataclass(frozen=True)
class Value:
    """A number as a table prints it, with its 95% interval where there is one."""

    text: str

    @cached_property
    def _found(self) -> re.Match[str] | None:
        return _VALUE.match(self.text)

    @property
    def number(self) -> float | None:
        """The number itself; None where the table has none."""
        return _float(self._found["value"]) if self._found else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its ends; None where there are none."""
        if not self._found or self._found["low"] is None:
            return None
        return _float(self._found["low"]), _float(self._found["high"])

    @property
    def decimals(self) -> int:
        """Digits behind the point."""
        return len(self._found["value"].partition(".")[2]) if self._found else 0


def less(ours: Value, theirs: Value) -> str:
    """Return ours minus theirs with its interval, which knows our uncertainty only: papers give none.

    Examples
    --------
    >>> less(Value("74.2 (73.3-75.1)"), Value("89.11"))
    '−14.9 (−15.8 to −14.0)'
    """
    if ours.number is None or theirs.number is None:
        return "-"
    at = ours.number - theirs.number
    ends = ""
    if ours.interval is not None:
        low, high = (end - theirs.number for end in ours.interval)
        ends = f" ({_signed(low, ours.decimals)} to {_signed(high, ours.decimals)})"
    return f"{_signed(at, ours.decimals)}{ends}"


@dataclass(frozen=True)
class Pair:
    """One number of a paper beside ours."""

    what: str
    theirs: Value
    ours: Value

    @property
    def difference(self) -> str:
        """Ours minus theirs."""
        return less(self.ours, self.theirs)


@dataclass(frozen=True)
class PaperTable:
    """A table of a paper, and what became of it here.

    Attributes
    ----------
    paper, number, asks : str
    holds : str
        Of `VERDICTS`.
    sentence : str
        Does the paper's conclusion hold here? For a setting: where it is found.
    headline : Pair or None
        What a reader sees first.
    tested : (str, str) or None
        What was tested, and the difference with its interval.
    pairs : tuple of Pair
        Every number that has ours beside it.
    alone : tuple of str
        Rows of the paper that have none.
    changed : str
        Size, weights, budget.
    open : str
        Why it is not whole; "" where it is.
    kept : str
        Folder in eval/results; "" for a setting.
    """

    paper: str
    number: str
    asks: str
    holds: str
    sentence: str
    headline: Pair | None = None
    tested: tuple[str, str] | None = None
    pairs: tuple[Pair, ...] = ()
    alone: tuple[str, ...] = ()
    changed: str = ""
    open: str = ""
    kept: str = ""

    @property
    def name(self) -> str:
        """Such as "hazra2022, table 6"."""
        return f"{self.paper}, table {self.number}"


@dataclass(frozen=True)
class Paper:
    """A paper and its tables, by their numbers."""

    name: str
    title: str
    tables: tuple[PaperTable, ...]


def read_papers(tables: Path = TABLES, results: Path = RESULTS) -> list[Paper]:
    """Return every table of every paper in the order of its number, with ours from the kept results.

    Raises
    ------
    InputError
        If a kept result lacks a table, a row or a column that is asked for.
    """
    said = yaml.safe_load(tables.read_text(encoding="utf-8"))
    return [
        Paper(
            name,
            one["title"],
            tuple(
                _table(name, number, entry, said["changed"], results)
                for number, entry in sorted(one["tables"].items(), key=lambda pair: int(pair[0]))
            ),
        )
        for name, one in said["papers"].items()
    ]


def _table(paper: str, number: str, said: Mapping[str, Any], changed: Mapping[str, str], results: Path) -> PaperTable:
    if "setting" in said:
        return PaperTable(paper, number, said["asks"], "a setting", said["setting"])
    source = _Source(results, said)
    pairs, alone = source.pairs()
    headline = source.headline(said["headline"])
    tested = (said["tested"]["says"], source.text(said["tested"])) if "tested" in said else None
    cited = {name: source.text(where) for name, where in said.get("cites", {}).items()}
    sentence = said["sentence"].format(
        theirs=headline.theirs.text, ours=headline.ours.text, tested=tested[1] if tested else "", **cited
    )
    if said["holds"] not in VERDICTS:
        raise InputError(f"{TABLES.name}: {paper}, table {number}: holds is one of {', '.join(VERDICTS)}")
    return PaperTable(
        paper, number, said["asks"], said["holds"], sentence, headline, tested, pairs, alone,
        changed[said["kept"]], said.get("open", ""), said["kept"],
    )  # fmt: skip


class _Source:
    """The kept table of one of the paper's."""

    def __init__(self, results: Path, said: Mapping[str, Any]) -> None:
        self.results, self.said = results, said
        self.keys: int = said.get("keys", 1)
        self.columns: Sequence[str] | None = said.get("ours")

    @cached_property
    def table(self) -> Grid:
        return self.grids(self.said)[self.said.get("nth", 0)]

    def grids(self, where: Mapping[str, Any]) -> list[Grid]:
        """Return the tables of a section of a kept result; by default of this one."""
        kept, section = where.get("kept", self.said["kept"]), where.get("section", self.said["section"])
        return section_grids(self.results / kept / "tables.md", section)

    def pairs(self) -> tuple[tuple[Pair, ...], tuple[str, ...]]:
        """Return every number that has ours beside it, and the names of the paper's rows that have none."""
        made: list[Pair] = []
        alone: list[str] = []
        for row in self.table.rows:
            if row[0] not in self.said.get("rows", row):
                continue
            name = ", ".join(row[: self.keys])
            found = [
                Pair(f"{name}: {column}", theirs, ours)
                for column, theirs, ours in self._beside(row)
                if ours.number is not None
            ]
            made += found
            if not found and any(theirs.number is not None for _, theirs, _ in self._beside(row)):
                alone.append(name)
        return tuple(made), tuple(dict.fromkeys(alone))

    def _beside(self, row: Sequence[str]) -> list[tuple[str, Value, Value]]:
        named = list(zip(self.table.head, row, strict=True))[self.keys :]
        if self.columns is not None:
            theirs = Value(dict(named)[self.said["paper"]])
            return [(column, theirs, Value(cell)) for column, cell in named if column in self.columns]
        return [(column, *map(Value, cell.split(" / "))) for column, cell in named if cell.count(" / ") == 1]

    def headline(self, said: Mapping[str, Any]) -> Pair:
        """Return the number that a reader sees first."""
        theirs, ours = (said.get(side, said.get("row")) for side in ("theirs", "ours"))
        what = f"{', '.join(ours)}: {said['column']}"
        if self.columns is not None:
            return Pair(
                what,
                Value(self.table.cell(theirs, self.said["paper"])),
                Value(self.table.cell(ours, said["column"])),
            )
        first = self.table.cell(theirs, said["column"]).split(" / ")[0]
        return Pair(what, Value(first), Value(self.table.cell(ours, said["column"]).split(" / ")[1]))

    def text(self, where: Mapping[str, Any]) -> str:
        """Return a cell of any kept table, or one side of it."""
        for grid in [self.table, *self.grids(where)] if "section" not in where else self.grids(where):
            if grid.has(where["row"], where["column"]):
                cell = grid.cell(where["row"], where["column"])
                side = where.get("side", "whole")
                return cell if side == "whole" else cell.split(" / ")[{"theirs": 0, "ours": 1}[side]]
        raise InputError(f"{TABLES.name}: no kept table has a row {where['row']} with a column '{where['column']}'")


@dataclass(frozen=True)
class Grid:
    """A Markdown table."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def has(self, row: Sequence[str], column: str) -> bool:
        """Whether there is a row that begins so, and such a column."""
        return column in self.head and any(list(one[: len(row)]) == list(row) for one in self.rows)

    def cell(self, row: Sequence[str], column: str) -> str:
        """Return the cell of the first row that begins with `row`.

        Raises
        ------
        InputError
            If there is no such row or column.
        """
        if not self.has(row, column):
            raise InputError(f"{TABLES.name}: no row {list(row)} with a column '{column}' under {list(self.head)}")
        return next(one for one in self.rows if list(one[: len(row)]) == list(row))[self.head.index(column)]


def section_grids(file: Path, section: str) -> list[Grid]:
    """Return the tables of the first section of a Markdown file whose heading begins with `section`.

    Raises
    ------
    InputError
        If there is no such section, or no table in it.
    """
    found: list[list[list[str]]] = []
    inside = before = False
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            if inside:
                break
            inside = re.match(re.escape(section) + r"(?!\d)", line[3:]) is not None
        elif inside and line.startswith("|"):
            if not before:
                found.append([])
            found[-1].append([cell.strip() for cell in line.strip().strip("|").split("|")])
        before = line.startswith("|")
    if not found:
        raise InputError(f"{file}: has no section '{section}' with a table")
    return [Grid(tuple(head), tuple(map(tuple, rows))) for head, _, *rows in found]


def _float(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def _signed(value: float, decimals: int) -> str:
    rounded = f"{value:+.{decimals}f}".replace("-", "−")
    return rounded[1:] if not any(digit in rounded for digit in "123456789") else rounded
