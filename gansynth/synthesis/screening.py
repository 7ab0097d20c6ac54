"""Which generated images are kept: of the class an independent classifier sees, no copies, none that burst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from gansynth.errors import InputError

if TYPE_CHECKING:
    from gansynth.gans import Run


def check_confidence(min_confidence: float | None) -> None:
    """Refuse (InputError) what is not a probability; None asks for nothing."""
    if min_confidence is not None and not 0 <= min_confidence <= 1:
        raise InputError(f"a minimum confidence of {min_confidence}: give a probability from 0 to 1")


@dataclass(frozen=True)
class Screened:
    """What the screen says about a chunk of images of one class.

    Attributes
    ----------
    confidence : float32 array, shape [n], or None
        Probability of the asked class by the independent classifier; None without one.
    distance : float32 array, shape [n], or None
        Root mean square grey levels to the nearest training image; None without fingerprints.
    rejected : bool array, shape [n]
        Not seen as the class, or not surely enough.
    copied : bool array, shape [n]
        Nearly equal to a training image; counted here only where not rejected already.
    broken : bool array, shape [n]
        Farther from every training image than real cells of the class are (`TrainingFingerprints.limit`); counted
        here only where not rejected already.
    """

    confidence: NDArray[np.float32] | None
    distance: NDArray[np.float32] | None
    rejected: NDArray[np.bool_]
    copied: NDArray[np.bool_]
    broken: NDArray[np.bool_]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """What nothing speaks against, bool [n]."""
        return ~(self.rejected | self.copied | self.broken)


class Screen:
    """Measure images, and mark those that shall not be kept.

    Parameters
    ----------
    run : Run
        Gives the independent classifier (trained on the training split, never the third player that
        trained the generator) and the fingerprints of the training images, as far as it has them.
    device : torch.device
        Where the classifier runs.
    min_confidence : float or None
        Keep only images that the classifier assigns to the class with at least this probability.
    keep_copies : bool
        Do not mark copies.
    keep_broken : bool
        Do not mark broken images.

    Raises
    ------
    InputError
        If `min_confidence` is not a probability, or the run has no independent classifier to ask.
    """

    def __init__(
        self,
        run: Run,
        device: torch.device,
        min_confidence: float | None = None,
        *,
        keep_copies: bool = False,
        keep_broken: bool = False,
    ) -> None:
        check_confidence(min_confidence)
        self._classifier = run.independent_classifier(device)
        self._fingerprints = run.fingerprints
        self._min_confidence = min_confidence
        self._keep_copies, self._keep_broken = keep_copies, keep_broken
        if min_confidence is not None and self._classifier is None:
            raise InputError(
                f"{run.name}: has no independent classifier to screen by; generate without a minimum confidence, "
                "or train the run again with its classifier"
            )

    @property
    def may_drop(self) -> bool:
        """Whether an image can fail, so that more may have to be generated than are kept."""
        by_distance = self._fingerprints is not None and not (self._keep_copies and self._keep_broken)
        return self._min_confidence is not None or by_distance

    def __call__(self, images: NDArray[np.uint8], class_index: int) -> Screened:
        """Screen images [n, 3, R, R] that were generated for the class `class_index`."""
        confidence = distance = None
        rejected, copied, broken = np.zeros((3, len(images)), dtype=bool)
        if self._classifier is not None:
            probabilities = np.asarray(self._classifier(images))
            confidence = probabilities[:, class_index].astype(np.float32)
            if self._min_confidence is not None:
                rejected = (probabilities.argmax(axis=1) != class_index) | (confidence < self._min_confidence)
        if self._fingerprints is not None:
            distance = np.asarray(self._fingerprints.distance(images), dtype=np.float32)
            if not self._keep_copies:
                copied = (distance < self._fingerprints.copy_threshold) & ~rejected
            if not self._keep_broken:
                broken = (distance > self._fingerprints.limit(class_index)) & ~rejected
        return Screened(confidence, distance, rejected, copied, broken)
