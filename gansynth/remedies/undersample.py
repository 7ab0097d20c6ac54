"""Random under-sampling: images of the large classes are left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gansynth.errors import InputError
from gansynth.remedies.remedy import Remedy, Workplace, counts_of, register
from gansynth.remedies.treatment import Treatment


@register("undersample")
class UnderSampling(Remedy):
    """At dose 1 every class has as many images as the smallest; at a smaller dose it goes that share of the way."""

    noun = "under-sampling"
    action = "leaving out images of the frequent classes"
    takes_dose = True
    cheap = True

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        if self.dose > 1:
            raise InputError(
                f"undersample@{self.dose:g}: no class can have fewer than the smallest; give a dose up to 1"
            )
        n = counts_of(treatment)
        least = n[n > 0].min(initial=len(treatment.rows))
        rows = []
        for c in np.flatnonzero(n):
            keep = round(n[c] - self.dose * (n[c] - least))
            mine = treatment.rows[treatment.labels == c]
            rows.append(np.random.default_rng((place.draws_by, int(c))).permutation(mine)[:keep])
        return replace(treatment, rows=np.sort(np.concatenate(rows)))
