"""Protocol ``paper``: balanced first, then divided at random, as hazra2022 did. For its tables only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gansynth.data.dataset import CellDataset
from gansynth.data.split import shares_of_classes
from gansynth.remedies import Treatment

TEST, VALIDATION = 0.2, 0.1

TOO_GOOD = (
    "Protocol paper: these numbers are too good, because the classes were balanced before the images were divided, so "
    "that test images are synthetic, or copies of training images, and the GAN has learned from all of them"
)


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
