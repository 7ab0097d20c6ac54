"""Multi-class focal loss (pasupa2020): images that are classified surely count less."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gansynth.remedies.class_weights import Weights, as_tensor, class_balanced, inverse_frequency
from gansynth.remedies.parameter import Parameter
from gansynth.remedies.remedy import Remedy, Workplace, counts_of, register
from gansynth.remedies.treatment import Treatment

if TYPE_CHECKING:
    from torch import Tensor

PASUPA_ALPHA = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
"""What pasupa2020 searched, with gamma 2 (table 1)."""

GUO_BETA, GUO_GAMMA = (0.9, 0.99, 0.999, 0.9999), (0.5, 1.0, 2.0)
"""What guo2022 chose from (section 2.5)."""


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

    noun = "focal loss"
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


@dataclass(frozen=True)
class ClassBalancedFocalLoss:
    """Mean over the images of -w_y sum_i (1 - p_i^t)^gamma log p_i^t (guo2022, eq. 5).

    Every class has a sigmoid of its own: p_i^t = sigmoid(z_i) for the true class, sigmoid(-z_i) for the others (eq. 1).

    Attributes
    ----------
    gamma : float
    weights : tuple of float, length C
        ~ (1 - beta) / (1 - beta^n_y), in the paper; here 1 on average over the images, so that beta changes how classes
        weigh against each other and not the size of the loss.
    """

    gamma: float
    weights: Weights

    def __call__(self, logits: Tensor, labels: Tensor, done: float = 0.0) -> Tensor:
        """Return the loss of logits [n, C] and labels int64 [n]."""
        import torch
        from torch.nn import functional as F

        sign = torch.full_like(logits, -1.0).scatter(1, labels[:, None], 1.0)
        z = sign * logits
        focal = -(torch.exp(self.gamma * F.logsigmoid(-z)) * F.logsigmoid(z)).sum(dim=1)
        return (as_tensor(self.weights, logits)[labels] * focal).mean()


@register("cb-focal")
class ClassBalancedFocal(Remedy):
    """Focal loss with a sigmoid for each class, weighed by the effective number of its images."""

    noun = "class-balanced focal loss"
    parameters = (
        Parameter("beta", 0.9, 0.0, 0.999999, "0 weighs no class; near 1 they weigh 1 / n", tried=GUO_BETA),
        Parameter("gamma", 2.0, 0.0, 10.0, "how little a sure image counts", tried=GUO_GAMMA),
    )
    neural_only = True
    cheap = True
    decides = "the loss"

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        weights = class_balanced(counts_of(treatment), self.values["beta"])
        return replace(treatment, loss=ClassBalancedFocalLoss(self.values["gamma"], weights))
