"""What a classifier of scikit-learn is fitted on: projected features of what the remedy shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gansynth.classifiers.augmentation import ordinary_augmentation
from gansynth.classifiers.features import BATCH, Features
from gansynth.classifiers.turned_repeats import TurnedRepeats
from gansynth.errors import InputError
from gansynth.networks.images import to_float, to_uint8
from gansynth.remedies.feature_oversampling import FeatureOverSampling
from gansynth.remedies.treatment import Treatment

CALIBRATION_PARTS = 3


@dataclass(frozen=True)
class Lesson:
    """What a classifier of scikit-learn is fitted on.

    Attributes
    ----------
    points : float32 array, shape [n, k]
        Projected features of the images.
    labels : int64 array, shape [n]
    times : int64 array, shape [n]
        How often each image is shown.
    class_weight : float64 array, shape [C]
    image : int64 array, shape [n]
        Equal for the same picture.
    over_sampling : FeatureOverSampling, optional
        Makes new points of these.
    """

    points: NDArray[np.float32]
    labels: NDArray[np.int64]
    times: NDArray[np.int64]
    class_weight: NDArray[np.float64]
    image: NDArray[np.int64]
    over_sampling: FeatureOverSampling | None = None

    @property
    def rows(self) -> NDArray[np.int64]:
        """Positions of the images, each as often as it is shown."""
        return np.repeat(np.arange(len(self.times)), self.times)

    def shown(self, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]]:
        """Return what is learned from: points [m, k], labels [m] and weights [m], each image as often as it is shown,
        and the points that a remedy makes between them."""
        points, labels = self.points[self.rows], self.labels[self.rows]
        if self.over_sampling is not None:
            points, labels = self.over_sampling(points, labels, seed)
        return points, labels, self.class_weight[labels]


@dataclass(frozen=True)
class Described:
    """The images of a treatment in features.

    Attributes
    ----------
    features : float32 array, shape [n, d]
    labels, times, image : int64 arrays, shape [n]
        See `Lesson`.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    times: NDArray[np.int64]
    image: NDArray[np.int64]


def described(treatment: Treatment, features: Features, copies: int, seed: int) -> Described:
    """Describe every image of a treatment, its turned repetitions, and altered copies of it.

    Parameters
    ----------
    treatment : Treatment
    features : Features
    copies : int
        Altered copies of each image, where the treatment asks for augmentation. Each is shown as often as its image.
    seed : int
        Decides how copies are altered; the caller's random state is left as it was.
    """
    copies = copies if treatment.augmented else 0
    index, shown = np.unique(treatment.rows, return_counts=True)
    images = treatment.images.select(index)
    image = np.unique(images.records["sha256"].to_numpy(), return_inverse=True)[1].astype(np.int64)
    parts = [features(images.images)]
    times, source = [shown.astype(np.int64)], [np.arange(len(index))]
    if treatment.turned_repeats is not None:
        turned = TurnedRepeats(treatment.rows, treatment.turned_repeats, seed)
        repeats = np.flatnonzero(turned.altered)
        parts += [*_turned(treatment, turned, repeats, features)]
        times = [np.ones_like(shown, np.int64), np.ones(len(repeats), np.int64)]
        source.append(np.searchsorted(index, treatment.rows[repeats]))
    for altered in _altered(images.images, features, copies, seed):
        parts.append(altered)
        times.append(shown.astype(np.int64))
        source.append(np.arange(len(index)))
    of = np.concatenate(source)
    return Described(np.concatenate(parts), images.labels[of], np.concatenate(times), image[of])


def _turned(
    treatment: Treatment, turned: TurnedRepeats, positions: NDArray[np.int64], features: Features
) -> Iterator[NDArray[np.float32]]:
    """Yield the features of turned repetitions, batch by batch."""
    for start in range(0, len(positions), BATCH):
        at = positions[start : start + BATCH]
        pixels = np.array(treatment.images.images[treatment.rows[at]])
        yield features(to_uint8(turned(to_float(torch.from_numpy(pixels)), at)).numpy())


def _altered(images: NDArray[np.uint8], features: Features, copies: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Yield the features of so many altered copies of all images; the caller's random state is left as it was."""
    for copy in range(copies):
        parts = []
        for start in range(0, len(images), BATCH):
            x = to_float(torch.from_numpy(np.array(images[start : start + BATCH])))
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed * 1_000_003 + copy * 10_007 + start)
                altered = ordinary_augmentation(x)
            parts.append(features(to_uint8(altered).numpy()))
        yield np.concatenate(parts)


def calibration_parts(lesson: Lesson, seed: int) -> NDArray[np.int64]:
    """Divide images into parts for calibration, int64 [n]: every class in each, one picture in one part only.

    Raises
    ------
    InputError
        If a class has one picture only: what has learned from it cannot be calibrated on it.
    """
    rng = np.random.default_rng(seed)
    part = np.zeros(len(lesson.labels), dtype=np.int64)
    sizes = [len(np.unique(lesson.image[lesson.labels == c])) for c in np.unique(lesson.labels)]
    count = min(CALIBRATION_PARTS, *sizes)
    if count < 2:
        raise InputError("a support vector machine needs two different images of every class to calibrate itself")
    for c in np.unique(lesson.labels):
        mine = np.flatnonzero(lesson.labels == c)
        pictures, which = np.unique(lesson.image[mine], return_inverse=True)
        part[mine] = (rng.permutation(len(pictures)) % count)[which]
    return part
