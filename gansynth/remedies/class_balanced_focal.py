"""Class-balanced focal loss on effective numbers: the CBCM of guo2022."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gansynth.remedies.class_weights import Weights, as_tensor, class_balanced
from gansynth.remedies.parameter import Parameter
from gansynth.remedies.remedy import Remedy, Workplace, counts_of, register
from gansynth.remedies.treatment import Treatment

if TYPE_CHECKING:
    from torch import Tensor

GUO_BETA, GUO_GAMMA = (0.9, 0.99, 0.999, 0.9999), (0.5, 1.0, 2.0)
"""What guo2022 chose from (section 2.5)."""


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
