"""Teachers: three small networks, each trained without a third of the real training images, judge synthetic ones.

A network says little of an image like those it learned from, and a generator's images are like its training images. So
each teacher leaves out a third, and what it says is measured against that third.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gansynth.files.atomic import whole_file, write_json
from gansynth.metrics.wording import listed
from gansynth.remedies.class_weights import log_priors

if TYPE_CHECKING:
    from gansynth.data.dataset import CellDataset
    from gansynth.gans.independent_classifier import IndependentClassifier
    from gansynth.remedies.remedy import Workplace

THIRDS = 3
EDGE = 64
"""Edge length in pixels of the images that teachers learn from."""


@dataclass(frozen=True)
class Judged:
    """What the teachers say of synthetic images.

    Attributes
    ----------
    probabilities : float64 array, shape [n, C]
        The mean over the teachers, as if all classes were equally frequent.
    remoteness : float64 array, shape [n, 3]
        For each teacher, the share of the real images of the class that it has not learned from which lie nearer to
        their nearest neighbour (of these) than the synthetic image does: 1 is further away than any of them.
    copied : bool array, shape [n]
        Nearly equal to a training image, in whatever orientation (`gansynth.gans.fingerprints`).
    """

    probabilities: NDArray[np.float64]
    remoteness: NDArray[np.float64]
    copied: NDArray[np.bool_]

    def unsure(self, labels: NDArray[np.int64], least: float) -> NDArray[np.bool_]:
        """Return which images do not reach this probability of their class, bool [n]."""
        return self.probabilities[np.arange(len(labels)), labels] < least

    def remote(self, most: float) -> NDArray[np.bool_]:
        """Return which images most teachers see further from real ones than this share of them is, bool [n]."""
        return (self.remoteness > most).sum(axis=1) > THIRDS // 2


class Teachers:
    """The three teachers of a training split: trained once, and kept in the workplace for all arms and classifiers.

    Parameters
    ----------
    place : Workplace
        What they learn from is its training part; they are kept in ``folder/teachers``.
    """

    def __init__(self, place: Workplace) -> None:
        self.place, self.folder = place, place.folder / "teachers"
        self.training: CellDataset = place.learning(EDGE).part("train")

    def judge(self, images: CellDataset) -> Judged:
        """Return what the teachers say of synthetic images, whose class names are those of the training part.

        It is kept beside the teachers, so that another arm with the same images asks nobody.
        """
        kept = self.folder / f"judged-{self.digest(images)}.npz"
        if not kept.is_file():
            found = self._ask(images)
            with whole_file(kept) as temporary, temporary.open("wb") as file:
                np.savez(file, **vars(found))
        with np.load(kept, allow_pickle=False) as held:
            return Judged(held["probabilities"], held["remoteness"], held["copied"])

    def digest(self, images: CellDataset) -> str:
        """Return what these images and these teachers are known by, 16 hexadecimal digits."""
        digest = hashlib.sha256(f"{self._identity} {images.size}".encode())
        digest.update("".join(images.records["sha256"]).encode() + images.labels.tobytes())
        return digest.hexdigest()[:16]

    def _ask(self, images: CellDataset) -> Judged:
        from scipy.special import softmax

        from gansynth.gans.fingerprints import TrainingFingerprints

        part, k = self._thirds(), len(self.training.class_names)
        priors = log_priors(np.bincount(self.training.labels, minlength=k))
        probabilities, remoteness = np.zeros((len(images), k)), np.zeros((len(images), THIRDS))
        for third in range(THIRDS):
            teacher, unseen = self._teacher(third, part), self.training.select(np.flatnonzero(part == third))
            # A teacher draws its classes by p ~ n^0.5; what it says is divided by that.
            shifted = np.log(np.clip(teacher(images.images), 1e-12, None)) - 0.5 * priors
            probabilities += softmax(shifted, axis=1) / THIRDS
            real, own = _unit(teacher.features(unseen.images)), _unit(teacher.features(images.images))
            for c in range(k):
                mine = images.labels == c
                remoteness[mine, third] = remoteness_of(own[mine], real[unseen.labels == c])
        validation = self.place.learning(EDGE).part("val")
        prints = TrainingFingerprints.of(self.training.images, validation.images)
        return Judged(probabilities, remoteness, prints.distance(images.images) < prints.copy_threshold)

    @property
    def _identity(self) -> str:
        sources = json.dumps([self.place.seed, EDGE, sorted(map(str, self.training.records["sha256"]))])
        return hashlib.sha256(sources.encode()).hexdigest()

    def _thirds(self) -> NDArray[np.int64]:
        """Return which third each training image belongs to, int64 [N]; a group lies in one third."""
        from gansynth.data.units import assign_units, counts_of_units, inseparable_units

        units = inseparable_units(self.training)
        counts = counts_of_units(units, self.training)
        total = counts.sum(axis=0)
        wanted = np.stack([total // THIRDS + (total % THIRDS > third) for third in range(THIRDS)], axis=1)
        return np.asarray(assign_units(counts, wanted, np.random.default_rng(self.place.seed))[units], np.int64)

    def _teacher(self, third: int, part: NDArray[np.int64]) -> IndependentClassifier:
        """Return the teacher that leaves out a third; trained where it is not there yet."""
        from gansynth.gans.independent_classifier import IndependentClassifier, train_independent_classifier
        from gansynth.runs.device import chosen_device

        device = chosen_device(self.place.device)
        weights, note = self.folder / f"teacher{third}.safetensors", self.folder / f"teacher{third}.json"
        if _says(note, self._identity) and weights.is_file():
            return IndependentClassifier.load(weights, device)
        learning = self.training.select(np.flatnonzero(part != third))
        teacher = train_independent_classifier(learning, seed=self.place.seed + third, device=device)
        self.folder.mkdir(parents=True, exist_ok=True)
        note.unlink(missing_ok=True)
        teacher.save(weights)
        write_json(note, {"identity": self._identity})
        return teacher


def remoteness_of(synthetic: NDArray[np.float32], real: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the share of real images that are nearer to another real one than a synthetic image is, float64 [n].

    Parameters
    ----------
    synthetic, real : float32 array, shape [n, d] and [m, d]
        Features of one class. With fewer than two real images nothing is remote.

    Examples
    --------
    >>> real = np.array([[0.0], [1.0], [3.0]], np.float32)
    >>> remoteness_of(np.array([[0.5], [4.5], [9.0]], np.float32), real).round(2)
    array([0.  , 0.67, 1.  ])
    """
    if len(real) < 2 or not len(synthetic):
        return np.zeros(len(synthetic))
    between = _distances(real, real)
    np.fill_diagonal(between, np.inf)
    own = np.sort(between.min(axis=1))
    return np.searchsorted(own, _distances(synthetic, real).min(axis=1), side="left") / len(own)


def left_out(names: Sequence[str], labels: NDArray[np.int64], dropped: NDArray[np.bool_]) -> str:
    """Return in words how many images of which classes the teachers leave out.

    Examples
    --------
    >>> left_out(["basophil", "monocyte"], np.array([0, 0, 1]), np.array([True, False, False]))
    'teachers left out 1 of 3 synthetic images: 1 of 2 basophil'
    """
    parts = []
    for c, name in enumerate(names):
        mine = labels == c
        if dropped[mine].any():
            parts.append(f"{int(dropped[mine].sum()):,} of {int(mine.sum()):,} {name}")
    of_classes = f": {listed(parts, most=20)}" if parts else ""
    return f"teachers left out {int(dropped.sum()):,} of {len(dropped):,} synthetic images{of_classes}"


def _distances(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(a, b), np.float64)


def _unit(features: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12), np.float32)


def _says(note: Path, identity: str) -> bool:
    try:
        return bool(json.loads(note.read_text(encoding="utf-8")).get("identity") == identity)
    except (OSError, ValueError, AttributeError):
        return False
