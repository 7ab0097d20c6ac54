"""The nuclei of a data set as a folder: `nuclei.csv`, a sheet of outlines to check by eye, and what was left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from skimage.segmentation import find_boundaries

from gansynth.cells.nuclei import COLUMNS, nuclei_table
from gansynth.cells.segmentation import CellMasks, segment_cell
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

TILE = 160
"""Edge of a cell on the sheet, in pixels."""

_GAP, _CAPTION = 6, 32
_LETTERS = 27  # of a caption's line
_NUCLEUS, _CELL, _FAILED, _INK = (255, 235, 59), (0, 150, 255), (200, 40, 30), (34, 39, 46)


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
        Called with how many of how many cells are done.

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
            dtype={"file_name": str, "class": str}, encoding_errors="surrogateescape",
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


@dataclass(frozen=True)
class SheetRow:
    """The cells of one class that a sheet shows: positions in the data set."""

    name: str
    good: tuple[int, ...]
    failed: tuple[int, ...]


def sheet_rows(table: pd.DataFrame, good: int, failed: int, seed: int) -> list[SheetRow]:
    """Draw the cells of a sheet at random: so many good and failed cuts of each class.

    Parameters
    ----------
    table : pandas.DataFrame
        As `nuclei_table` returns it.
    good, failed : int
    seed : int
        The same seed gives the same cells.
    """
    rng, rows = np.random.default_rng(seed), []
    for name, some in table.groupby("class", sort=True):
        broken = (some["problem"] != "").to_numpy()
        drawn = [
            tuple(sorted(rng.permutation(some.index.to_numpy()[which])[:n].tolist()))
            for which, n in ((~broken, good), (broken, failed))
        ]
        rows.append(SheetRow(str(name), *drawn))
    return rows


def outlines_sheet(
    dataset: CellDataset,
    table: pd.DataFrame,
    rows: Sequence[SheetRow],
    segmenter: Callable[[NDArray[np.uint8]], CellMasks] = segment_cell,
) -> Image.Image:
    """Show cells with the outlines of nucleus (yellow) and cell (blue); failed cuts are framed red, at the right.

    Parameters
    ----------
    dataset : CellDataset
    table : pandas.DataFrame
        Its `nuclei_table`; captions are taken from it.
    rows : sequence of SheetRow
        At least one.
    segmenter : callable
        The one that made the table.

    Returns
    -------
    PIL.Image.Image
        RGB.
    """
    good, failed = (max(len(getattr(row, kind)) for row in rows) for kind in ("good", "failed"))
    font, small = ImageFont.load_default(size=16), ImageFont.load_default(size=12)
    margin = int(max(font.getlength(row.name) for row in rows)) + 2 * _GAP
    step, height = TILE + _GAP, TILE + _CAPTION + _GAP
    sheet = Image.new(
        "RGB", (margin + (good + failed) * step + (2 * _GAP if failed else 0), len(rows) * height), "white"
    )
    draw = ImageDraw.Draw(sheet)
    for r, row in enumerate(rows):
        top = r * height
        draw.text((margin - _GAP, top + TILE // 2), row.name, fill=_INK, font=font, anchor="rm")
        places = [(k, i) for k, i in enumerate(row.good)] + [(good + k, i) for k, i in enumerate(row.failed)]
        for column, i in places:
            broken = column >= good
            left = margin + column * step + (2 * _GAP if broken else 0)
            image = np.asarray(dataset.images[i])
            sheet.paste(outlined(image, segmenter(image)), (left, top))
            if broken:
                draw.rectangle((left, top, left + TILE - 1, top + TILE - 1), outline=_FAILED, width=2)
            said = str(table["problem"].iloc[i]) if broken else _lobes(float(table["lobes"].iloc[i]))
            said = "\n".join(wrap(said, _LETTERS, max_lines=2, placeholder=" …"))
            draw.multiline_text((left, top + TILE + 1), said, fill=_FAILED if broken else _INK, font=small, spacing=1)
    return sheet


def outlined(image: NDArray[np.uint8], masks: CellMasks, edge: int = TILE) -> Image.Image:
    """Draw the outlines of nucleus and cell around what they hold into an image [3, H, W], brought to `edge` pixels."""
    picture = Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0)))
    pixels = np.asarray(picture.resize((edge, edge), Image.Resampling.BICUBIC)).copy()
    for mask, colour in ((masks.cell, _CELL), (masks.nucleus, _NUCLEUS)):
        soft = Image.fromarray(mask.astype(np.float32)).resize((edge, edge), Image.Resampling.BILINEAR)
        pixels[find_boundaries(np.asarray(soft) >= 0.5, mode="outer")] = colour
    return Image.fromarray(pixels)


def _lobes(n: float) -> str:
    return f"{int(n)} lobe{'' if n == 1 else 's'}"
