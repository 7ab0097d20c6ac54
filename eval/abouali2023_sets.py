"""The training sets of abouali2023 as remedies: composites of promyelocytes, of five classes, and a balanced set.

The paper adds numbers of images to PBC as it is. Here they are scaled, so that a training split of any size gets as
many composites for each of its images as the paper's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from abouali2023_paper import COMPOSED, COMPOSED_PMY, RAREST, TABLE_3
from gansynth.remedies import Treatment, Workplace, register
from gansynth.remedies.naturalize import Naturalize
from gansynth.remedies.remedy import counts_of

REAL = sum(TABLE_3.values()) - COMPOSED_PMY
"""Real images of the paper's set 419-PMY."""

SETS = {
    "Original": "augmentation",
    "419-PMY": "augmentation+naturalize-rarest",
    "1K": "augmentation+naturalize-five@1",
    "2K": "augmentation+naturalize-five@2",
    "1K-class": "augmentation+naturalize-equal",
}
"""The paper's sets and our arms; flips and turns are its second augmentation."""


def composed_classes(counts: dict[str, int]) -> list[str]:
    """Return the classes that are composed: the paper's five; on other data the five smallest, at most half of all."""
    own = [name for name in COMPOSED if name in counts]
    if own:
        return own
    return sorted(counts, key=lambda name: (counts[name], name))[: min(5, len(counts) // 2)]


def rarest_class(counts: dict[str, int]) -> str:
    """Return the promyelocyte; on other data the smallest class."""
    return RAREST if RAREST in counts else min(counts, key=lambda name: (counts[name], name))


class _Scaled(Naturalize):
    """Composites in numbers of the paper, scaled to the training split."""

    def scaled(self, treatment: Treatment, added: dict[str, float]) -> NDArray[np.int64]:
        """Return how many composites each class gets, int64 [C]."""
        scale = counts_of(treatment).sum() / REAL
        return np.array([round(scale * added.get(name, 0)) for name in treatment.images.class_names], np.int64)


@register("naturalize-rarest")
class Rarest(_Scaled):
    """The set 419-PMY: 592 composites of the promyelocyte."""

    noun = "composites of the rarest class"
    takes_dose = False

    def wanted(self, treatment: Treatment) -> NDArray[np.int64]:
        return self.scaled(treatment, {rarest_class(treatment.counts()): COMPOSED_PMY})


@register("naturalize-five")
class Five(_Scaled):
    """The sets 1K and 2K: besides, 1,000 composites of each of five classes for every unit of the dose."""

    noun = "composites of the five rarest classes"

    def wanted(self, treatment: Treatment) -> NDArray[np.int64]:
        counts = treatment.counts()
        added = dict.fromkeys(composed_classes(counts), 1000 * self.dose)
        added[rarest_class(counts)] = added.get(rarest_class(counts), 0) + COMPOSED_PMY
        return self.scaled(treatment, added)


@register("naturalize-equal")
class Equal(_Scaled):
    """The set 1K-class: every class has 1,000 images; larger ones are thinned, smaller ones filled by composites."""

    noun = "classes of one size, thinned or filled by composites"
    takes_dose = False

    def wanted(self, treatment: Treatment) -> NDArray[np.int64]:
        return np.maximum(self._target - counts_of(treatment), 0)

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        self._target = round(1000 * counts_of(treatment).sum() / REAL)
        rows = _thinned(treatment.rows, treatment.labels, self._target, place.draws_by)
        return super().treat(replace(treatment, rows=rows), place)


def _thinned(rows: NDArray[np.int64], labels: Sequence[int] | NDArray[np.int64], most: int, seed: int) -> NDArray:
    rng, kept = np.random.default_rng(seed), []
    for c in np.unique(labels):
        mine = np.flatnonzero(np.asarray(labels) == c)
        kept.append(mine if len(mine) <= most else rng.choice(mine, most, replace=False))
    return rows[np.sort(np.concatenate(kept))]
