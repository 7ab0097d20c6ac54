"""The class watch: is every class still recognisable, and still varied, while the GAN trains?

The tail collapses first, and no loss shows it. For each class the independent classifier's recall on generated images
is set beside its recall on real ones, and the spread of their features beside the real spread. A pretrained network is
asked the same: a generator may please either of the two and neither shape nor texture be right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gansynth.data.dataset import CellDataset
from gansynth.gans.independent_classifier import IndependentClassifier
from gansynth.gans.pretrained_judge import PretrainedJudge

LOW = 0.5
"""A class below this share of its real recall or its real diversity is named."""


@dataclass(frozen=True)
class SecondFamily:
    """What the pretrained judge of `name` found, as in `ClassWatch`."""

    name: str
    recall: NDArray[np.float64]
    real_recall: NDArray[np.float64]
    diversity: NDArray[np.float64]


@dataclass(frozen=True)
class ClassWatch:
    """What one look found; arrays have one entry per class, real recall and spread being those of real images.

    Attributes
    ----------
    recall, real_recall : float arrays [C], 0..1
        Share of images that the independent classifier gives the class they were made or found for.
    diversity : float array [C]
        Mean distance between two images of a class in the classifier's features, divided by the same of real
        images.
    second : SecondFamily or None
        The same by a pretrained network.
    """

    recall: NDArray[np.float64]
    real_recall: NDArray[np.float64]
    diversity: NDArray[np.float64]
    second: SecondFamily | None = None

    @property
    def score(self) -> float:
        """How well the generator does over all classes, 0..1: as often recognised and as varied as real cells is 1.

        The mean over the classes of both shares' product, neither counted above 1: neither a generator whose rare
        classes are not recognised nor one that repeats itself is a good one. Of each class the worse of the two
        families counts.
        """
        shares = _product(self.recall, self.real_recall, self.diversity)
        if self.second is not None:
            other = _product(self.second.recall, self.second.real_recall, self.second.diversity)
            shares = np.minimum(shares, other)
        return float(np.nanmean(shares))

    def table(self, class_names: tuple[str, ...]) -> dict[str, dict[str, float | None]]:
        """Return the rounded values of each class, by its name; None where there is none."""
        columns = {"recall": self.recall, "real_recall": self.real_recall, "diversity": self.diversity}
        if self.second is not None:
            other = self.second
            columns |= {
                f"recall_{other.name}": other.recall,
                f"real_recall_{other.name}": other.real_recall,
                f"diversity_{other.name}": other.diversity,
            }
        return {name: {key: _round(values[c]) for key, values in columns.items()} for c, name in enumerate(class_names)}

    def warnings(self, class_names: tuple[str, ...]) -> list[str]:
        """Return one sentence for each class that seems to collapse."""
        found = []
        for c, name in enumerate(class_names):
            if self.recall[c] < LOW * self.real_recall[c]:
                found.append(f"{name}: recognised in {self.recall[c]:.0%} (real images: {self.real_recall[c]:.0%})")
            if self.diversity[c] < LOW:
                found.append(f"{name}: varies {self.diversity[c]:.2f} times as much as real images")
            if self.second is not None and self.second.recall[c] < LOW * self.second.real_recall[c]:
                shares = f"{self.second.recall[c]:.0%} (real images: {self.second.real_recall[c]:.0%})"
                found.append(f"{name}: recognised by {self.second.name.capitalize()} in {shares}")
        return found


class Watcher:
    """Knows the real images' side of the comparison, so that a look costs generated images only.

    Parameters
    ----------
    classifier : IndependentClassifier
    real : CellDataset
        Validation images, or training images where no others may be used.
    per_class : int
        Images of each class to compare.
    judge : PretrainedJudge, optional
        The second family.
    """

    def __init__(
        self,
        classifier: IndependentClassifier,
        real: CellDataset,
        per_class: int,
        judge: PretrainedJudge | None = None,
    ) -> None:
        self.classifier, self.judge, self.n_classes = classifier, judge, len(real.class_names)
        chosen = [np.flatnonzero(real.labels == c)[:per_class] for c in range(self.n_classes)]
        index = np.concatenate(chosen)
        images, labels = real.images[index], real.labels[index]
        self.real_recall, self.real_spread = self._measure(images, labels)
        self.real_second = None if judge is None else self._by_class(*judge.look(images), labels)

    def look(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> ClassWatch:
        """Measure generated images [n, 3, H, W] with the labels [n] they were asked for."""
        recall, spread = self._measure(images, labels)
        second = None
        if self.judge is not None and self.real_second is not None:
            real_recall, real_spread = self.real_second
            found, varied = self._by_class(*self.judge.look(images), labels)
            second = SecondFamily(self.judge.name, found, real_recall, varied / np.maximum(real_spread, 1e-12))
        return ClassWatch(recall, self.real_recall, spread / np.maximum(self.real_spread, 1e-12), second)

    def _measure(
        self, images: NDArray[np.uint8], labels: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        assigned = self.classifier(images).argmax(axis=1)
        return self._by_class(assigned, self.classifier.features(images), labels)

    def _by_class(
        self, assigned: NDArray[np.int64], features: NDArray[np.float32], labels: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        x = features.astype(np.float64)
        recall, spread = np.full(self.n_classes, np.nan), np.full(self.n_classes, np.nan)
        for c in range(self.n_classes):
            here = labels == c
            if here.any():
                recall[c] = float((assigned[here] == c).mean())
                spread[c] = _mean_distance(x[here])
        return recall, spread


def _product(
    recall: NDArray[np.float64], real_recall: NDArray[np.float64], diversity: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return shares recognised times variety, both of real images' and at most 1."""
    return np.clip(recall / np.maximum(real_recall, 1e-12), 0, 1) * np.clip(diversity, 0, 1)


def _round(x: float) -> float | None:
    return None if math.isnan(x) else round(float(x), 4)


def _mean_distance(x: NDArray[np.float64]) -> float:
    """Mean Euclidean distance over all pairs of different rows; NaN for fewer than two."""
    if len(x) < 2:
        return float("nan")
    squares = (x**2).sum(axis=1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * x @ x.T, 0))
    return float(distance.sum() / (len(x) * (len(x) - 1)))
