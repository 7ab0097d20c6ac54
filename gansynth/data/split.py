"""Training, validation and test split: stratified, seeded, and without a leak."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gansynth.atomic import write_text
from gansynth.data.dataset import CellDataset
from gansynth.data.units import assign_units, counts_of_units, inseparable_units
from gansynth.errors import InputError

SPLITS_FILE = "splits.csv"
SPLITS = ("train", "val", "test")


def split_dataset(
    dataset: CellDataset, *, test: float = 0.2, val: float = 0.1, seed: int = 0, groups: str = "group"
) -> CellDataset:
    """Split a data set into train, val and test.

    Images that share a group (a patient, a slide), and exact or near duplicates, always come into the
    same part. Each class is divided in the wanted proportions as closely as that allows; a class of
    three or more images keeps at least one for testing. Synthetic images go to training, and so does
    every image that shares a group or a picture with one.

    Parameters
    ----------
    dataset : CellDataset
    test, val : float
        Shares of each class, 0 or more, together less than 1.
    seed : int
        The same seed gives the same split.
    groups : str
        Column of the records that names the group; an empty cell means no group.

    Returns
    -------
    CellDataset
        The same images, with `records["split"]` filled.

    Raises
    ------
    InputError
        If the shares are impossible, or there is no column `groups`.
    """
    if not (test >= 0 and val >= 0 and test + val < 1):
        raise InputError(
            f"test share {test} and validation share {val}: give numbers from 0 that add up to less than 1"
        )
    if not 0 <= seed < 2**63:
        raise InputError(f"seed {seed}: give a whole number from 0")
    units = inseparable_units(dataset, groups)
    counts = counts_of_units(units, dataset)
    training_only = np.zeros(len(counts), bool)
    training_only[units[(dataset.records["origin"] == "synthetic").to_numpy()]] = True
    wanted = shares_of_classes(counts.sum(axis=0), test, val)
    part = assign_units(counts, wanted, np.random.default_rng(seed), fixed=training_only)
    _warn_of_untested(dataset, part[units], test)
    records = dataset.records.assign(split=np.array(SPLITS, dtype=object)[part[units]])
    return replace(dataset, records=records)


def _warn_of_untested(dataset: CellDataset, part: NDArray[np.int64], test: float) -> None:
    tested = np.bincount(dataset.labels[part == 2], minlength=len(dataset.class_names))
    untested = [name for name, n in zip(dataset.class_names, tested, strict=True) if n == 0]
    if untested and test > 0:
        warnings.warn(
            f"no image of {', '.join(untested)} could be kept for testing: too few images, or all of them belong to "
            "one group or are duplicates of each other",
            stacklevel=3,
        )


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


def write_splits(dataset: CellDataset, folder: str | Path) -> Path:
    """Write `splits.csv` (columns `file_name`, `split`) into the data set's folder; return its path."""
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: there is no such folder to write {SPLITS_FILE} into; `data phantom` makes one")
    table = pd.DataFrame({"file_name": dataset.records["path"], "split": dataset.records["split"]})
    path = Path(folder) / SPLITS_FILE
    try:
        write_text(path, table.to_csv(index=False, lineterminator="\n"))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); check the folder's permissions") from error
    return path


def read_splits(path: str | Path, paths: list[str], left_out: list[str] | None = None) -> list[str]:
    """Read `splits.csv` and return the split of each of `paths`.

    Parameters
    ----------
    path : path-like
        The file.
    paths : list of str
        The data set's images, as `records["path"]`.
    left_out : list of str, optional
        Files that may be named although they are not among `paths` (unreadable ones).

    Raises
    ------
    InputError
        If the file is no such table, names a file twice or one that is not there, knows another split
        than train, val and test, or misses an image.
    """
    path = Path(path)
    again = "make it anew with `gansynth data split`"
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable CSV table ({str(error).strip()[:120]}); {again}") from error
    if not {"file_name", "split"} <= set(table.columns):
        raise InputError(f"{path}: needs the columns file_name and split; {again}")
    twice = table["file_name"][table["file_name"].duplicated()]
    if len(twice):
        raise InputError(f"{path}: names '{twice.iloc[0]}' twice; {again}")
    strange = table[~table["split"].isin(SPLITS)]
    if len(strange):
        row = strange.iloc[0]
        raise InputError(f"{path}: '{row['file_name']}' has split '{row['split']}', not train, val or test; {again}")
    known = dict(zip(table["file_name"], table["split"], strict=True))
    unknown = sorted(set(known) - set(paths) - set(left_out or []))
    if unknown:
        raise InputError(f"{path}: names {len(unknown)} files that are not there, such as '{unknown[0]}'; {again}")
    missing = [name for name in paths if name not in known]
    if missing:
        raise InputError(f"{path}: misses {len(missing)} images, such as '{missing[0]}'; {again}")
    return [known[name] for name in paths]
