"""The nuclei of a data set as a folder: `nuclei.csv`, a sheet of outlines, and how many cells were left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gansynth.cells.nuclei import COLUMNS, nuclei_table
from gansynth.cells.nuclei_sheet import outlines_sheet, sheet_rows
from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.files import plain_cell, table_text
from gansynth.files.atomic import whole_file, write_json
from gansynth.metrics.agreement import wilson_interval

TABLE, SHEET, REPORT = "nuclei.csv", "outlines.png", "report.json"
GOOD, FAILED = 6, 2
"""Cells of each class on the sheet: good cuts, and failed ones."""

_CHUNK = 32  # images that one process measures at a time
_MANY = 4  # so many lobes, or more


@dataclass(frozen=True)
class NucleiOfClass:
    """What was measured of one class.

    Attributes
    ----------
    cells, left_out : int
        Images, and those of them without measures.
    lobes : list of int
        Cells with 1, 2, 3, and 4 lobes or more.
    """

    cells: int
    left_out: int
    lobes: list[int]


@dataclass(frozen=True)
class NucleiReport:
    """What was measured.

    Attributes
    ----------
    out : pathlib.Path
    classes : dict of str to NucleiOfClass
    problems : dict of str to int
        Why cells were left out, and how many: cuts that failed, platelets; the most frequent first.
    by_lobes : (int, int)
        Mature white cells that their lobes call rightly a granulocyte or an agranulocyte, and all of them that were
        cut.
    """

    out: Path
    classes: dict[str, NucleiOfClass]
    problems: dict[str, int]
    by_lobes: tuple[int, int]

    @property
    def cells(self) -> int:
        """Images that were measured."""
        return sum(one.cells for one in self.classes.values())

    @property
    def left_out(self) -> int:
        """Images without measures."""
        return sum(self.problems.values())

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain values."""
        right, asked = self.by_lobes
        return {
            "cells": self.cells,
            "left_out": self.left_out,
            "problems": self.problems,
            "classes": {name: asdict(one) for name, one in self.classes.items()},
            "granulation_by_lobes": {"right": right, "n": asked, "interval": _interval(right, asked)},
        }

    def to_text(self) -> str:
        """Return the report as readable lines."""
        width = max(len("class"), *map(len, self.classes))
        heads = ("cells", "left out", "1 lobe", "2", "3", f"{_MANY} or more")
        lines = [" ".join(["class".ljust(width), *(head.rjust(9) for head in heads)])]
        for name, one in self.classes.items():
            cut = max(one.cells - one.left_out, 1)
            cells = [
                f"{one.cells:,}",
                f"{one.left_out:,}",
                *(f"{n / cut:.0%}" if any(one.lobes) else "-" for n in one.lobes),
            ]
            lines.append(" ".join([name.ljust(width), *(cell.rjust(9) for cell in cells)]))
        lines.append(f"{self.left_out:,} of {self.cells:,} cells left out" + (":" if self.problems else ""))
        lines += [f"{n:>7,}  {problem}" for problem, n in self.problems.items()]
        right, asked = self.by_lobes
        if asked:
            low, high = wilson_interval(right, asked).tolist()
            lines.append(
                f"granulocyte where there are two lobes or more (alkrimi2023): right for {right / asked:.1%} "
                f"({low:.1%} to {high:.1%}) of {asked:,} mature white cells"
            )
        return "\n".join(lines)


def write_nuclei(
    dataset: CellDataset,
    out: Path,
    *,
    seed: int = 0,
    jobs: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> NucleiReport:
    """Measure every cell of a data set, and write `nuclei.csv`, `outlines.png` and `report.json` into a folder.

    Parameters
    ----------
    dataset : CellDataset
        Images of at least 16 pixels.
    out : pathlib.Path
        Earlier files of these names in it are replaced.
    seed : int
        Of the cells on the sheet.
    jobs : int, optional
        Processes. Default: as many as there are cores. The table is the same for any number.
    progress : callable
        Told how many of how many cells are done.

    Returns
    -------
    NucleiReport

    Raises
    ------
    ValueError
        If an image is smaller.
    """
    table = _table(dataset, -1 if jobs is None else jobs, progress)
    with whole_file(out / TABLE) as temporary:
        temporary.write_text(table_text(table, "%.5g"), encoding="utf-8", errors="surrogateescape", newline="")
    with whole_file(out / SHEET) as temporary:
        outlines_sheet(dataset, table, sheet_rows(table, GOOD, FAILED, seed)).save(temporary, format="PNG")
    report = _report(table, out, dataset.class_names)
    write_json(out / REPORT, report.to_json())
    return report


def read_nuclei(out: Path) -> NucleiReport:
    """Return the report of a folder that `write_nuclei` wrote.

    Raises
    ------
    InputError
        If there is none, or its table is another one.
    """
    try:
        table = pd.read_csv(
            out / TABLE, keep_default_na=False, na_values={name: [""] for name in COLUMNS},
            encoding_errors="surrogateescape",
        )  # fmt: skip
        table["class"] = table["class"].map(plain_cell)
        return _report(table, out, tuple(sorted(set(table["class"]))))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{out / TABLE}: is not a table of nuclei; write it with `gansynth data nuclei`") from error


def _table(dataset: CellDataset, jobs: int, progress: Callable[[int, int], None]) -> pd.DataFrame:
    from joblib import Parallel, delayed

    n = len(dataset)
    parts = [np.arange(start, min(start + _CHUNK, n)) for start in range(0, n, _CHUNK)]
    run = Parallel(n_jobs=1 if len(parts) == 1 else jobs, return_as="generator")
    found, done = [], 0
    for part in run(delayed(nuclei_table)(dataset.select(rows)) for rows in parts):
        found.append(part)
        done += len(part)
        progress(done, n)
    return pd.concat(found, ignore_index=True)


def _report(table: pd.DataFrame, out: Path, class_names: tuple[str, ...]) -> NucleiReport:
    classes = {}
    for name in class_names:
        mine = table[table["class"] == name]
        lobes = np.minimum(mine["lobes"].dropna().astype(int), _MANY)
        classes[name] = NucleiOfClass(
            cells=len(mine),
            left_out=int((mine["problem"] != "").sum()),
            lobes=[int((lobes == k).sum()) for k in range(1, _MANY + 1)],
        )
    problems = table.loc[table["problem"] != "", "problem"].value_counts()
    known = table[(table["granulation"] != "") & (table["problem"] == "")]
    right = int((known["granulation"] == known["granulation_by_lobes"]).sum())
    return NucleiReport(out, classes, {str(k): int(v) for k, v in problems.items()}, (right, len(known)))


def _interval(right: int, asked: int) -> list[float] | None:
    return [float(end) for end in wilson_interval(right, asked)] if asked else None
