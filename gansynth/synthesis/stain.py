"""Synthetic images of a finished folder in the stain of real ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from gansynth.cells.stain_matching import StainChange, stain_change
from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.files.atomic import naming
from gansynth.synthesis.provenance import encode_png, read_provenance

LOOKED_AT = 200
"""Synthetic images of a class from which their stain is measured."""


def change_to(training: CellDataset, synthetic: Path, made: pd.DataFrame) -> StainChange:
    """Find what gives synthetic images the stain of training images.

    Parameters
    ----------
    training : CellDataset
        Real images, at the size of the synthetic ones.
    synthetic : pathlib.Path
        A folder of `generate`.
    made : pandas.DataFrame
        Its metadata.csv.

    Raises
    ------
    InputError
        If no class that has synthetic images has a real one, or they differ by more than a stain does.
    """
    first = made.groupby("class", sort=False).head(LOOKED_AT)
    images = np.stack([_pixels(synthetic / name) for name in first["file_name"]])
    labels = np.array([training.class_names.index(name) for name in first["class"]], np.int64)
    try:
        return stain_change(images, labels, np.asarray(training.images), training.labels)
    except ValueError as error:
        raise InputError(f"--match-stain: {error}; leave it out, and --resume keeps what was generated") from error


def write_changed(source: Path, place: Path, change: StainChange) -> None:
    """Write a synthetic image in another stain; the file says so."""
    provenance = read_provenance(source)
    if provenance is None:
        raise InputError(f"{source}: does not say that gansynth made it")
    (image,) = change(_pixels(source)[None])
    with naming(place):
        place.write_bytes(encode_png(image, replace(provenance, stain=str(change))))


def _pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).transpose(2, 0, 1)
