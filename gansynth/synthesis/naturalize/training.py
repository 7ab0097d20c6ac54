"""What may be cut up: the real training images of a data set, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gansynth.cells.segmentation import CellMasks, segment_cell
from gansynth.data.dataset import CellDataset
from gansynth.data.opening import open_dataset
from gansynth.data.split import split_dataset
from gansynth.errors import InputError


def training_images(data: str | Path | CellDataset, size: int = 128, *, seed: int = 0) -> CellDataset:
    """Return the real images of the training split.

    Parameters
    ----------
    data : path-like, "phantom" or CellDataset
        Its split is taken from its splits.csv; without one it is split by the defaults of `data split` with `seed`,
        as `train_gan` and `balance` do.
    size : int
        Edge length of the images, where `data` is no `CellDataset`.
    seed : int

    Raises
    ------
    InputError
        If the training split holds no real image.
    """
    dataset = data if isinstance(data, CellDataset) else open_dataset(data, size)
    if not (dataset.records["split"] == "train").any():
        dataset = split_dataset(dataset, seed=seed)
    training = dataset.part("train")
    real = (training.records["origin"] != "synthetic").to_numpy()
    if not real.any():
        raise InputError("the training split holds synthetic images only; compose from the original data set")
    return training if real.all() else training.select(np.flatnonzero(real))


def chosen_segmenter(
    name: str, weights_dir: str | Path | None = None, device: str = "auto"
) -> tuple[Callable[[NDArray[np.uint8]], CellMasks], str]:
    """Return the segmenter of a name ("classical" or "sam"), and what its cuts are known by.

    Raises
    ------
    InputError
        If the name is unknown, or what it needs is absent.
    """
    if name == "classical":
        return segment_cell, name
    if name == "sam":
        from gansynth.cells.sam import sam_segmenter
        from gansynth.runs.device import chosen_device

        return sam_segmenter(weights_dir, str(chosen_device(device)))
    raise InputError(f"segmenter '{name}': there are classical and sam")
