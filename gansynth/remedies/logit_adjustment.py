"""Logit adjustment (Menon et al. 2021), while learning or afterwards.

A network learns what it would say if all classes were equally frequent; or a classifier learns as it would, and its
thresholds move when it predicts.
"""

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

    noun = "logit adjustment"
    parameters = (Parameter("tau", 1.0, 0.0, 10.0, "1 assumes equal classes; 0 is the cross-entropy", tried=_TAU),)
    neural_only = True
    cheap = True
    decides = "the loss"

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        shifts = self.values["tau"] * log_priors(counts_of(treatment))
        return replace(treatment, loss=LogitAdjustedLoss(tuple(shifts.tolist())))


@register("posthoc-logit-adjustment")
class PosthocLogitAdjustment(Remedy):
    """What a classifier says of a class is divided by the class's frequency to the power tau; nothing else changes.

    It costs nothing, and is what every remedy that costs something has to beat: most of what a loss or a sampling
    gives to a rare class, it takes by calling more cells rare.

    References
    ----------
    Menon et al. 2021, "Long-tail learning via logit adjustment", ICLR, section 4.1, eq. 9.
    """

    noun = "logit adjustment after training"
    parameters = (
        Parameter("tau", 1.0, 0.0, 10.0, "1 assumes equal classes; 0 moves nothing", tried=(0.25, 0.5, 0.75, 1.0)),
    )
    cheap = True
    decides = "the loss"

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        shifts = -self.values["tau"] * log_priors(counts_of(treatment))
        return replace(treatment, prediction_shift=tuple(shifts.tolist()))
