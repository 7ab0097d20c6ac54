"""What a page of `quality` shows of the images: cells, nearest pairs, a map. Each is written and read here.

The map is flat: the two directions of feature space that best separate the classes of real training cells.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gansynth.errors import InputError
from gansynth.files import is_named, open_regular, read_table, shown, table_text
from gansynth.files.atomic import whole_file, write_text

SHEET = "sheet.npz"
PAIRS, PAIR_IMAGES = "nearest.csv", "nearest.npz"
MAP = "map.csv"
_PAIR_COLUMNS = ("class", "synthetic", "training", "distance", "held_out_median", "copy")
_AGAIN = "measure again"


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
        if not is_named(path):
            return None
        real, synthetic, *counts = _arrays(path, ("real", "synthetic", "real_count", "synthetic_count"))
        for images, count in zip((real, synthetic), counts, strict=True):
            fits = images.ndim == 5 and count.shape == images.shape[:1]
            if not fits or not np.all((count >= 0) & (count <= images.shape[1])):
                raise InputError(f"{shown(path)}: is not a sheet of cells; {_AGAIN}")
        return cls(real, synthetic, *counts)


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
    rows = [(p.class_name, p.synthetic, p.training, p.distance, p.held_out_median, int(p.copy)) for p in pairs]
    write_text(folder / PAIRS, table_text(pd.DataFrame(rows, columns=list(_PAIR_COLUMNS)), "%.4f"))
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
    if not is_named(folder / PAIRS) or not is_named(folder / PAIR_IMAGES):
        return ()
    rows = read_table(folder / PAIRS, _PAIR_COLUMNS, _AGAIN)
    images = np.stack(_arrays(folder / PAIR_IMAGES, ("synthetic", "training"), "of one shape"), axis=1)
    if len(rows) != len(images):
        raise InputError(f"{folder}: {PAIRS} has {len(rows)} rows, {PAIR_IMAGES} {len(images)} images; {_AGAIN}")
    distances = [_numbers(rows[name], folder / PAIRS) for name in ("distance", "held_out_median")]
    names = (rows["class"], rows["synthetic"], rows["training"])
    return tuple(
        Pair(class_name, synthetic, training, float(distance), float(median), copy == "1", pair)
        for class_name, synthetic, training, distance, median, copy, pair in zip(
            *names, *distances, rows["copy"], images, strict=True
        )
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
        write_text(folder / MAP, table_text(table, "%.4f"))

    @classmethod
    def read(cls, folder: Path) -> FeatureMap | None:
        """Read map.csv; None where there is none, or no cell in it."""
        path = folder / MAP
        if not is_named(path):
            return None
        rows = read_table(path, ("x", "y", "class", "origin"), _AGAIN)
        if not len(rows):
            return None
        return cls(
            np.stack([_numbers(rows["x"], path), _numbers(rows["y"], path)], axis=1),
            np.array(rows["class"].tolist()),
            np.array([origin == "real" for origin in rows["origin"]]),
        )


def _numbers(column: pd.Series, path: Path) -> NDArray[np.float64]:
    try:
        return np.array([float(cell or "nan") for cell in column])
    except ValueError as error:
        raise InputError(f"{shown(path)}: {error} in the column '{column.name}'; {_AGAIN}") from None


def _arrays(path: Path, names: Sequence[str], alike: str = "") -> list[NDArray[Any]]:
    """Return the named arrays of an npz file; of one shape, where that is asked for."""
    try:
        with open_regular(path) as file, np.load(file, allow_pickle=False) as held:
            found = [np.asarray(held[name]) for name in names]
    except (KeyError, ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise InputError(f"{shown(path)}: does not hold the arrays {', '.join(names)} ({error}); {_AGAIN}") from None
    if alike and len({one.shape for one in found}) > 1:
        raise InputError(f"{shown(path)}: its arrays are not {alike}; {_AGAIN}")
    return found


@dataclass(frozen=True)
class Projection:
    """A linear map from features to the plane: ``(x - mean) @ axes``.

    Linear, and fitted to real training cells alone: any generator's images land where real ones of the same features
    would, and the maps of several generators compare. (t-SNE and UMAP draw clusters whether there are any or not.)
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return points [n, 2] for features [n, d]."""
        points: NDArray[np.float64] = (np.asarray(features, dtype=np.float64) - self.mean) @ self.axes
        return points

    @classmethod
    def fit(cls, features: NDArray[np.float32], labels: NDArray[np.int64], most: int = 4000) -> Projection:
        """Find the linear discriminant axes (Fisher 1936), completed by principal axes where classes are fewer than
        three, and replaced by them where the images of each class are all alike.

        Parameters
        ----------
        features : float array [n, d]
        labels : int64 array [n]
        most : int
            Images to fit to; a regular sample of more.
        """
        from sklearn.decomposition import PCA
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        step = max(1, -(-len(labels) // most))
        x, y = np.asarray(features[::step], dtype=np.float64), labels[::step]
        axes = np.zeros((x.shape[1], 0))
        if len(np.unique(y)) > 1 and len(y) > len(np.unique(y)) + 1:
            try:
                fitted = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto").fit(x, y)
            except np.linalg.LinAlgError:  # images of a class are all alike: there is no spread to divide by
                pass
            else:
                axes = fitted.scalings_[:, : min(2, len(fitted.classes_) - 1)]
        if axes.shape[1] < 2:
            rest = PCA(n_components=min(2, *x.shape)).fit(x).components_.T
            axes = np.concatenate([axes, rest], axis=1)[:, :2]
        axes = np.pad(axes, ((0, 0), (0, 2 - axes.shape[1])))
        spread = ((x - x.mean(axis=0)) @ axes).std(axis=0)
        return cls(x.mean(axis=0), axes / np.where(spread > 0, spread, 1))
