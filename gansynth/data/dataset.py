"""The data set every room works on: images, labels, class names, one record per image."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gansynth.errors import InputError

RECORD_COLUMNS = ("path", "sha256", "source", "group", "split", "origin")


@dataclass(frozen=True)
class CellDataset:
    """Class-labelled images held as one uint8 array.

    Attributes
    ----------
    images : uint8 array, shape [N, 3, H, W]
        RGB, 0..255. May be memory-mapped read-only (see `gansynth.data.pack`).
    labels : int64 array, shape [N]
        Index into `class_names`.
    class_names : tuple of str
        Sorted by name, so that label i means the same class everywhere.
    records : pandas.DataFrame, N rows
        `path` (relative to the data set's folder), `sha256` (of the decoded RGB pixels at the
        original size), `source`, `group` ("" where unknown), `split` ("train", "val", "test", or
        "" before splitting), `origin` ("real", "synthetic" or "phantom").
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    records: pd.DataFrame

    def __post_init__(self) -> None:
        n = len(self.labels)
        if self.images.shape[0] != n or self.images.ndim != 4 or self.images.shape[1] != 3:
            raise ValueError(f"images must be [{n}, 3, H, W], got {self.images.shape}")
        if len(self.records) != n or not set(RECORD_COLUMNS) <= set(self.records.columns):
            raise ValueError(f"records must have {n} rows and the columns {', '.join(RECORD_COLUMNS)}")

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        parts = self.records["split"].value_counts()
        split = ", ".join(f"{int(parts[name]):,} {name}" for name in ("train", "val", "test") if name in parts)
        return (
            f"CellDataset({len(self):,} images of {self.size} px in {len(self.class_names)} classes; "
            f"{split or 'not split'})"
        )

    def _repr_html_(self) -> str:
        names = np.array(self.class_names)[self.labels]
        parts = self.records["split"].replace("", "not split").to_numpy()
        html: str = pd.crosstab(names, parts, rownames=["class"], colnames=["split"], margins=True).to_html()
        return html

    @property
    def size(self) -> int:
        """Edge length of the (square) images in pixels."""
        return int(self.images.shape[-1])

    def counts(self, where: NDArray[np.bool_] | slice = slice(None)) -> dict[str, int]:
        """Return the number of images per class, of those at `where`, in the order of `class_names`."""
        n = np.bincount(self.labels[where], minlength=len(self.class_names))
        return dict(zip(self.class_names, n.tolist(), strict=True))

    def without_pixels(self) -> CellDataset:
        """Return the records in a data set whose images take no memory: where rows are chosen, and none is looked
        at."""
        none: NDArray[np.uint8] = np.broadcast_to(np.uint8(0), (len(self), 3, 1, 1))
        return replace(self, images=none)

    def select(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> CellDataset:
        """Return the images at `index` (positions or a boolean mask), copied into memory; class names are kept."""
        return replace(
            self,
            images=self.images[index],
            labels=self.labels[index],
            records=self.records.iloc[np.flatnonzero(index) if index.dtype == bool else index].reset_index(drop=True),
        )

    def part(self, split: str) -> CellDataset:
        """Return the images of one split: "train", "val" or "test".

        Raises
        ------
        InputError
            If the data set has not been split, or no image belongs to `split`.
        """
        mask = (self.records["split"] == split).to_numpy()
        if not mask.any():
            raise InputError(f"no image belongs to the split '{split}'; run `gansynth data split` first")
        return self.select(mask)
