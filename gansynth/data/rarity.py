"""Known rarity: a class held to so many training images, to study rarity where the truth is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.files import typed_names


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
    for name, n in counts.items():
        if name not in dataset.class_names:
            raise InputError(f"rarity of '{name}': no such class; there are {typed_names(dataset.class_names)}")
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
