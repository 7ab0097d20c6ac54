"""How a data set is divided for an experiment: folds, in which every real image is tested once, and known rarity.

Nothing that belongs together lies on both sides of a fold. A class may be held to so many training images, to study
rarity where the truth is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gansynth.data.dataset import CellDataset
from gansynth.data.units import assign_units, counts_of_units, inseparable_units, warn_of_patients
from gansynth.errors import InputError
from gansynth.files import known_counts


def fold_dataset(
    dataset: CellDataset,
    folds: int,
    *,
    val: float = 0.1,
    seed: int = 0,
    groups: str = "group",
    progress: bool = False,
) -> list[CellDataset]:
    """Split a data set into folds, each with its own train, val and test.

    The test parts of the folds are disjoint and together hold every image. What `split_dataset` keeps together
    (groups, duplicates) is kept together here too; classes are divided as evenly as that allows.

    Parameters
    ----------
    dataset : CellDataset
        Real images; synthetic ones may not be tested on and are refused.
    folds : int
        Number of folds, 2 or more.
    val : float
        Share of the images that are not tested which becomes the validation part.
    seed : int
        The same seed gives the same folds.
    groups : str
        Column of the records that names the group.
    progress : bool
        Show how far the search for duplicates is, on standard error.

    Returns
    -------
    list of CellDataset
        The same images `folds` times, with `records["split"]` filled differently.

    Raises
    ------
    InputError
        If the numbers are impossible, a class has fewer inseparable units than folds, or an image is synthetic.
    """
    if folds < 2:
        raise InputError(f"{folds} folds: give 2 or more")
    if not 0 <= val < 1:
        raise InputError(f"validation share {val}: give a number from 0 to below 1")
    if (dataset.records["origin"] == "synthetic").any():
        raise InputError("synthetic images cannot be tested on; give the folder of real images alone")
    warn_of_patients(dataset.records, groups)
    units = inseparable_units(dataset, groups, progress)
    counts = counts_of_units(units, dataset)
    _refuse_too_few(dataset, counts, folds)
    rng = np.random.default_rng(seed)
    fold = assign_units(counts, _even(counts.sum(axis=0), folds), rng)
    return [_one_fold(dataset, units, counts, fold == k, val, rng) for k in range(folds)]


def _one_fold(
    dataset: CellDataset,
    units: NDArray[np.int64],
    counts: NDArray[np.int64],
    tested: NDArray[np.bool_],
    val: float,
    rng: np.random.Generator,
) -> CellDataset:
    learning = np.flatnonzero(~tested)
    n = counts[learning].sum(axis=0)
    for_val = np.round(n * val).astype(np.int64)
    if val > 0:
        for_val = np.where(n >= 2, np.maximum(for_val, 1), 0)
    part = np.full(len(counts), "test", object)
    wanted = np.stack([n - for_val, for_val], axis=1)
    part[learning] = np.array(["train", "val"], object)[assign_units(counts[learning], wanted, rng)]
    return replace(dataset, records=dataset.records.assign(split=part[units]))


def _even(n: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """Return how many images of each class each fold wants, int64 [C, F]; remainders go round from class to class."""
    each, rest = np.divmod(n, folds)
    begins = np.cumsum(rest) - rest
    turn = (np.arange(folds)[None, :] - begins[:, None]) % folds
    return np.asarray(each[:, None] + (turn < rest[:, None]), np.int64)


def _refuse_too_few(dataset: CellDataset, counts: NDArray[np.int64], folds: int) -> None:
    in_units = (counts > 0).sum(axis=0)
    small = [f"{name} ({n})" for name, n in zip(dataset.class_names, in_units, strict=True) if n < folds]
    if small:
        raise InputError(
            f"{folds} folds need at least {folds} images of each class that are not duplicates and come from different "
            f"groups; too few of {', '.join(small)}; take fewer folds"
        )


def hold_rare(dataset: CellDataset, counts: Mapping[str, int], *, seed: int = 0) -> CellDataset:
    """Keep only so many training images of some classes; the rest leave the data set.

    Validation images of these classes are thinned in the same proportion (at least one stays): a choice made on
    more of them would use images that a user with so few does not have. Test images all stay.

    Parameters
    ----------
    dataset : CellDataset
        With a split.
    counts : mapping of str to int
        Training images to keep, by class.
    seed : int
        Decides which; with the same seed, the images of a smaller count are among those of a larger one.

    Returns
    -------
    CellDataset
        In the order it had.

    Raises
    ------
    InputError
        For an unknown class, a count below 1, or a class that has fewer training images.
    """
    keep = np.ones(len(dataset), bool)
    split = dataset.records["split"].to_numpy()
    for name, n in known_counts(counts, dataset.class_names, "rarity").items():
        of_class = dataset.labels == dataset.class_names.index(name)
        training = np.flatnonzero(of_class & (split == "train"))
        if not 1 <= n <= len(training):
            raise InputError(f"rarity {name}={n}: the training split has {len(training)} of them; give 1 to that many")
        validation = np.flatnonzero(of_class & (split == "val"))
        of_validation = min(len(validation), max(1, round(len(validation) * n / len(training))))
        for part, left in ((training, n), (validation, of_validation)):
            order = np.random.default_rng((seed, dataset.class_names.index(name))).permutation(part)
            keep[order[left:]] = False
    return dataset.select(np.flatnonzero(keep))
