"""The folds of a comparison: which image is learned from, chosen on and tested on, at whatever size it is opened.

Protocol ``paper`` divides otherwise: balanced first, then at random, as hazra2022 did; for its tables only.
"""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from gansynth.data.dataset import CellDataset
from gansynth.data.folds import fold_dataset, hold_rare
from gansynth.data.leaks import refuse_straddling
from gansynth.data.opening import open_dataset
from gansynth.data.split import shares_of_classes, split_dataset
from gansynth.data.units import inseparable_units
from gansynth.errors import InputError
from gansynth.files import table_text
from gansynth.files.atomic import write_text
from gansynth.remedies import Treatment

LEFT_OUT = ""

TEST, VALIDATION = 0.2, 0.1

TOO_GOOD = (
    "Protocol paper: these numbers are too good, because the classes were balanced before the images were divided, so "
    "that test images are synthetic, or copies of training images, and the GAN has learned from all of them"
)


@dataclass(frozen=True)
class Fold:
    """One split of the data.

    Attributes
    ----------
    number : int
    split : dict of str to str
        For each image's path "train", "val", "test", or "" for one that takes no part.
    counts : dict of str to (dict of str to int)
        Images by part and class.
    """

    number: int
    split: dict[str, str]
    counts: dict[str, dict[str, int]]

    @property
    def name(self) -> str:
        """What its folders are called."""
        return f"fold{self.number}"

    def write(self, folder: Path) -> None:
        """Write the split into ``folder/fold{k}.csv``."""
        table = pd.DataFrame({"file_name": list(self.split), "split": list(self.split.values())})
        write_text(folder / f"{self.name}.csv", table_text(table))


class Images:
    """The real images of a comparison, opened at the sizes that are asked for.

    Parameters
    ----------
    data : str
    progress : bool
    """

    def __init__(self, data: str, progress: bool = False) -> None:
        self.data, self.progress = data, progress
        self._open: dict[int, CellDataset] = {}

    def at(self, size: int) -> CellDataset:
        """Return all images at an edge length, memory-mapped where they come from a folder.

        Raises
        ------
        InputError
            If some are synthetic, or fewer than two classes are there.
        """
        if size not in self._open:
            dataset = open_dataset(self.data, size=size, progress=self.progress)
            made = dataset.records["path"][dataset.records["origin"] == "synthetic"]
            if len(made):
                raise InputError(
                    f"{self.data}: {len(made)} images are synthetic, such as {made.iloc[0]}; a comparison tests real "
                    "ones and makes the synthetic ones itself: give the folder of real images alone"
                )
            if len(dataset.class_names) < 2:
                raise InputError(f"{self.data}: has one class; there is nothing to distinguish")
            self._open[size] = dataset
        return self._open[size]

    def of(self, fold: Fold, size: int, *parts: str) -> CellDataset:
        """Return the images of some parts of a fold, as a copy, with their split in the records."""
        dataset = self.at(size)
        split = dataset.records["path"].map(fold.split).fillna(LEFT_OUT)
        chosen = np.flatnonzero(split.isin(parts))
        return replace(dataset, records=dataset.records.assign(split=split)).select(chosen)


def make_folds(
    dataset: CellDataset, folds: int | None, rarity: Mapping[str, int], seed: int, progress: bool = False
) -> list[Fold]:
    """Split the data before anything learns, and hold classes to their known rarity.

    Parameters
    ----------
    dataset : CellDataset
        All images, at any size.
    folds : int or None
        None takes the data set's own split where it has one with training and test images, else makes one.
    rarity : mapping of str to int
        Training images to keep, by class.
    seed : int
    progress : bool
        Show how far the search for duplicates is, on standard error.

    Raises
    ------
    InputError
        If the data cannot be split so, or their own split separates what belongs together.
    """
    own = set(dataset.records["split"])
    if folds is not None:
        split = fold_dataset(dataset, folds, seed=seed, progress=progress)
    elif {"train", "test"} <= own:
        refuse_straddling(dataset, progress=progress)
        split = [dataset]
    else:
        if own - {LEFT_OUT}:
            raise InputError(
                "the data set's split has no training or no test images; make a new one with `gansynth data split`"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of untested classes, said below
            split = [split_dataset(dataset, seed=seed, progress=progress)]
    found = [_fold(k, one, rarity, seed) for k, one in enumerate(split)]
    for fold in found:
        for part in ("train", "test"):
            without = [name for name, n in fold.counts[part].items() if n == 0]
            if without:
                raise InputError(
                    f"{', '.join(without)}: no image to {'learn from' if part == 'train' else 'test on'}; add images "
                    "of these classes, or leave them out"
                )
    return found


def whole(dataset: CellDataset, rarity: Mapping[str, int], seed: int) -> list[Fold]:
    """Return everything as one training split: what protocol ``paper`` balances before it splits."""
    return [_fold(0, replace(dataset, records=dataset.records.assign(split="train")), rarity, seed)]


def units_of(dataset: CellDataset, progress: bool = False) -> dict[str, int]:
    """Return, by path, the number of what cannot be separated: resampled together in every interval."""
    return dict(zip(dataset.records["path"], inseparable_units(dataset, progress=progress).tolist(), strict=True))


def data_sha256(dataset: CellDataset) -> str:
    """Return what distinguishes one data set from another: its images, classes, groups and own split."""
    records = dataset.records
    hashed = [*records["path"], *records["sha256"], *records["group"], *records["split"], *dataset.class_names]
    return hashlib.sha256("\0".join(map(str, hashed)).encode("utf-8", "surrogateescape")).hexdigest()


def _fold(number: int, dataset: CellDataset, rarity: Mapping[str, int], seed: int) -> Fold:
    held = hold_rare(dataset.without_pixels(), rarity, seed=seed)
    split = dict.fromkeys(dataset.records["path"], LEFT_OUT)
    split.update(zip(held.records["path"], held.records["split"], strict=True))
    counts = {part: dict.fromkeys(dataset.class_names, 0) for part in ("train", "val", "test")}
    for (part, label), n in Counter(zip(held.records["split"], held.labels.tolist(), strict=True)).items():
        if part != LEFT_OUT:
            counts[part][dataset.class_names[label]] = n
    return Fold(number, split, counts)


def split_after(treatment: Treatment, seed: int) -> tuple[Treatment, CellDataset, CellDataset]:
    """Divide what a remedy has balanced: 70% to learn from, 10% to choose on, 20% to test on, class by class.

    Parameters
    ----------
    treatment : Treatment
        Of all images.
    seed : int

    Returns
    -------
    Treatment
        With the rows to learn from.
    CellDataset
        Validation images.
    CellDataset
        Test images: an over-sampled one may be among the training rows too, and synthetic ones are there.
    """
    labels = treatment.labels
    wanted = shares_of_classes(np.bincount(labels, minlength=len(treatment.images.class_names)), TEST, VALIDATION)
    rng = np.random.default_rng(seed)
    parts: tuple[list[np.ndarray], ...] = ([], [], [])
    for c, numbers in enumerate(wanted):
        mine = rng.permutation(np.flatnonzero(labels == c))
        for part, chosen in zip(parts, np.split(mine, np.cumsum(numbers)[:-1]), strict=True):
            part.append(chosen)
    train, validation, test = (treatment.rows[np.sort(np.concatenate(part))] for part in parts)
    return replace(treatment, rows=train), treatment.images.select(validation), treatment.images.select(test)
