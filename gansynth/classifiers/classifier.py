"""What every classifier is: probabilities of classes for images, and the images it has seen."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from gansynth.classifiers.curves import Epoch
from gansynth.errors import InputError
from gansynth.recipes.classifier import ClassifierRecipe

RANDOM_FROZEN = "random frozen"
"""What is said of the weights of a trunk that was drawn at random and does not learn."""


class Classifier(ABC):
    """A trained classifier.

    Attributes
    ----------
    recipe : ClassifierRecipe
    class_names : tuple of str
        What column c of the probabilities means.
    seen_sha256 : frozenset of str
        The sha256 of every image that anything in it was fitted on: weights, scaler, principal components, encoder.
        Synthetic ones too.
    chosen_on_sha256 : frozenset of str
        Those of the validation images that a choice was made on: early stopping, calibration.
    curve : list of Epoch
        How it did after each epoch. Empty for classical classifiers.
    weights : str
        "pretrained", "none" or "random frozen" (only the head has learned) for a backbone, else "".
    """

    recipe: ClassifierRecipe
    class_names: tuple[str, ...]
    seen_sha256: frozenset[str]
    chosen_on_sha256: frozenset[str]
    curve: list[Epoch]
    weights: str = ""

    @property
    def resolution(self) -> int:
        """Edge length in pixels of the images it is given."""
        return self.recipe.resolution

    @abstractmethod
    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the probability of each class.

        Parameters
        ----------
        images : uint8 array, shape [n, 3, resolution, resolution]
            RGB, 0..255.

        Returns
        -------
        float64 array, shape [n, C]
            Rows sum to 1.

        Raises
        ------
        InputError
            For images of another size.
        """

    def refuse_other_size(self, images: NDArray[np.uint8]) -> None:
        """Refuse images that are not of this classifier's resolution."""
        size = (3, self.resolution, self.resolution)
        if images.ndim != 4 or images.shape[1:] != size:
            raise InputError(
                f"classifier {self.recipe.name} takes images of {self.resolution} x {self.resolution} px, found "
                f"{' x '.join(map(str, images.shape[1:]))}; open the data with size={self.resolution}"
            )
