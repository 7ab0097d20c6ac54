"""Which cells a contact sheet shows: in what order, and beside which real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gansynth.data.opening import open_dataset
from gansynth.errors import InputError
from gansynth.metrics.appearance import appearance, nearest_in_any_orientation
from gansynth.studies.quality.sets import WITHOUT_CLASSES, Images, common_size, open_sets

Sort = Literal["name", "random", "confidence", "nearest"]
SORTS: tuple[Sort, ...] = get_args(Sort)

ORDERS: dict[Sort, str] = {
    "name": "by name",
    "random": "at random",
    "confidence": "least sure first (p: an independent classifier's probability of the class)",
    "nearest": "nearest to a training image first",
}
"""What each order is, in words."""


@dataclass(frozen=True)
class SheetCell:
    """One cell of a sheet.

    Attributes
    ----------
    image : uint8 array [3, R, R]
    origin : str
        "real", "synthetic" or "phantom".
    caption : str
        What it was sorted by, or how far its partner is; may be empty.
    """

    image: NDArray[np.uint8]
    origin: str
    caption: str = ""


@dataclass(frozen=True)
class SheetClass:
    """The cells of one class.

    Attributes
    ----------
    name : str
    count : int
        Cells of the folder in this class, of which some are shown.
    cells : sequence of SheetCell
    real : sequence of SheetCell
        Cells to be shown beside them; in pairs, one for each of `cells`.
    """

    name: str
    count: int
    cells: Sequence[SheetCell]
    real: Sequence[SheetCell] = ()


@dataclass(frozen=True)
class ContactSheet:
    """What a contact sheet shows.

    Attributes
    ----------
    classes : sequence of SheetClass
    sort : Sort
    pairs : bool
        Whether the real cells are the nearest ones to each cell.
    real : str
        What the real cells are: "real, held out", "training" or "real"; empty without any.
    warnings : tuple of str
    """

    classes: Sequence[SheetClass]
    sort: Sort
    pairs: bool = False
    real: str = ""
    warnings: tuple[str, ...] = ()


def contact_sheet(
    folder: str | Path,
    beside: str | Path | None = None,
    *,
    sort: Sort = "name",
    pairs: bool = False,
    per_class: int = 8,
    size: int | None = None,
    seed: int = 0,
    cache_dir: Path | None = None,
    progress: bool = False,
) -> ContactSheet:
    """Choose the cells of a contact sheet.

    Parameters
    ----------
    folder : path-like
        Images per class, or images alone.
    beside : path-like, optional
        Real images. Where they have a split, cells are shown beside validation and test images, and the nearest ones
        are looked for among the training images.
    sort : {"name", "random", "confidence", "nearest"}
        Confidence stands in the ``metadata.csv`` that `generate` writes. How near the nearest training image of the
        class is, in any orientation, is computed from `beside` (as `gansynth.quality` does), or read from that table.
    pairs : bool
        Show the nearest real image under each cell, instead of real cells drawn at random.
    per_class : int
        Cells shown of each class and side.
    size : int, optional
        Edge length in pixels; default: the median edge, at most 256.
    seed : int
        Of what is drawn at random.
    cache_dir : path-like, optional
    progress : bool

    Returns
    -------
    ContactSheet

    Raises
    ------
    InputError
        If a folder cannot be used, or does not say what it is to be sorted by.

    Examples
    --------
    >>> contact_sheet("synthetic", "my-cells", sort="nearest", pairs=True).classes[0].name  # doctest: +SKIP
    'basophil'
    """
    if sort not in SORTS:
        raise InputError(f"sort '{sort}': give one of {', '.join(SORTS)}")
    if pairs and beside is None:
        raise InputError("pairs need real images to look for the nearest one in; give them with --beside REAL")
    if per_class < 1:
        raise InputError(f"{per_class} cells of each class: give at least 1")
    if beside is None:
        size = size or common_size(folder, folder)
        alone = open_dataset(folder, size, cache_dir=cache_dir, progress=progress, one_class=WITHOUT_CLASSES)
        images = Images(alone, np.arange(len(alone)), alone.labels)
        values = _values(images, sort, folder)
        classes = [
            SheetClass(name, int((images.labels == c).sum()), _cells(images, c, values, sort, per_class, seed))
            for c, name in enumerate(alone.class_names)
        ]
        return ContactSheet([one for one in classes if one.cells], sort)
    sets = open_sets(beside, folder, size=size, seed=seed, cache_dir=cache_dir, progress=progress)
    warnings = tuple(warning for warning in sets.warnings if not warning.startswith(f"{beside} has no split"))
    references = sets.training if sets.split_known else sets.reference
    distance, partner = np.full(len(sets.synthetic), np.nan, np.float32), np.full(len(sets.synthetic), -1)
    if pairs or sort == "nearest":
        distance, partner = _nearest(sets.synthetic, references)
    values = distance if sort == "nearest" else _values(sets.synthetic, sort, folder)
    found = []
    for c, name in enumerate(sets.class_names):
        if pairs:
            chosen = _order(sets.synthetic, c, values, sort, seed)[:per_class]
            chosen = chosen[partner[chosen] >= 0]
            # How near a cell is stands under its partner; not twice.
            above = None if sort == "nearest" else values
            cells = [_cell(sets.synthetic, k, above, sort) for k in chosen]
            captions = [f"{distance[k]:.1f} away" for k in chosen]
            real = [_cell(references, partner[k], None, "name", text) for k, text in zip(chosen, captions, strict=True)]
        else:
            cells = _cells(sets.synthetic, c, values, sort, per_class, seed)
            real = _cells(sets.reference, c, None, "random", per_class, seed)
        if cells:
            found.append(SheetClass(name, int((sets.synthetic.labels == c).sum()), cells, real))
    if not found:
        raise InputError(f"{folder}: no cell of it has a real one of its class in {beside}; give other folders")
    side = ("training" if pairs else "real, held out") if sets.split_known else "real"
    return ContactSheet(found, sort, pairs, side, warnings)


def _nearest(images: Images, references: Images) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return how far the nearest reference of the same class is, and which, of every image."""
    distance, index = np.full(len(images), np.inf, np.float32), np.full(len(images), -1, np.int64)
    for c in np.unique(images.labels):
        here, there = np.flatnonzero(images.labels == c), np.flatnonzero(references.labels == c)
        if len(there):
            looks = appearance(images.pixels(here)), appearance(references.pixels(there))
            distance[here], which = nearest_in_any_orientation(*looks)
            index[here] = there[which]
    return distance, index


