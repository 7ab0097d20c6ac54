"""Ordinary augmentation: the control that every other remedy has to beat."""

from __future__ import annotations

from dataclasses import replace

from gansynth.remedies.remedy import Remedy, Workplace, register
from gansynth.remedies.treatment import Treatment


@register("augmentation")
class OrdinaryAugmentation(Remedy):
    """Flips, rotations and a slight jitter of colour, drawn anew each time an image is shown; the classes stay as
    unequal as they are."""

    noun = "ordinary augmentation"
    cheap = True

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        return replace(treatment, augmented=True)
