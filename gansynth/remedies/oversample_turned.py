"""Over-sampling with flips and small turns: the over-sampling of pasupa2020 (section 4.2)."""

from __future__ import annotations

from dataclasses import replace

from gansynth.remedies.oversample import OverSampling
from gansynth.remedies.parameter import Parameter
from gansynth.remedies.remedy import Workplace, register
from gansynth.remedies.treatment import Treatment


@register("oversample-turned")
class TurnedOverSampling(OverSampling):
    """As `oversample`, but an image is repeated flipped and turned, each time otherwise; at first it is itself."""

    noun = "over-sampling with turned images"
    action = "showing the rarer classes more often, flipped and turned"
    parameters = (Parameter("degrees", 15.0, 0.0, 180.0, "by which it is turned at most"),)

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        return replace(super().treat(treatment, place), turned_repeats=self.values["degrees"])
