"""Whether a GAN has learned from images that something is to be tested on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gansynth.data.dataset import CellDataset
from gansynth.data.leaks import refuse_seen
from gansynth.errors import InputError
from gansynth.gans.fingerprints import TrainingFingerprints
from gansynth.gans.run import Run

SAME_PICTURE = 2.0
"""Grey levels between the 8 x 8 averages of two prints of one picture: turned copies of PBC's training images lie
within 0.35 of them, while the nearest of 2,698 held-out cells is 9 away."""


_BLOCK = 1024
"""Images that are in memory at once."""


def refuse_leaking_run(run: Run, dataset: CellDataset, held_out: NDArray[np.int64] | None = None) -> None:
    """Refuse a run that was trained on held-out images, or on turned, flipped or re-compressed copies of them.

    Parameters
    ----------
    run : Run
    dataset : CellDataset
    held_out : int64 array, optional
        Rows of the images that nothing may have learned from. Default: all.

    Raises
    ------
    InputError
        With how many, and one of them.
    """
    rows = np.arange(len(dataset)) if held_out is None else held_out
    refuse_seen(dataset.without_pixels().select(rows), run.training_sha256, f"GAN {run.name}")
    if run.fingerprints is not None:
        what = f"GAN {run.name}: was trained on"
        refuse_copies(run.fingerprints, dataset, rows, what, "train it on the training split alone")


def refuse_copies(
    prints: TrainingFingerprints, dataset: CellDataset, held_out: NDArray[np.int64], what: str, advice: str
) -> None:
    """Refuse fingerprints among which are turned, flipped or re-compressed copies of held-out images.

    Parameters
    ----------
    prints : TrainingFingerprints
    dataset : CellDataset
    held_out : int64 array
        Rows of the images that nothing may have learned from.
    what, advice : str
        How the sentence begins, up to "copies of", and what it says is to be done.

    Raises
    ------
    InputError
        With how many, and one of them.
    """
    if not len(held_out):
        return
    blocks = [held_out[i : i + _BLOCK] for i in range(0, len(held_out), _BLOCK)]
    distance = np.concatenate([prints.distance(dataset.images[rows]) for rows in blocks])
    copies = held_out[distance < SAME_PICTURE]
    if len(copies):
        raise InputError(
            f"{what} copies of {len(copies)} of the {len(held_out)} images to be tested on, "
            f"such as {dataset.records['path'].iloc[copies[0]]}; {advice}"
        )
