"""Whether a GAN has learned from images that something is to be tested on."""

from __future__ import annotations

import numpy as np

from gansynth.data.dataset import CellDataset
from gansynth.data.leaks import refuse_seen
from gansynth.errors import InputError
from gansynth.gans.fingerprints import TrainingFingerprints
from gansynth.gans.run import Run

SAME_PICTURE = 2.0
"""Grey levels between the 8 x 8 averages of two prints of one picture: turned copies of PBC's training images lie
within 0.35 of them, while the nearest of 2,698 held-out cells is 9 away."""


def refuse_leaking_run(run: Run, held_out: CellDataset) -> None:
    """Refuse a run that was trained on held-out images, or on turned, flipped or re-compressed copies of them.

    Parameters
    ----------
    run : Run
    held_out : CellDataset
        Images that nothing may have learned from.

    Raises
    ------
    InputError
        With how many, and one of them.
    """
    refuse_seen(held_out, run.training_sha256, f"GAN {run.name}")
    if run.fingerprints is not None:
        what = f"GAN {run.name}: was trained on"
        refuse_copies(run.fingerprints, held_out, what, "train it on the training split alone")


def refuse_copies(prints: TrainingFingerprints, held_out: CellDataset, what: str, advice: str) -> None:
    """Refuse fingerprints among which are turned, flipped or re-compressed copies of held-out images.

    Parameters
    ----------
    prints : TrainingFingerprints
    held_out : CellDataset
        Images that nothing may have learned from.
    what, advice : str
        How the sentence begins, up to "copies of", and what it says is to be done.

    Raises
    ------
    InputError
        With how many, and one of them.
    """
    if not len(held_out):
        return
    copies = np.flatnonzero(prints.distance(held_out.images) < SAME_PICTURE)
    if len(copies):
        raise InputError(
            f"{what} copies of {len(copies)} of the {len(held_out)} images to be tested on, "
            f"such as {held_out.records['path'].iloc[copies[0]]}; {advice}"
        )
