"""Random over-sampling: images of the rare classes are shown several times, as they are or flipped and turned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gansynth.remedies.parameter import Parameter
from gansynth.remedies.remedy import Remedy, Workplace, counts_of, register, targets
from gansynth.remedies.treatment import Treatment


@register("oversample")
class OverSampling(Remedy):
    """Every row of a class is repeated equally often, and of the remainder each at most once more, drawn at random."""

    noun = "over-sampling"
    action = "showing the rarer classes more often"
    takes_dose = True
    cheap = True

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        n = counts_of(treatment)
        rows = [treatment.rows]
        for c, wanted in enumerate(targets(n, self.dose)):
            mine = treatment.rows[treatment.labels == c]
            if len(mine) == 0:
                continue
            rng = np.random.default_rng((place.draws_by, c))
            times, rest = divmod(int(wanted) - len(mine), len(mine))
            rows += [np.tile(mine, times), rng.permutation(mine)[:rest]]
        return replace(treatment, rows=np.concatenate(rows))


@register("oversample-turned")
class TurnedOverSampling(OverSampling):
    """As `oversample`, but an image is repeated flipped and turned, each time otherwise; at first it is itself."""

    noun = "over-sampling with turned images"
    action = "showing the rarer classes more often, flipped and turned"
    parameters = (Parameter("degrees", 15.0, 0.0, 180.0, "by which it is turned at most"),)

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        return replace(super().treat(treatment, place), turned_repeats=self.values["degrees"])
