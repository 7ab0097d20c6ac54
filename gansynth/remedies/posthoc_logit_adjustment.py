"""Post-hoc logit adjustment: a classifier learns as it would, and its thresholds move when it predicts (Menon 2021)."""

from __future__ import annotations

from dataclasses import replace

from gansynth.remedies.class_weights import log_priors
from gansynth.remedies.parameter import Parameter
from gansynth.remedies.remedy import Remedy, Workplace, counts_of, register
from gansynth.remedies.treatment import Treatment


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
