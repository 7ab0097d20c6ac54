"""What `quality` left in a folder, read back for the page."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansynth.errors import InputError
from gansynth.metrics.estimate import Estimate
from gansynth.studies.quality.result import Controls


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


@dataclass(frozen=True)
class FeatureMap:
    """Features of cells in two dimensions: positions float [N, 2], class names and whether real, length N."""

    positions: NDArray[np.float64]
    classes: NDArray[np.str_]
    is_real: NDArray[np.bool_]


@dataclass(frozen=True)
class QualityResults:
    """A folder of `quality`: `facts` is results.json as it stands, the rest is read from it and from beside it.

    `sheet` and `map` are None, and `pairs` and `controls` empty, where the study did not write them.
    """

    folder: Path
    facts: dict[str, Any]
    class_names: tuple[str, ...]
    metrics: dict[str, Estimate]
    classes: dict[str, dict[str, Estimate]]
    sheet: Sheet | None
    pairs: tuple[Pair, ...]
    map: FeatureMap | None
    controls: dict[str, Controls]

    @property
    def missing(self) -> dict[str, dict[str, str]]:
        """What is known of each metric without weights: file, looked_in, how."""
        return {entry["metric"]: entry for entry in self.facts.get("missing", [])}


def read_quality_folder(folder: Path) -> QualityResults:
    """Read a folder that `quality` wrote.

    Parameters
    ----------
    folder : pathlib.Path
        With results.json, and where they exist sheet.npz, nearest.csv with nearest.npz, and map.csv.

    Returns
    -------
    QualityResults

    Raises
    ------
    InputError
        If results.json is absent or is not what `quality` writes.
    """
    facts = read_json(folder / "results.json", "write it with `gansynth quality REAL SYNTHETIC --out DIR`")
    try:
        names = tuple(facts["class_names"])
        metrics = {name: Estimate.from_json(found) for name, found in facts["metrics"].items()}
        classes = {
            name: {metric: Estimate.from_json(found) for metric, found in facts["classes"].get(name, {}).items()}
            for name in names
        }
        controls = {name: Controls.from_json(found) for name, found in facts.get("controls", {}).items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder / 'results.json'}: not what `quality` writes ({error!r}); measure again") from error
    return QualityResults(
        folder, facts, names, metrics, classes, _sheet(folder), _pairs(folder), _map(folder), controls
    )


def read_json(path: Path, how: str) -> dict[str, Any]:
    """Read a JSON object; raise InputError, ending in `how`, where there is none."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; {how}")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); {how}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: not a JSON object; {how}")
    return found


def _sheet(folder: Path) -> Sheet | None:
    path = folder / "sheet.npz"
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as held:
        return Sheet(held["real"], held["synthetic"], held["real_count"], held["synthetic_count"])


def _pairs(folder: Path) -> tuple[Pair, ...]:
    if not (folder / "nearest.csv").is_file() or not (folder / "nearest.npz").is_file():
        return ()
    rows = _csv(folder / "nearest.csv")
    with np.load(folder / "nearest.npz", allow_pickle=False) as held:
        images = np.stack([held["synthetic"], held["training"]], axis=1)
    if len(rows) != len(images):
        raise InputError(f"{folder}: nearest.csv has {len(rows)} rows, nearest.npz {len(images)} images; measure again")
    return tuple(
        Pair(
            row["class"],
            row["synthetic"],
            row["training"],
            float(row["distance"] or "nan"),
            float(row["held_out_median"] or "nan"),
            row["copy"] in ("1", "True", "true"),
            pair,
        )
        for row, pair in zip(rows, images, strict=True)
    )


def _map(folder: Path) -> FeatureMap | None:
    if not (folder / "map.csv").is_file():
        return None
    rows = _csv(folder / "map.csv")
    if not rows:
        return None
    return FeatureMap(
        np.array([[float(row["x"]), float(row["y"])] for row in rows]),
        np.array([row["class"] for row in rows]),
        np.array([row["origin"] == "real" for row in rows]),
    )


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
