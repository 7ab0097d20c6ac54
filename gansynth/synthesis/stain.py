"""Synthetic images of a finished folder in the stain of real ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gansynth.cells.stain_matching import StainChange, stain_change
from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.files.atomic import naming
from gansynth.synthesis.provenance import encode_png, read_provenance

LOOKED_AT = 200
"""Images of a class, synthetic and real, from which their stain is measured."""


def change_to(dataset: CellDataset, synthetic: Path, made: Iterable[Mapping[str, str]]) -> StainChange:
    """Find what gives synthetic images the stain of training images.

    Parameters
    ----------
    dataset : CellDataset
        Real images, split.
    synthetic : pathlib.Path
        A folder of `generate`.
    made : iterable of mapping
        The rows of its metadata.csv.

    Raises
    ------
    InputError
        If no class that has synthetic images has a real one, or they differ by more than a stain does.
    """
    files: dict[str, list[str]] = {}
    for row in made:
        of_class = files.setdefault(row["class"], [])
        if len(of_class) < LOOKED_AT:
            of_class.append(row["file_name"])
    if not files:  # every image was screened out: there is nothing to change
        return StainChange(np.ones(3, np.float32), np.ones(3, np.float32))
    images = np.stack([_pixels(synthetic / name) for names in files.values() for name in names])
    classes = [dataset.class_names.index(name) for name in files]
    labels = np.repeat(classes, [len(names) for names in files.values()])
    training = dataset.records["split"].eq("train").to_numpy()
    first = [np.flatnonzero(training & (dataset.labels == c))[:LOOKED_AT] for c in classes]
    real = dataset.select(np.concatenate(first))
    try:
        return stain_change(images, labels, real.images, real.labels)
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
