"""Images that a remedy makes: kept for all doses and classifiers of a split, and added behind the real ones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gansynth.files.atomic import write_json
from gansynth.remedies.treatment import Treatment

if TYPE_CHECKING:
    from gansynth.data.dataset import CellDataset


def kept_images(
    folder: Path,
    identity: Mapping[str, str | int | float | Sequence[str] | None],
    counts: Mapping[str, int],
    make: Callable[[dict[str, int], Path], None],
) -> Path:
    """Return `folder` with at least so many images of each class, made where they are not there yet.

    Parameters
    ----------
    folder : pathlib.Path
        Class folders. What it holds is noted in a JSON file beside it, and it appears whole or not at all.
    identity : mapping
        What the images depend on; under another one they are made anew.
    counts : mapping of str to int
    make : callable
        Makes counts of images in a new folder. Image i of a class depends on its seed + i alone: what is made anew
        holds what was there, and more.
    """
    note = folder.with_name(f"{folder.name}.json")
    held: dict[str, Any] = json.loads(note.read_text(encoding="utf-8")) if note.is_file() and folder.is_dir() else {}
    done = dict(held.get("counts", {})) if all(held.get(key) == value for key, value in identity.items()) else {}
    if done and all(done.get(name, 0) >= n for name, n in counts.items()):
        return folder
    more = {name: max(done.get(name, 0), counts.get(name, 0)) for name in {**done, **counts}}
    beside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    make(more, beside)
    shutil.rmtree(folder, ignore_errors=True)
    beside.replace(folder)
    write_json(note, {**identity, "counts": more})
    return folder


def with_images(
    treatment: Treatment, folder: Path, wanted: NDArray[np.int64], cache_dir: Path, *, alone: bool = False
) -> Treatment:
    """Add the first images of each class behind the real ones; with `alone` an epoch shows these only.

    Parameters
    ----------
    treatment : Treatment
    folder : pathlib.Path
        See `kept_images`.
    wanted : int64 array, shape [C]
        How many of each class: a smaller dose takes the first images of a larger one.
    cache_dir : pathlib.Path
        Where the decoded images are kept.
    alone : bool
    """
    import pandas as pd

    from gansynth.data.dataset import RECORD_COLUMNS, CellDataset
    from gansynth.data.opening import open_dataset

    real = treatment.images
    added = _first_of_each(open_dataset(folder, real.size, cache_dir=cache_dir), real.class_names, wanted)
    both = CellDataset(
        np.concatenate([real.images, added.images]),
        np.concatenate([real.labels, added.labels]),
        real.class_names,
        pd.concat([real.records, added.records[list(RECORD_COLUMNS)]], ignore_index=True),
    )
    rows = np.arange(len(real), len(both))
    return replace(treatment, images=both, rows=rows if alone else np.concatenate([treatment.rows, rows]))


def _first_of_each(synthetic: CellDataset, names: tuple[str, ...], wanted: NDArray[np.int64]) -> CellDataset:
    """Return the first `wanted` images of each class, with labels that index `names`."""
    from gansynth.data.dataset import CellDataset
    from gansynth.synthesis.naming import class_folders

    folders = class_folders(names)
    index = []
    for name, n in zip(names, wanted, strict=True):
        if n:
            mine = np.flatnonzero(synthetic.labels == synthetic.class_names.index(folders[name]))
            index.append(mine[np.argsort(synthetic.records["path"].to_numpy()[mine], kind="stable")][:n])
    chosen = synthetic.select(np.concatenate(index))
    of = {folders[name]: i for i, name in enumerate(names)}
    labels = np.array([of[synthetic.class_names[label]] for label in chosen.labels], np.int64)
    return CellDataset(chosen.images, labels, names, chosen.records.assign(origin="synthetic", split="train"))
