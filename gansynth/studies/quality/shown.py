"""What a page of `quality` shows of the images: cells, nearest pairs, a map. Each is written and read here."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gansynth.errors import InputError
from gansynth.files.atomic import whole_file, write_text

SHEET = "sheet.npz"
PAIRS, PAIR_IMAGES = "nearest.csv", "nearest.npz"
MAP = "map.csv"


@dataclass(frozen=True)
class Sheet:
    """Cells to look at, C classes with up to k images of each kind.

    Attributes
    ----------
    real, synthetic : uint8 array, shape [C, k, 3, R, R]
    real_count, synthetic_count : int array, shape [C]
        How many of the k rows are cells; the others are empty.
    """

    real: NDArray[np.uint8]
    synthetic: NDArray[np.uint8]
    real_count: NDArray[np.int64]
    synthetic_count: NDArray[np.int64]

    def write(self, folder: Path) -> None:
        """Write sheet.npz."""
        with whole_file(folder / SHEET) as temporary, temporary.open("wb") as file:
            np.savez_compressed(
                file,
                real=self.real,
                synthetic=self.synthetic,
                real_count=self.real_count,
                synthetic_count=self.synthetic_count,
            )

    @classmethod
    def read(cls, folder: Path) -> Sheet | None:
        """Read sheet.npz; None where there is none."""
        path = folder / SHEET
        if not path.is_file():
            return None
        with np.load(path, allow_pickle=False) as held:
            return cls(held["real"], held["synthetic"], held["real_count"], held["synthetic_count"])


@dataclass(frozen=True)
class Pair:
    """A synthetic image and the training image nearest to it.

    Attributes
    ----------
    class_name, synthetic, training : str
        The class and the two files.
    distance, held_out_median : float
        Of the pair, and of the median held-out real image of the class to its own nearest training image.
    copy : bool
        Whether the two are nearly equal.
    images : uint8 array, shape [2, 3, R, R]
        Synthetic, training.
    """

    class_name: str
    synthetic: str
    training: str
    distance: float
    held_out_median: float
    copy: bool
    images: NDArray[np.uint8]


def write_pairs(pairs: Sequence[Pair], folder: Path) -> None:
    """Write nearest.csv, and nearest.npz with the images in its order."""
    columns = ["class", "synthetic", "training", "distance", "held_out_median", "copy"]
    rows = [(p.class_name, p.synthetic, p.training, p.distance, p.held_out_median, int(p.copy)) for p in pairs]
    write_text(folder / PAIRS, pd.DataFrame(rows, columns=columns).to_csv(index=False, float_format="%.4f"))
    images = np.stack([p.images for p in pairs]) if pairs else np.zeros((0, 2, 3, 1, 1), np.uint8)
    with whole_file(folder / PAIR_IMAGES) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, synthetic=images[:, 0], training=images[:, 1])


def read_pairs(folder: Path) -> tuple[Pair, ...]:
    """Read what `write_pairs` wrote; nothing where it wrote nothing.

    Raises
    ------
    InputError
        If the table and the images do not belong together.
    """
    if not (folder / PAIRS).is_file() or not (folder / PAIR_IMAGES).is_file():
        return ()
    rows = _csv(folder / PAIRS)
    with np.load(folder / PAIR_IMAGES, allow_pickle=False) as held:
        images = np.stack([held["synthetic"], held["training"]], axis=1)
    if len(rows) != len(images):
        raise InputError(f"{folder}: {PAIRS} has {len(rows)} rows, {PAIR_IMAGES} {len(images)} images; measure again")
    return tuple(
        Pair(
            row["class"],
            row["synthetic"],
            row["training"],
            float(row["distance"] or "nan"),
            float(row["held_out_median"] or "nan"),
            row["copy"] == "1",
            pair,
        )
        for row, pair in zip(rows, images, strict=True)
    )


@dataclass(frozen=True)
class FeatureMap:
    """Features of cells in two dimensions: positions float [N, 2], class names and whether real, length N."""

    positions: NDArray[np.float64]
    classes: NDArray[np.str_]
    is_real: NDArray[np.bool_]

    def write(self, folder: Path) -> None:
        """Write map.csv: x, y, class, origin."""
        x, y = self.positions.reshape(-1, 2).T
        origin = np.where(self.is_real, "real", "synthetic")
        table = pd.DataFrame({"x": x, "y": y, "class": self.classes, "origin": origin})
        write_text(folder / MAP, table.to_csv(index=False, float_format="%.4f"))

    @classmethod
    def read(cls, folder: Path) -> FeatureMap | None:
        """Read map.csv; None where there is none, or no cell in it."""
        rows = _csv(folder / MAP) if (folder / MAP).is_file() else []
        if not rows:
            return None
        return cls(
            np.array([[float(row["x"]), float(row["y"])] for row in rows]),
            np.array([row["class"] for row in rows]),
            np.array([row["origin"] == "real" for row in rows]),
        )


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
