"""A data set without redundant images: of each group of duplicates one stays, and what was left out is written down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gansynth.data.dataset import CellDataset
from gansynth.data.duplicates import find_duplicates
from gansynth.data.leaving_out import refuse_out, write_without
from gansynth.data.opening import open_dataset

COLUMNS = ("file_name", "class", "why", "kept")


@dataclass(frozen=True)
class Deduped:
    """What `dedupe` left out.

    Attributes
    ----------
    kept : int
    left_out : DataFrame
        `file_name`, `class`, `why` ("exact", "near" or "label"), and `kept`, the image that stays in its stead; ""
        where none does, because the duplicates lie in several classes and at least one label is wrong.
    """

    kept: int
    left_out: pd.DataFrame

    def to_text(self) -> str:
        """Say in a few lines what stayed and what did not."""
        why = self.left_out["why"].value_counts()
        lines = [f"{self.kept:,} images kept, {len(self.left_out):,} left out"]
        said = {
            "exact": "with the pixels of one that is kept",
            "near": "nearly one that is kept, perhaps turned or flipped",
            "label": "duplicates of each other in several classes: at least one label is wrong, so none is kept",
        }
        return "\n".join([*lines, *(f"{int(why[name]):>8,} {text}" for name, text in said.items() if name in why)])


def dedupe(data: str | Path, out: str | Path, *, size: int = 128, progress: bool = False) -> Deduped:
    """Write a data set without redundant images, as `write_without` does: `data` stays as it is.

    Parameters
    ----------
    data : path-like
        A folder of images per class.
    out : path-like
        A folder that is not there, or empty.
    size : int
        Edge length in pixels at which near duplicates are looked for.
    progress : bool

    Raises
    ------
    InputError
        As `open_dataset`; if `data` is not a folder; or if `out` holds something or lies inside `data`.
    """
    refuse_out(data, out)
    root = Path(data)
    dataset = open_dataset(root, size=size, progress=progress, splits=False)
    left_out = redundant(dataset)
    kept = write_without(root, Path(out), list(dataset.records["path"]), left_out)
    return Deduped(len(kept), left_out)


def redundant(dataset: CellDataset) -> pd.DataFrame:
    """Return which images could be left out, as `Deduped.left_out`.

    Images that belong together, exactly or nearly, also through others, are a group. Its first image by path stays,
    where all are of one class.
    """
    sha256, paths = dataset.records["sha256"].to_numpy(), dataset.records["path"].to_numpy()
    component = find_duplicates(dataset.images, list(sha256)).component
    rows = []
    for group in np.flatnonzero(np.bincount(component) > 1):
        mine = np.flatnonzero(component == group)
        mine = mine[np.argsort(paths[mine])]
        one_class = len(set(dataset.labels[mine].tolist())) == 1
        for k in mine[1:] if one_class else mine:
            why = ("exact" if sha256[k] == sha256[mine[0]] else "near") if one_class else "label"
            name = dataset.class_names[dataset.labels[k]]
            rows.append((paths[k], name, why, paths[mine[0]] if one_class else ""))
    return pd.DataFrame(sorted(rows), columns=list(COLUMNS))
