"""Repetitions of an image that are flipped and turned, each otherwise, and always the same way."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansynth.classifiers.augmentation import flipped_and_turned

_STREAM = 0x7475726E
"""Keeps these random numbers apart from others of the same seed."""


def repetition(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each row how often it stood there before, int64 [M].

    Examples
    --------
    >>> repetition(np.array([4, 7, 4, 4, 7])).tolist()
    [0, 0, 1, 2, 1]
    """
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    begins = np.r_[True, ordered[1:] != ordered[:-1]][: len(rows)]
    first = np.maximum.accumulate(np.where(begins, np.arange(len(rows)), 0))
    found = np.empty(len(rows), np.int64)
    found[order] = np.arange(len(rows)) - first
    return found


class TurnedRepeats:
    """How each row of a treatment is flipped and turned: a function of the rows and a seed.

    A flip left to right and one upside down have even chances each, the angle is uniform (pasupa2020, section 4.2).

    Parameters
    ----------
    rows : int64 array, shape [M]
    degrees : float
        By which a repetition is turned at most.
    seed : int
    """

    def __init__(self, rows: NDArray[np.int64], degrees: float, seed: int) -> None:
        self.altered = repetition(rows) > 0
        rng = np.random.default_rng((seed, _STREAM))
        upside_down, mirrored = rng.integers(0, 2, (2, len(rows)))
        angle = degrees * (2 * rng.random(len(rows)) - 1) + 180 * upside_down
        self._angle = torch.from_numpy(angle * (math.pi / 180)).float()
        self._mirror = torch.from_numpy(1.0 - 2.0 * (mirrored ^ upside_down)).float()

    def __call__(self, images: Tensor, positions: NDArray[np.int64]) -> Tensor:
        """Return the images as they are shown.

        Parameters
        ----------
        images : Tensor, shape [n, 3, H, H]
            Of these rows, in [-1, 1].
        positions : int64 array, shape [n]
            Where in the rows they stand.

        Returns
        -------
        Tensor, shape [n, 3, H, H]
            What is shown for the first time is left as it is, to the bit.
        """
        which = np.flatnonzero(self.altered[positions])
        if len(which) == 0:
            return images
        at = torch.from_numpy(positions[which])
        index = torch.from_numpy(which).to(images.device)
        angle, mirror = self._angle[at].to(images.device), self._mirror[at].to(images.device)
        return images.index_copy(0, index, flipped_and_turned(images[index], angle, mirror))
