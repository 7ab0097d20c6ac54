"""Composites of training images: the remedy of abouali2023."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gansynth.remedies.added_images import kept_images, with_images
from gansynth.remedies.remedy import Remedy, Workplace, counts_of, register, targets
from gansynth.remedies.treatment import Treatment

if TYPE_CHECKING:
    from pathlib import Path

    from gansynth.data.dataset import CellDataset

LEAST_EDGE = 128
"""Cells are cut and composed at this edge, in pixels, or at that of the data where it is larger."""


@register("naturalize")
class Naturalize(Remedy):
    """Cells, red cells and slides of the training images are composed to new images, up to the targets.

    They are made once for a split and shared by all doses and classifiers: a smaller dose takes the first images of a
    larger one.
    """

    noun = "composites of training images"
    makes_images = True
    takes_dose = True

    def wanted(self, treatment: Treatment) -> NDArray[np.int64]:
        """Return how many composites each class gets, int64 [C]."""
        n = counts_of(treatment)
        return targets(n, self.dose) - n

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        from gansynth.synthesis.naturalize.naturalizing import naturalize

        real, wanted = treatment.images, self.wanted(treatment)
        counts = {real.class_names[c]: int(wanted[c]) for c in np.flatnonzero(wanted)}
        if not counts:
            return treatment
        training = _sources(real, place)

        def make(more: dict[str, int], out: Path) -> None:
            naturalize(training, more, out, seed=place.seed, progress=place.progress)

        sources = sorted(map(str, training.records["sha256"]))
        identity: dict[str, int | list[str]] = {"seed": place.seed, "size": training.size, "training": sources}
        folder = kept_images(place.folder / "naturalize", identity, counts, make)
        return with_images(treatment, folder, wanted, place.folder / "cache")


def _sources(real: CellDataset, place: Workplace) -> CellDataset:
    """Return the real images of a treatment, larger than a classifier sees them where the data are."""
    own = real.select(np.flatnonzero(real.records["origin"] != "synthetic"))
    if own.size >= LEAST_EDGE:
        return own
    larger = place.learning(LEAST_EDGE)
    names = set(zip(own.records["sha256"], own.records["path"], strict=True))
    there = zip(larger.records["sha256"], larger.records["path"], strict=True)
    # Only what this treatment learns from: a validation image is not its to cut up.
    kept = larger.select(np.array([key in names for key in there], dtype=bool))
    return kept if len(kept) == len(own) else own
