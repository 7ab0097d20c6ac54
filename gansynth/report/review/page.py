"""Every image of a data set on one page, those first in which something was found; what is marked is saved as a CSV."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gansynth.cells.segmentation import LEAST_EDGE, segment_cell
from gansynth.cells.several import why_several
from gansynth.data import CellDataset
from gansynth.data.leaving_out import redundant
from gansynth.files import known_classes
from gansynth.files.atomic import refuse_used, write_text
from gansynth.report.embedding import data_address, picture_of
from gansynth.report.page import templates
from gansynth.runs.display import WorkDisplay

PAGE_FILE = "review.html"
EDGE = 112
"""Pixels at which an image is shown."""

DUPLICATE = {
    "exact": "the same pixels as {kept}",
    "near": "nearly the same as {kept}",
    "label": "a duplicate lies in another class",
}


@dataclass(frozen=True)
class ReviewCell:
    """An image on the page.

    Attributes
    ----------
    path : str
        Below the data set's folder.
    address : str
        Its pixels as a data address.
    found : str
        What was found in it; "" where nothing was.
    """

    path: str
    address: str
    found: str = ""


def suspects(dataset: CellDataset, progress: bool = False) -> dict[str, str]:
    """Return what was found in images that an expert should look at, by path.

    Duplicates of other images, a second nucleus beside the cell, and cells that the border of the image cuts.

    Parameters
    ----------
    dataset : CellDataset
    progress : bool
        Show how far the search is, on standard error.
    """
    found: dict[str, str] = {}
    for row in redundant(dataset, progress).itertuples(index=False):
        found[str(row.file_name)] = DUPLICATE[str(row.why)].format(kept=row.kept)
    paths = dataset.records["path"]
    with WorkDisplay("images", len(paths), shown=progress) as display:
        for k, path in enumerate(paths):
            image = np.asarray(dataset.images[k])
            why = why_several(image, segment_cell(image)) if image.shape[-1] >= LEAST_EDGE else None
            if why is not None:
                found[path] = f"{found[path]}; {why}" if path in found else why
            display.update(k + 1)
    return found


def write_review(
    dataset: CellDataset,
    folder: str | Path,
    found: dict[str, str],
    *,
    classes: Sequence[str] = (),
    only_found: bool = False,
) -> Path:
    """Write the page into a new folder.

    Parameters
    ----------
    dataset : CellDataset
    folder : path-like
        A new folder, or an empty one.
    found : dict of str to str
        As `suspects` returns it.
    classes : sequence of str
        Show these only; empty: all.
    only_found : bool
        Show only images in which something was found.

    Returns
    -------
    pathlib.Path
        Of the page.

    Raises
    ------
    InputError
        For a class that the data set does not have, or if the folder holds something.
    """
    classes = known_classes(classes, dataset.class_names, "--class")
    folder = Path(folder)
    refuse_used(folder, "the review")
    page = folder / PAGE_FILE
    write_text(page, render_review(dataset, found, classes or dataset.class_names, only_found))
    return page


def render_review(dataset: CellDataset, found: dict[str, str], classes: Sequence[str], only_found: bool = False) -> str:
    """Return the page, the images of each class in the order of their paths, those with something found first."""
    paths = dataset.records["path"].to_numpy()
    shown: list[tuple[str, list[ReviewCell]]] = []
    for name in classes:
        rows = [int(k) for k in np.flatnonzero(dataset.labels == dataset.class_names.index(name))]
        rows = [k for k in rows if paths[k] in found or not only_found]
        rows.sort(key=lambda k: (paths[k] not in found, paths[k]))
        if rows:
            cells = [ReviewCell(paths[k], small_jpeg(dataset.images[k]), found.get(paths[k], "")) for k in rows]
            shown.append((name, cells))
    every = [cell for _, cells in shown for cell in cells]
    return (
        templates("gansynth.report.review")
        .get_template("page.html.j2")
        .render(
            classes=shown,
            n=f"{len(every):,}",
            found=f"{sum(bool(cell.found) for cell in every):,}",
            edge=EDGE,
            review=hashlib.sha256("\n".join(cell.path for cell in every).encode()).hexdigest()[:12],
        )
    )


def small_jpeg(image: NDArray[np.uint8]) -> str:
    """Return an image [3, H, W] as a data address, no larger than it is shown."""
    picture = picture_of(np.asarray(image))
    picture.thumbnail((EDGE, EDGE), Image.Resampling.LANCZOS)
    return data_address(picture, "jpeg", quality=85)
