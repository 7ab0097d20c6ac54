"""Weighted cross-entropy, and weighted forests and support vectors: an image counts more the rarer its class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gansynth.remedies.class_weights import Weights, as_tensor, inverse_frequency
from gansynth.remedies.parameter import Parameter
from gansynth.remedies.remedy import Remedy, Workplace, counts_of, register
from gansynth.remedies.treatment import Treatment

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class WeightedCrossEntropy:
    """Mean over the images of -w_y log p_y.

    The sum is divided by the number of images, not by the sum of their weights as torch does it: else a batch without
    a rare image would count as much as one with it.

    Attributes
    ----------
    weights : tuple of float, length C
    """

    weights: Weights

    def __call__(self, logits: Tensor, labels: Tensor, done: float = 0.0) -> Tensor:
        """Return the loss of logits [n, C] and labels int64 [n]."""
        from torch.nn import functional as F

        each = F.cross_entropy(logits, labels, reduction="none")
        return (as_tensor(self.weights, logits)[labels] * each).mean()


@register("weighted")
class Weighted(Remedy):
    """Classes weigh 1 / n^power: with power 1 (scikit-learn's "balanced") all of them weigh the same.

    A network gets the weighted cross-entropy (guo2022, table 4); forests, support vectors, logistic regression and
    naive Bayes weigh their images.
    """

    parameters = (Parameter("power", 1.0, 0.0, 2.0, "weights are 1 / n^power", tried=(0.25, 0.5, 0.75, 1.0)),)
    cheap = True
    decides = "the loss"

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        weights = inverse_frequency(counts_of(treatment), self.values["power"])
        return replace(treatment, loss=WeightedCrossEntropy(weights), class_weight=np.array(weights))
