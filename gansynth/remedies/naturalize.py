"""Composites of training images: the remedy of abouali2023."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gansynth.atomic import write_json
from gansynth.data.dataset import RECORD_COLUMNS, CellDataset
from gansynth.data.opening import open_dataset
from gansynth.remedies.remedy import Remedy, Workplace, counts_of, register, targets
from gansynth.remedies.treatment import Treatment
from gansynth.synthesis import naturalize
from gansynth.synthesis.naming import class_folders

LEAST_EDGE = 128
"""Cells are cut and composed at this edge, in pixels, or at that of the data where it is larger."""


@register("naturalize")
class Naturalize(Remedy):
    """Cells, red cells and slides of the training images are composed to new images, up to the targets.

    They are made once for a split and shared by all doses and classifiers: a smaller dose takes the first images of a
    larger one.
    """

    takes_dose = True

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        real, n = treatment.images, counts_of(treatment)
        wanted = targets(n, self.dose) - n
        counts = {real.class_names[c]: int(wanted[c]) for c in np.flatnonzero(wanted > 0)}
        if not counts:
            return treatment
        folder = self._images(_sources(real, place), counts, place)
        made = open_dataset(folder, real.size, cache_dir=place.folder / "cache")
        home = class_folders(real.class_names)
        added = made.select(np.concatenate([_first(made, home[name], many) for name, many in counts.items()]))
        label_of = np.array([list(home.values()).index(name) for name in added.class_names])
        both = CellDataset(
            np.concatenate([real.images, added.images]),
            np.concatenate([real.labels, label_of[added.labels]]),
            real.class_names,
            pd.concat([real.records, added.records[list(RECORD_COLUMNS)]], ignore_index=True),
        )
        rows = np.arange(len(real), len(both))
        return replace(treatment, images=both, rows=np.concatenate([treatment.rows, rows]))

    def _images(self, training: CellDataset, counts: Mapping[str, int], place: Workplace) -> Path:
        """Return the folder with at least so many composites of each class, made where they are not there yet."""
        folder = place.folder / "naturalize"
        note = folder.with_name(f"{folder.name}.json")
        known = {"seed": place.seed, "size": training.size, "training": sorted(map(str, training.records["sha256"]))}
        held: dict[str, Any] = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else {}
        done = dict(held.get("counts", {})) if all(held.get(key) == value for key, value in known.items()) else {}
        if folder.is_dir() and all(done.get(name, 0) >= n for name, n in counts.items()):
            return folder
        # Image i depends on seed + i alone: what is made anew holds what was there, and more.
        more = {name: max(done.get(name, 0), counts.get(name, 0)) for name in training.class_names}
        more = {name: n for name, n in more.items() if n}
        beside = folder.with_name(f".{folder.name}.new")
        shutil.rmtree(beside, ignore_errors=True)
        naturalize(training, more, beside, seed=place.seed, progress=place.progress)
        shutil.rmtree(folder, ignore_errors=True)
        beside.replace(folder)
        write_json(note, {**known, "counts": more})
        return folder


def _sources(real: CellDataset, place: Workplace) -> CellDataset:
    """Return the real images of a treatment, larger than a classifier sees them where the data are."""
    own = real.select(np.flatnonzero(real.records["origin"] != "synthetic"))
    if own.size >= LEAST_EDGE:
        return own
    larger = place.learning(LEAST_EDGE)
    names = set(zip(own.records["sha256"], own.records["path"], strict=True))
    there = zip(larger.records["sha256"], larger.records["path"], strict=True)
    # Only what this treatment learns from: a validation image is not its to cut up.
    kept = larger.select(np.array([key in names for key in there], dtype=bool))
    return kept if len(kept) == len(own) else own


def _first(made: CellDataset, name: str, many: int) -> NDArray[np.int64]:
    """Return where the composites of the first seeds of a class are."""
    rows = np.flatnonzero(made.labels == made.class_names.index(name))
    paths = made.records["path"].to_numpy()[rows]
    seeds = np.array([int(str(path).rsplit("_", 1)[1].split(".")[0]) for path in paths])
    return rows[np.argsort(seeds, kind="stable")][:many]
