"""What `quality` found, in memory and as a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gansynth.errors import InputError
from gansynth.files.atomic import whole_file, write_json, write_text
from gansynth.metrics.estimate import Estimate
from gansynth.studies.quality.catalogue import METRICS
from gansynth.version import __version__

RESULTS = "results.json"


@dataclass(frozen=True)
class Missing:
    """A metric that could not be computed because a weight file is not there."""

    metric: str
    file: str
    looked_in: str
    how: str


@dataclass(frozen=True)
class Controls:
    """What the judges say of one kind of real cells: a row beside the synthetic ones.

    Attributes
    ----------
    metrics : dict of str to Estimate
        Over all classes: shares recognised and kernel distances, by their names in the catalogue.
    classes : dict of str to (dict of str to Estimate)
        The same class by class.
    """

    metrics: dict[str, Estimate]
    classes: dict[str, dict[str, Estimate]]

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON."""
        return {
            "metrics": {name: found.to_json() for name, found in self.metrics.items()},
            "classes": {c: {name: found.to_json() for name, found in row.items()} for c, row in self.classes.items()},
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Controls:
        """Read what `to_json` wrote."""
        return cls(
            {name: Estimate.from_json(one) for name, one in found["metrics"].items()},
            {c: {name: Estimate.from_json(one) for name, one in row.items()} for c, row in found["classes"].items()},
        )


@dataclass(frozen=True)
class Quality:
    """The quality of synthetic images against real ones.

    Attributes
    ----------
    metrics : dict of str to Estimate
        Over all classes, by the names of `gansynth.studies.quality.catalogue.METRICS`.
    classes : dict of str to (dict of str to Estimate)
        The same class by class.
    missing : list of Missing
        What could not be computed, and which file it takes.
    warnings : list of str
        What a reader must know before believing the figures.
    about : dict
        Where the numbers come from: folders, counts, size, seed, pairing, encoder, confusion, memorisation, seconds.
    map : DataFrame
        x, y, class, origin: cells in the plane (see `Projection`).
    nearest : DataFrame
        class, synthetic, training, distance, held_out_median, copy: the pairs nearest to each other.
    nearest_images : dict of str to uint8 array [m, 3, R, R]
        "synthetic" and "training", in the order of `nearest`.
    sheet : dict of str to array
        "real" and "synthetic" uint8 [C, k, 3, R, R], "real_count" and "synthetic_count" int64 [C].
    controls : dict of str to Controls
        The same questions asked of real cells: as they are ("held-out"), and spoiled a little
        (`gansynth.studies.quality.controls.CONTROLS`).
    """

    metrics: dict[str, Estimate]
    classes: dict[str, dict[str, Estimate]]
    missing: list[Missing] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)
    map: pd.DataFrame = field(default_factory=pd.DataFrame)
    nearest: pd.DataFrame = field(default_factory=pd.DataFrame)
    nearest_images: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    sheet: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    controls: dict[str, Controls] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return what `quality --json` prints: metrics, classes, missing, warnings, and where they come from."""
        return {
            "metrics": {name: found.to_json() for name, found in self.metrics.items()},
            "classes": {c: {name: found.to_json() for name, found in row.items()} for c, row in self.classes.items()},
            "controls": {name: found.to_json() for name, found in self.controls.items()},
            "missing": [vars(one) for one in self.missing],
            "warnings": list(self.warnings),
            "gansynth": __version__,
            **self.about,
        }

    def write(self, folder: str | Path) -> Path:
        """Write results.json, metrics.csv, classes.csv, map.csv, nearest.csv and the pictures' arrays.

        `results.json` comes last: where it is, the folder is whole.
        """
        folder = Path(folder)
        write_text(folder / "metrics.csv", _table([("", self.metrics)]).drop(columns="class").to_csv(index=False))
        write_text(folder / "classes.csv", _table(list(self.classes.items())).to_csv(index=False))
        write_text(folder / "map.csv", self.map.to_csv(index=False, float_format="%.4f"))
        write_text(folder / "nearest.csv", self.nearest.to_csv(index=False, float_format="%.4f"))
        for name, arrays in (("nearest.npz", self.nearest_images), ("sheet.npz", self.sheet)):
            with whole_file(folder / name) as temporary, temporary.open("wb") as file:
                np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        write_json(folder / RESULTS, self.to_json())
        return folder


def read_results(folder: str | Path) -> dict[str, Any]:
    """Read the numbers of a folder that `Quality.write` wrote.

    Raises
    ------
    InputError
        If it holds none.
    """
    try:
        found: dict[str, Any] = json.loads((Path(folder) / RESULTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(f"{folder}: holds no {RESULTS} of `gansynth quality`") from None
    return found


def _table(rows: Sequence[tuple[str, Mapping[str, Estimate]]]) -> pd.DataFrame:
    columns = ("class", "metric", "value", "low", "high", "n", "floor", "floor_n", "class_mean", "note")
    lines = []
    for c, metrics in rows:
        for name in (name for name in METRICS if name in metrics):
            one = metrics[name].to_json()
            low, high = one["interval"] or (None, None)
            rest = [one.get(key) for key in ("floor_n", "class_mean", "note")]
            lines.append((c, name, one["value"], low, high, one["n"], one["floor"], *rest))
    return pd.DataFrame(lines, columns=list(columns))
