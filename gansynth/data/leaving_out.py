"""A data set written anew without some of its images: links, lines of its tables, and a list of what was left out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from gansynth.data.opening import METADATA_FILE, refuse_inside
from gansynth.data.split import SPLITS_FILE
from gansynth.data.table_rows import match_rows
from gansynth.errors import InputError
from gansynth.files import is_named, read_table, table_text
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
    tables = {
        table: _rows_of(root / table, paths, set(kept))
        for table in (METADATA_FILE, SPLITS_FILE)
        if is_named(root / table)
    }
    for path in kept:
        _link(root / path, folder / path)
    for table, rows in tables.items():
        write_text(folder / table, table_text(rows))
    write_text(folder / LEFT_OUT_FILE, table_text(left_out))
    return kept


def _rows_of(table: Path, paths: Sequence[str], kept: Collection[str]) -> pd.DataFrame:
    """Return the rows of a CSV table that are about some images, in its order, however it spells their paths."""
    found = read_table(table, ("file_name",), "correct or remove it")
    row = match_rows(found, paths).row
    mine = [k for k, path in zip(row.tolist(), paths, strict=True) if k >= 0 and path in kept]
    return found.iloc[sorted(mine)]


def _link(file: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file.resolve(), place)
    except OSError:
        shutil.copy2(file, place)
