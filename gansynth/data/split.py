"""Training, validation and test split: stratified, seeded, and without a leak."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gansynth.data.dataset import CellDataset
from gansynth.data.table_rows import has_table, match_rows
from gansynth.data.units import assign_units, counts_of_units, inseparable_units, warn_of_patients
from gansynth.errors import InputError
from gansynth.files import is_named, read_table, shown, table_text
from gansynth.files.atomic import write_text

SPLITS_FILE = "splits.csv"
SPLITS = ("train", "val", "test")


def split_dataset(
    dataset: CellDataset,
    *,
    test: float = 0.2,
    val: float = 0.1,
    seed: int = 0,
    groups: str = "group",
    seen: Collection[str] = (),
    progress: bool = False,
) -> CellDataset:
    """Split a data set into train, val and test.

    Images that share a group (a patient, a slide), and exact or near duplicates, always come into the
    same part. Each class is divided in the wanted proportions as closely as that allows; a class of
    three or more images keeps at least one for testing. Synthetic images and those that were `seen` go to training,
    and so does every image that shares a group or a picture with one.

    Parameters
    ----------
    dataset : CellDataset
    test, val : float
        Shares of each class, 0 or more, together less than 1.
    seed : int
        The same seed gives the same split.
    groups : str
        Column of the records that names the group; an empty cell means no group.
    seen : collection of str
        sha256 of images that a generator has learned from (`Run.training_sha256`): it is to be trained on, or used to
        balance, and so they may not be tested on.
    progress : bool
        Show how far the search for duplicates is, on standard error.

    Returns
    -------
    CellDataset
        The same images, with `records["split"]` filled.

    Raises
    ------
    InputError
        If the shares are impossible, there is no column `groups`, or the images are divided already: a split that
        somebody gave is never replaced by another (`open_dataset(..., splits=False)` passes over it).
    """
    _refuse_divided(dataset)
    if not (test >= 0 and val >= 0 and test + val < 1):
        raise InputError(
            f"test share {test} and validation share {val}: give numbers from 0 that add up to less than 1"
        )
    if not 0 <= seed < 2**63:
        raise InputError(f"seed {seed}: give a whole number from 0")
    warn_of_patients(dataset.records, groups)
    units = inseparable_units(dataset, groups, progress)
    counts = counts_of_units(units, dataset)
    training_only = np.zeros(len(counts), bool)
    learned = (dataset.records["origin"] == "synthetic") | dataset.records["sha256"].isin(list(seen))
    training_only[units[learned.to_numpy()]] = True
    wanted = shares_of_classes(counts.sum(axis=0), test, val)
    part = assign_units(counts, wanted, np.random.default_rng(seed), fixed=training_only)
    _warn_of_untested(dataset, part[units], test)
    records = dataset.records.assign(split=np.array(SPLITS, dtype=object)[part[units]])
    return replace(dataset, records=records)


def _refuse_divided(dataset: CellDataset) -> None:
    given = dataset.records["split"].value_counts()
    if set(given.index) - {""}:
        counts = ", ".join(f"{int(given.get(part, 0)):,} {part}" for part in SPLITS)
        without = f" and {int(given['']):,} in no part" if "" in given.index else ""
        raise InputError(
            f"the data set's own split has {counts} images{without}: it cannot be used here, and no other is made over "
            f"it; complete {SPLITS_FILE} (or the column split of metadata.csv), or replace it with "
            "`gansynth data split --force`"
        )


def _warn_of_untested(dataset: CellDataset, part: NDArray[np.int64], test: float) -> None:
    tested = np.bincount(dataset.labels[part == 2], minlength=len(dataset.class_names))
    untested = [name for name, n in zip(dataset.class_names, tested, strict=True) if n == 0]
    if untested and test > 0:
        warnings.warn(
            f"no image of {_some(untested)} could be kept for testing: too few images, or all of them belong to "
            "one group or are duplicates of each other",
            stacklevel=3,
        )


def _some(names: list[str]) -> str:
    return ", ".join(names if len(names) <= 10 else [*names[:8], f"{len(names) - 8:,} more classes"])


def shares_of_classes(n: NDArray[np.int64], test: float, val: float) -> NDArray[np.int64]:
    """Return how many images of each class each part wants, int64 [C, 3] (train, val, test)."""
    for_test = np.round(n * test).astype(np.int64)
    for_val = np.round(n * val).astype(np.int64)
    if test > 0:
        for_test = np.where(n >= 3, np.maximum(for_test, 1), 0)
    if val > 0:
        for_val = np.where(n >= 5, np.maximum(for_val, 1), 0)
    # Whatever the shares, something is left to learn from.
    for_val = np.minimum(for_val, np.maximum(n - for_test - 1, 0))
    for_test = np.minimum(for_test, np.maximum(n - 1, 0))
    return np.stack([n - for_val - for_test, for_val, for_test], axis=1)


def write_splits(dataset: CellDataset, folder: str | Path, *, force: bool = False) -> Path:
    """Write `splits.csv` (columns `file_name`, `split`) into the data set's folder.

    Parameters
    ----------
    dataset : CellDataset
        Split.
    folder : path-like
    force : bool
        Replace a `splits.csv` that is there; the old one is kept beside as `splits.previous.csv` (or `-2`, `-3`, ...).

    Returns
    -------
    pathlib.Path
        Of the file.

    Raises
    ------
    InputError
        If there is no such folder, it cannot be written to, or it has a `splits.csv` and `force` is not given.
    """
    _refuse_no_folder(folder)
    table = pd.DataFrame({"file_name": dataset.records["path"], "split": dataset.records["split"]})
    path = Path(folder) / SPLITS_FILE
    refuse_second_split(folder, force)
    try:
        if is_named(path):
            os.replace(path, _free_name(path))
        write_text(path, table_text(table))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); check the folder's permissions") from error
    return path


def refuse_second_split(folder: str | Path, force: bool) -> None:
    """Refuse to make a split of a data set that has one, unless `force` is given, or of the phantom that has no folder.

    Raises
    ------
    InputError
    """
    if str(folder) == "phantom":  # it would be drawn first
        _refuse_no_folder(folder)
    path = Path(folder) / SPLITS_FILE
    if Path(folder).is_dir() and not force:
        has_table(Path(folder), SPLITS_FILE, "refuse")
    if is_named(path) and not force:
        raise InputError(
            f"{shown(path)}: the data set has a split already, and what was trained on it would no longer fit another; "
            "replace it with --force, which keeps the old one beside"
        )


def _refuse_no_folder(folder: str | Path) -> None:
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: there is no such folder to write {SPLITS_FILE} into; `data phantom` makes one")


def _free_name(path: Path) -> Path:
    names = (f"{path.stem}.previous{number}.csv" for number in ("", *(f"-{k}" for k in range(2, 10_000))))
    return next(path.with_name(name) for name in names if not is_named(path.with_name(name)))


def read_splits(path: str | Path, paths: list[str], left_out: list[str] | None = None) -> list[str]:
    """Read `splits.csv` and return the split of each of `paths`.

    Parameters
    ----------
    path : path-like
        The file.
    paths : list of str
        The data set's images, as `records["path"]`. The table may spell them otherwise (see `match_rows`).
    left_out : list of str, optional
        Files that may be named although they are not among `paths` (unreadable ones).

    Raises
    ------
    InputError
        If the file is not such a table, names a file twice or one that is not there, knows another split
        than train, val and test, or misses an image.
    """
    path = Path(path)
    again = "correct it, or make it anew with `gansynth data split --force`"
    table = read_table(path, ("file_name", "split"), again)
    table["split"] = table["split"].str.strip()
    strange = table[~table["split"].isin(SPLITS)]
    if len(strange):
        row = strange.iloc[0]
        raise InputError(
            f"{shown(path)}: '{row['file_name']}' has split '{row['split']}', not train, val or test; {again}"
        )
    try:
        matched = match_rows(table, paths, left_out or [])
    except InputError as error:
        raise InputError(f"{shown(path)}: {error}; {again}") from None
    problems = matched.problems()
    if problems:
        raise InputError(f"{shown(path)}: {', and '.join(problems)}; {again}")
    return [str(split) for split in table["split"].iloc[matched.row]]
