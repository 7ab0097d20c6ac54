"""Logit adjustment: a network learns what it would say if all classes were equally frequent (Menon et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gansynth.remedies.class_weights import Weights, as_tensor, log_priors
from gansynth.remedies.parameter import Parameter
from gansynth.remedies.remedy import Remedy, Workplace, counts_of, register
from gansynth.remedies.treatment import Treatment

if TYPE_CHECKING:
    from torch import Tensor

_TAU = (0.25, 0.5, 1.0, 1.5)


@dataclass(frozen=True)
class LogitAdjustedLoss:
    """Cross-entropy of z + tau log prior: the network's own logits are then those for equal priors.

    Attributes
    ----------
    shifts : tuple of float, length C
        tau log prior; 0 for a class without images, which is pushed down as the cross-entropy does it.

    References
    ----------
    Menon et al. 2021, "Long-tail learning via logit adjustment", ICLR, eq. 10.
    """

    shifts: Weights

    def __call__(self, logits: Tensor, labels: Tensor, done: float = 0.0) -> Tensor:
        """Return the loss of logits [n, C] and labels int64 [n]."""
        from torch.nn import functional as F

        return F.cross_entropy(logits + as_tensor(self.shifts, logits), labels)


@register("logit-adjustment")
class LogitAdjustment(Remedy):
    """The logits are shifted by the log frequencies of the classes while learning, and not when predicting."""

    parameters = (Parameter("tau", 1.0, 0.0, 10.0, "1 assumes equal classes; 0 is the cross-entropy", tried=_TAU),)
    neural_only = True
    cheap = True
    decides = "the loss"

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        shifts = self.values["tau"] * log_priors(counts_of(treatment))
        return replace(treatment, loss=LogitAdjustedLoss(tuple(shifts.tolist())))
