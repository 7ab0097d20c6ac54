"""What a classifier learns from, once a remedy has been applied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gansynth.data.dataset import CellDataset

Loss = Callable[[Tensor, Tensor], Tensor]
"""Logits [n, C] and int64 labels [n] to the scalar that is minimised."""


@dataclass(frozen=True)
class Treatment:
    """A training split, and how a classifier is to learn from it.

    Attributes
    ----------
    images : CellDataset
        Real training images first, synthetic ones after them (``records["origin"]``).
    rows : int64 array, shape [M]
        Positions in `images` that make up one epoch. One that is there several times is over-sampled; one that is
        not there is left out.
    augmented : bool
        Whether images are flipped, turned and jittered when they are shown.
    loss : callable, optional
        Instead of the cross-entropy.
    class_weight : float64 array, shape [C], optional
        Weights of the classes, for classifiers without a loss of their own.

    Examples
    --------
    >>> from gansynth.data.phantom import phantom_dataset
    >>> Treatment.of(phantom_dataset({"basophil": 3, "monocyte": 2}, size=16)).counts()
    {'basophil': 3, 'monocyte': 2}
    """

    images: CellDataset
    rows: NDArray[np.int64]
    augmented: bool = False
    loss: Loss | None = None
    class_weight: NDArray[np.float64] | None = None

    @classmethod
    def of(cls, training: CellDataset) -> Treatment:
        """Return a training split as it is."""
        return cls(training, np.arange(len(training)))

    @property
    def labels(self) -> NDArray[np.int64]:
        """The classes of `rows`, int64 [M]."""
        return self.images.labels[self.rows]

    def counts(self) -> dict[str, int]:
        """Return how many of `rows` are of each class."""
        n = np.bincount(self.labels, minlength=len(self.images.class_names))
        return dict(zip(self.images.class_names, n.tolist(), strict=True))

    def synthetic_counts(self) -> dict[str, int]:
        """Return how many of `rows` are synthetic images of each class."""
        synthetic = (self.images.records["origin"] == "synthetic").to_numpy()[self.rows]
        n = np.bincount(self.labels[synthetic], minlength=len(self.images.class_names))
        return dict(zip(self.images.class_names, n.tolist(), strict=True))
