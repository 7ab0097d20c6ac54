"""A data set written anew without some of its images: links, lines of its tables, and a list of what was left out."""

from __future__ import annotations

import csv
import io
import os
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from gansynth.data.opening import METADATA_FILE, refuse_inside
from gansynth.data.split import SPLITS_FILE
from gansynth.errors import InputError
from gansynth.files import plain_cell, table_text
from gansynth.files.atomic import write_text

LEFT_OUT_FILE = "left_out.csv"


def refuse_out(data: str | Path, out: str | Path) -> None:
    """Refuse a data set that is not a folder, and a folder that holds something or lies in it.

    Raises
    ------
    InputError
        In these cases.
    """
    root, folder = Path(data), Path(out)
    if not root.is_dir():
        raise InputError(f"{data}: is not a folder; give one with a folder of images per class")
    refuse_inside(root, folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{out}: is there already and not empty; choose another folder")


def write_without(root: Path, folder: Path, paths: Sequence[str], left_out: pd.DataFrame) -> list[str]:
    """Write a data set without some of its images, and return the paths of those that are kept.

    Images are hard-linked where the file system allows it, else copied; their paths and bytes are unchanged, and `root`
    stays as it is. ``metadata.csv`` and ``splits.csv`` come along with the lines of the images that are kept;
    ``left_out.csv`` has a line for each that is not. An image that is put back from `root` under its path is in again.

    Parameters
    ----------
    root, folder : Path
        From where and to where.
    paths : sequence of str
        Of all images, below `root`.
    left_out : DataFrame
        `file_name`, and what else is to be said of each.

    Raises
    ------
    InputError
        If a table beside the classes cannot be read.
    """
    out = set(left_out["file_name"])
    kept = [path for path in paths if path not in out]
    for path in kept:
        _link(root / path, folder / path)
    for table in (METADATA_FILE, SPLITS_FILE):
        if (root / table).is_file():
            write_text(folder / table, _lines_of(root / table, set(kept)))
    write_text(folder / LEFT_OUT_FILE, table_text(left_out))
    return kept


def _lines_of(table: Path, kept: set[str]) -> str:
    """Return a CSV table's header and the lines of some images, as they are."""
    try:
        lines = list(csv.reader(io.StringIO(table.read_text(encoding="utf-8-sig"))))
        at = lines[0].index("file_name")
        own = [line for line in lines[1:] if line and PurePosixPath(plain_cell(line[at])).as_posix() in kept]
    except (OSError, ValueError, IndexError):
        raise InputError(f"{table}: not a readable CSV table with a column 'file_name'; correct or remove it") from None
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([lines[0], *own])
    return text.getvalue()


def _link(file: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file.resolve(), place)
    except OSError:
        shutil.copy2(file, place)
