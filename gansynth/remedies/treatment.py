"""What a classifier learns from, once a remedy has been applied."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gansynth.remedies.feature_oversampling import FeatureOverSampling

if TYPE_CHECKING:
    from torch import Tensor

    from gansynth.data.dataset import CellDataset

Loss: TypeAlias = "Callable[[Tensor, Tensor, float], Tensor]"
"""Logits [n, C], int64 labels [n] and the share of the training that is done, in [0, 1), to the scalar that is
minimised. A frozen dataclass says by its fields what it is, so that a training is resumed with the same one only."""

Mix: TypeAlias = "Callable[[Tensor], tuple[Tensor, Tensor, float]]"
"""Images [n, 3, H, W] in [-1, 1] to mixed ones, the row of the batch each was mixed with (int64 [n]), and how much of
the image itself is left, in [0, 1]. It draws from torch's default generator, which is seeded at every step."""


@dataclass(frozen=True)
class Supplement:
    """Synthetic images that stand beside the rows of a treatment instead of among them.

    Attributes
    ----------
    rows : int64 array, shape [S]
        Their positions in the treatment's images.
    share : float
        Of each batch, above 0 and below 1.
    weight : float
        Of their loss against that of real images, in (0, 1].
    statistics : {"mixed", "real", "own"}
        What batch normalisations learn from: all images of a batch; the real ones, whose statistics then normalise the
        synthetic ones too; or both kinds apart, of which the real ones' are kept (auxiliary batch norms).
    finish : float
        The last share of the training, in [0, 1), sees real images only.
    counted : {"real", "shown", "all"}
        Which images losses that know how frequent the classes are count: real ones; or these too, by their share and
        their weight in a batch; or these too, one as the other.
    probabilities : float64 array, shape [S, C], optional
        Of the classes, by teachers: each time an image is shown, its label is drawn from them. Default: its own class.
    """

    rows: NDArray[np.int64]
    share: float
    weight: float = 1.0
    statistics: Literal["mixed", "real", "own"] = "mixed"
    finish: float = 0.0
    counted: Literal["real", "shown", "all"] = "real"
    probabilities: NDArray[np.float64] | None = None

    def count(self, batch_size: int, step: int, steps: int) -> int:
        """Return how many images of a batch are synthetic; at least one is real.

        Examples
        --------
        >>> beside = Supplement(np.arange(5), share=0.25, finish=0.2)
        >>> beside.count(32, 0, 100), beside.count(32, 79, 100), beside.count(32, 80, 100)
        (8, 8, 0)
        """
        if step >= self.mixed_steps(steps):
            return 0
        return min(max(1, round(self.share * batch_size)), batch_size - 1)

    def mixed_steps(self, steps: int) -> int:
        """Return after how many of a training's steps real images are alone."""
        return math.ceil((1 - self.finish) * steps)

    @property
    def settings(self) -> dict[str, str | float]:
        """What it asks for, in the order of its attributes."""
        labels = "own" if self.probabilities is None else "teachers"
        return {
            "share": self.share, "weight": self.weight, "statistics": self.statistics, "finish": self.finish,
            "counted": self.counted, "labels": labels,
        }  # fmt: skip


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
    turned_repeats : float, optional
        Where an image stands in `rows` several times, it is shown as it is the first time, and flipped and turned by
        up to so many degrees, each time otherwise, the others. Default: repetitions are equal.
    sampling : float, optional
        The exponent alpha with which batches draw their classes, p ~ n^alpha; 0 draws all equally often. Default: as
        the classifier's recipe says.
    mix : callable, optional
        How the images of a batch are mixed with each other; the loss is then that of both labels, by their shares.
    loss : callable, optional
        Instead of the cross-entropy.
    cosine_scale : float, optional
        The last layer gives so many times the cosine between features and class. Default: an ordinary linear layer.
    prediction_shift : tuple of float, length C, optional
        Added to the logits, or to the logarithms of the probabilities, once the classifier has learned: neither loss
        nor the choice of the epoch that is kept knows of it.
    class_weight : float64 array, shape [C], optional
        Weights of the classes, for classifiers without a loss of their own.
    in_features : FeatureOverSampling, optional
        New points between the features of the images, for classifiers that learn from features.
    supplement : Supplement, optional
        Synthetic images that take a fixed share of each batch, for networks.
    notes : tuple of str
        What a reader of the results should know of how it came about.

    Examples
    --------
    >>> from gansynth.data.phantom import phantom_dataset
    >>> Treatment.of(phantom_dataset({"basophil": 3, "monocyte": 2}, size=16)).counts()
    {'basophil': 3, 'monocyte': 2}
    """

    images: CellDataset
    rows: NDArray[np.int64]
    augmented: bool = False
    turned_repeats: float | None = None
    sampling: float | None = None
    mix: Mix | None = None
    loss: Loss | None = None
    cosine_scale: float | None = None
    prediction_shift: tuple[float, ...] | None = None
    class_weight: NDArray[np.float64] | None = None
    in_features: FeatureOverSampling | None = None
    supplement: Supplement | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, training: CellDataset) -> Treatment:
        """Return a training split as it is."""
        return cls(training, np.arange(len(training)))

    @property
    def labels(self) -> NDArray[np.int64]:
        """The classes of `rows`, int64 [M]."""
        return self.images.labels[self.rows]

    @property
    def settings(self) -> dict[str, str | float]:
        """What is asked for beside images and rows, by name, as far as it is asked for."""
        asked = {
            "turned_repeats": self.turned_repeats,
            "sampling": self.sampling,
            "mix": None if self.mix is None else _name_of(self.mix),
            "loss": None if self.loss is None else _name_of(self.loss),
            "cosine_scale": self.cosine_scale,
            "prediction_shift": None if self.prediction_shift is None else str(self.prediction_shift),
            "supplement": None if self.supplement is None else str(self.supplement.settings),
        }
        return {name: value for name, value in asked.items() if value is not None}

    @property
    def learned_rows(self) -> NDArray[np.int64]:
        """All positions that are learned from, those of the supplement last, int64 [M + S]."""
        return self.rows if self.supplement is None else np.concatenate([self.rows, self.supplement.rows])

    @property
    def is_synthetic(self) -> NDArray[np.bool_]:
        """Whether each of the images is synthetic, bool [N]."""
        return (self.images.records["origin"] == "synthetic").to_numpy()

    def counts(self) -> dict[str, int]:
        """Return how many images of each class are learned from, repetitions counted."""
        return self._by_class(self.learned_rows)

    def synthetic_counts(self) -> dict[str, int]:
        """Return how many of them are synthetic."""
        return self._by_class(self.learned_rows[self.is_synthetic[self.learned_rows]])

    def _by_class(self, rows: NDArray[np.int64]) -> dict[str, int]:
        n = np.bincount(self.images.labels[rows], minlength=len(self.images.class_names))
        return dict(zip(self.images.class_names, n.tolist(), strict=True))


def _name_of(what: object) -> str:
    """Return the name of a function, or a dataclass with its fields."""
    if is_dataclass(what):
        return repr(what)
    return str(getattr(what, "__qualname__", type(what).__qualname__))
