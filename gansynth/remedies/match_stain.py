"""Synthetic cells from elsewhere in the stain of the real ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gansynth.cells.stain_matching import stain_change
from gansynth.errors import InputError
from gansynth.remedies.remedy import Remedy, Workplace, register
from gansynth.remedies.treatment import Treatment


@register("match-stain")
class MatchStain(Remedy):
    """Synthetic images of the parts before it are shown in the stain and on the slide of the real training images.

    A generator draws the stain of the laboratory that it learned from. In another laboratory its cells differ from the
    real ones of every class by their colour, and a classifier learns that colour for the rare class.
    """

    noun = "synthetic images in the stain of the real ones"
    action = "showing synthetic images in the stain of the real ones"
    needs_synthetic = True

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        from gansynth.data.dataset import CellDataset
        from gansynth.data.picture import pixel_sha256

        images, real = treatment.images, int((~treatment.is_synthetic).sum())  # real ones stand first
        if real == len(images):  # nothing was asked for: a dose of 0, or classes that are balanced
            return treatment
        made = images.images[real:]
        try:
            change = stain_change(made, images.labels[real:], images.images[:real], images.labels[:real])
        except ValueError as error:
            raise InputError(f"match-stain: {error}") from error
        pixels, records = np.array(images.images), images.records.copy()
        pixels[real:] = change(made)
        records.loc[records.index[real:], "sha256"] = [pixel_sha256(one.transpose(1, 2, 0)) for one in pixels[real:]]
        note = f"match-stain: synthetic images in the stain of the real ones (red, green, blue: {change})"
        changed = CellDataset(pixels, images.labels, images.class_names, records)
        return replace(treatment, images=changed, notes=(*treatment.notes, note))