def _values(images: Images, sort: Sort, folder: str | Path) -> NDArray[np.float32] | None:
    """Return what the images are sorted by, from the folder's table; NaN where it says nothing."""
    column = {"confidence": "confidence", "nearest": "nearest_training_distance"}.get(sort)
    if column is None:
        return None
    records = images.dataset.records
    if column in records.columns:
        values = np.array([_number(text) for text in records[column].to_numpy()[images.rows]], np.float32)
        if np.isfinite(values).any():
            return values
    instead = ", or give real images with --beside" if sort == "nearest" else ""
    raise InputError(
        f"{folder}: its metadata.csv has no {column} to sort by; `gansynth generate` writes one where the run can"
        f"{instead}"
    )


def _number(text: object) -> float:
    try:
        return float(str(text))
    except ValueError:
        return float("nan")


def _order(images: Images, c: int, values: NDArray[np.float32] | None, sort: Sort, seed: int) -> NDArray[np.int64]:
    here = np.flatnonzero(images.labels == c)
    if sort == "random":
        return here[np.random.default_rng([seed, c]).permutation(len(here))]
    if values is not None:
        return here[np.argsort(values[here], kind="stable")]  # NaN comes last
    return here


def _cells(
    images: Images, c: int, values: NDArray[np.float32] | None, sort: Sort, per_class: int, seed: int
) -> list[SheetCell]:
    return [_cell(images, k, values, sort) for k in _order(images, c, values, sort, seed)[:per_class]]


def _cell(
    images: Images, position: int, values: NDArray[np.float32] | None, sort: Sort, caption: str = ""
) -> SheetCell:
    if values is not None and np.isfinite(values[position]) and not caption:
        caption = f"p {values[position]:.2f}" if sort == "confidence" else f"{values[position]:.1f} away"
    origin = str(images.dataset.records["origin"].iloc[int(images.rows[position])])
    return SheetCell(images.pixels(np.array([position]))[0], origin, caption)
