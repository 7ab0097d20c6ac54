"""Multi-class focal loss (pasupa2020): images that are classified surely count less."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gansynth.remedies.class_weights import Weights, as_tensor, inverse_frequency
from gansynth.remedies.parameter import Parameter
from gansynth.remedies.remedy import Remedy, Workplace, counts_of, register
from gansynth.remedies.treatment import Treatment

if TYPE_CHECKING:
    from torch import Tensor

PASUPA_ALPHA = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
"""What pasupa2020 searched, with gamma 2 (table 1)."""


@dataclass(frozen=True)
class FocalLoss:
    """Mean over the images of -alpha w_y (1 - p_y)^gamma log p_y, p the softmax (pasupa2020, eq. 3 and 4).

    1 - p_y is computed as the probability of the other classes: no power of a rounded zero, whose gradient is none.

    Attributes
    ----------
    gamma : float
        0 is the cross-entropy.
    alpha : float
        One factor for all classes, as the paper has it. AdamW divides it out again, but for its epsilon.
    weights : tuple of float, length C
        Not in the paper: all 1 there.
    """

    gamma: float
    alpha: float
    weights: Weights

    def __call__(self, logits: Tensor, labels: Tensor, done: float = 0.0) -> Tensor:
        """Return the loss of logits [n, C] and labels int64 [n]."""
        import torch

        all_classes = torch.logsumexp(logits, dim=1)
        others = logits.scatter(1, labels[:, None], -torch.inf)
        log_p = logits.gather(1, labels[:, None])[:, 0] - all_classes
        log_rest = torch.logsumexp(others, dim=1) - all_classes
        each = -as_tensor(self.weights, logits)[labels] * torch.exp(self.gamma * log_rest) * log_p
        return self.alpha * each.mean()


@register("focal")
class Focal(Remedy):
    """The focal loss instead of the cross-entropy; with ``power`` above 0, rare classes weigh more in it too."""

    parameters = (
        Parameter("gamma", 2.0, 0.0, 10.0, "how little a sure image counts"),
        Parameter("alpha", 1.0, 0.01, 100.0, "factor of the whole loss", tried=PASUPA_ALPHA),
        Parameter("power", 0.0, 0.0, 2.0, "classes weigh 1 / n^power"),
    )
    neural_only = True
    cheap = True
    decides = "the loss"

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        gamma, alpha, power = (self.values[name] for name in ("gamma", "alpha", "power"))
        return replace(treatment, loss=FocalLoss(gamma, alpha, inverse_frequency(counts_of(treatment), power)))
