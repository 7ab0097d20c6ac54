"""Balanced batches: a batch draws its classes equally often, and then an image of each."""

from __future__ import annotations

from dataclasses import replace

from gansynth.remedies.parameter import Parameter
from gansynth.remedies.remedy import Remedy, Workplace, register
from gansynth.remedies.treatment import Treatment

_ALPHA = (0.0, 0.25, 0.5, 0.75)


@register("balanced-batches")
class BalancedBatches(Remedy):
    """Classes are drawn by p ~ n^alpha, images with replacement, whatever the recipe says of sampling."""

    noun = "balanced batches"
    parameters = (Parameter("alpha", 0.0, 0.0, 1.0, "0 draws all classes equally often, 1 as they are", tried=_ALPHA),)
    neural_only = True
    cheap = True
    decides = "how batches are drawn"

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        return replace(treatment, sampling=self.values["alpha"])
