"""A data set written anew without some of its images: duplicates (`dedupe`), or what an expert marked (`leave_out`).

Images are links, tables keep the lines of those that stay, and a list says what was left out and why.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gansynth.data.dataset import CellDataset
from gansynth.data.duplicates import find_duplicates
from gansynth.data.opening import METADATA_FILE, open_dataset, refuse_inside
from gansynth.data.split import SPLITS_FILE
from gansynth.data.table_rows import match_rows
from gansynth.errors import InputError
from gansynth.files import is_named, read_table, table_text
from gansynth.files.atomic import link_or_copy, refuse_used, write_text

LEFT_OUT_FILE = "left_out.csv"

COLUMNS = ("file_name", "class", "why", "kept")

ADVICE = "save the marks of `gansynth data review` again"


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
    refuse_used(folder)


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
        link_or_copy(root / path, folder / path)
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


@dataclass(frozen=True)
class Deduped:
    """What `dedupe` left out.

    Attributes
    ----------
    kept : int
    left_out : DataFrame
        `file_name`, `class`, `why` ("exact", "near" or "label"), and `kept`, the image that stays in its stead; ""
        where none does, because the duplicates lie in several classes and at least one label is wrong.
    """

    kept: int
    left_out: pd.DataFrame

    def to_json(self) -> dict[str, Any]:
        """Return how many stayed, and how many did not, by reason."""
        return {"kept": self.kept, "left_out": self.left_out["why"].value_counts().to_dict()}

    def to_text(self) -> str:
        """Say in a few lines what stayed and what did not."""
        why = self.left_out["why"].value_counts()
        lines = [f"{self.kept:,} images kept, {len(self.left_out):,} left out"]
        said = {
            "exact": "with the pixels of one that is kept",
            "near": "nearly one that is kept, perhaps turned or flipped",
            "label": "duplicates of each other in several classes: at least one label is wrong, so none is kept",
        }
        return "\n".join([*lines, *(f"{int(why[name]):>8,} {text}" for name, text in said.items() if name in why)])


def dedupe(data: str | Path, out: str | Path, *, size: int = 128, progress: bool = False) -> Deduped:
    """Write a data set without redundant images, as `write_without` does: `data` stays as it is.

    Parameters
    ----------
    data : path-like
        A folder of images per class.
    out : path-like
        A folder that is not there, or empty.
    size : int
        Edge length in pixels at which near duplicates are looked for.
    progress : bool

    Raises
    ------
    InputError
        As `open_dataset`; if `data` is not a folder; or if `out` holds something or lies inside `data`.
    """
    refuse_out(data, out)
    root = Path(data)
    dataset = open_dataset(root, size=size, progress=progress, splits=False)
    left_out = redundant(dataset, progress)
    kept = write_without(root, Path(out), list(dataset.records["path"]), left_out)
    return Deduped(len(kept), left_out)


def redundant(dataset: CellDataset, progress: bool = False) -> pd.DataFrame:
    """Return which images could be left out, as `Deduped.left_out`.

    Images that belong together, exactly or nearly, also through others, are a group. Its first image by path stays,
    where all are of one class.
    """
    sha256, paths = dataset.records["sha256"].to_numpy(), dataset.records["path"].to_numpy()
    component = find_duplicates(dataset.images, list(sha256), progress=progress).component
    rows = []
    for group in np.flatnonzero(np.bincount(component) > 1):
        mine = np.flatnonzero(component == group)
        mine = mine[np.argsort(paths[mine])]
        one_class = len(set(dataset.labels[mine].tolist())) == 1
        for k in mine[1:] if one_class else mine:
            why = ("exact" if sha256[k] == sha256[mine[0]] else "near") if one_class else "label"
            name = dataset.class_names[dataset.labels[k]]
            rows.append((paths[k], name, why, paths[mine[0]] if one_class else ""))
    return pd.DataFrame(sorted(rows), columns=list(COLUMNS))


@dataclass(frozen=True)
class LeftOut:
    """What `leave_out` left out.

    Attributes
    ----------
    kept : int
    left_out : DataFrame
        `file_name`, `class`, `why` and `marks`, the files that said so.
    """

    kept: int
    left_out: pd.DataFrame

    def to_json(self) -> dict[str, Any]:
        """Return how many stayed, and how many did not, by class."""
        return {"kept": self.kept, "left_out": self.left_out["class"].value_counts().sort_index().to_dict()}

    def to_text(self) -> str:
        """Say in a few lines what stayed and what did not, class by class."""
        lines = [f"{self.kept:,} images kept, {len(self.left_out):,} left out"]
        counts = self.left_out["class"].value_counts().sort_index()
        return "\n".join([*lines, *(f"{int(n):>8,} {name}" for name, n in counts.items())])


def leave_out(
    data: str | Path, marks: Sequence[str | Path], out: str | Path, *, size: int = 128, progress: bool = False
) -> LeftOut:
    """Write a data set without the images that are marked in one of some files, as `write_without` does.

    Parameters
    ----------
    data : path-like
        A folder of images per class; it stays as it is.
    marks : sequence of path-like
        CSV files with a column `file_name`, as the page of `gansynth data review` saves them; one for each expert.
    out : path-like
        A folder that is not there, or empty.
    size : int
        Edge length in pixels at which the images are opened.
    progress : bool
        Show how far decoding is, on standard error.

    Raises
    ------
    InputError
        As `open_dataset`; if a mark names an image that is not there, or a class would be left with no image.
    """
    refuse_out(data, out)
    root = Path(data)
    dataset = open_dataset(root, size=size, progress=progress, splits=False)
    paths = list(dataset.records["path"])
    marked: dict[str, tuple[str, list[str]]] = {}
    for file in marks:
        table = read_table(file, ["file_name"], ADVICE)
        said = table["why"] if "why" in table else [""] * len(table)
        for name, why in zip(table["file_name"], said, strict=True):
            if name not in paths:
                raise InputError(f"{file}: marks '{name}', which is not in {data}; give the data set that was reviewed")
            marked.setdefault(name, (str(why), []))[1].append(Path(file).name)
    names = np.array(dataset.class_names)[dataset.labels]
    class_of = dict(zip(paths, names.tolist(), strict=True))
    emptied = sorted(set(class_of.values()) - {class_of[path] for path in paths if path not in marked})
    if emptied:
        raise InputError(f"{emptied[0]}: every image is marked; a class without images is not a class, keep one")
    rows = [(name, class_of[name], why, ", ".join(files)) for name, (why, files) in sorted(marked.items())]
    left_out = pd.DataFrame(rows, columns=["file_name", "class", "why", "marks"])
    return LeftOut(len(write_without(root, Path(out), paths, left_out)), left_out)
