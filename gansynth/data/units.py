"""What a split must not separate, and how such units are dealt out to the parts of a split."""

from __future__ import annotations

import re
import shlex
import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gansynth.data.dataset import CellDataset
from gansynth.data.duplicates import find_duplicates
from gansynth.errors import InputError
from gansynth.files import name_key


def inseparable_units(dataset: CellDataset, groups: str = "group", progress: bool = False) -> NDArray[np.int64]:
    """Number what cannot be separated: images linked by a group or by being duplicates, also through others.

    Parameters
    ----------
    dataset : CellDataset
    groups : str
        Column of the records that names the group; an empty cell means no group.
    progress : bool
        Show how far the search for duplicates is, on standard error.

    Returns
    -------
    int64 array, shape [N]
        The unit of each image, from 0. Groups whose names a reader takes for the same are one (`name_key`).

    Raises
    ------
    InputError
        If there is no column `groups`.
    """
    from scipy.sparse import coo_array  # as in `duplicates`
    from scipy.sparse.csgraph import connected_components

    if groups not in dataset.records.columns:
        known = ", ".join(map(str, dataset.records.columns))
        raise InputError(f"no column '{groups}' to group by; metadata.csv has {known}")
    n = len(dataset)
    together = find_duplicates(dataset.images, dataset.records["sha256"].tolist(), progress=progress).component
    # A patient called "P1" and "p1 " would straddle the split; two patients taken for one only stay on one side.
    code = pd.factorize(dataset.records[groups].fillna("").astype(str).map(name_key).replace("", None))[0]
    grouped = np.flatnonzero(code >= 0)
    # One graph over images, duplicate components and groups; an image is linked to both of its own.
    image = np.concatenate([np.arange(n), grouped])
    node = np.concatenate([n + together, 2 * n + code[grouped]])
    graph = coo_array((np.ones(len(image), np.int8), (image, node)), shape=(3 * n, 3 * n))
    return pd.factorize(connected_components(graph, directed=False)[1][:n])[0].astype(np.int64)


def warn_of_patients(records: pd.DataFrame, groups: str = "group") -> None:
    """Say that there is a column of patients or slides which nothing goes by, since another one names the groups and is
    empty; or that a group has the name of none, such as "NaN"."""
    named: list[str] = records[groups].fillna("").astype(str).tolist() if groups in records.columns else []
    absent = [name for name in named if name_key(name) in _ABSENT]
    if absent:
        warnings.warn(
            f"metadata.csv: {len(absent):,} images have the {groups} '{absent[0]}', which is taken for one {groups} of "
            "this name; where it is not known, leave the cell empty",
            stacklevel=3,
        )
    if groups != "group" or records[groups].astype(bool).any():
        return
    columns = [name for name in map(str, records.columns) if _PATIENTS.fullmatch(name_key(name)) and any(records[name])]
    if columns:
        warnings.warn(
            f"metadata.csv has a column '{columns[0]}', and no `group` that says what stays on one side: images of one "
            f"{columns[0]} may be trained on and tested on; call the column `group`, or split with "
            f"`gansynth data split --group {shlex.quote(columns[0])}`",
            stacklevel=3,
        )


_ABSENT = frozenset({"nan", "na", "n/a", "#n/a", "<na>", "none", "null", "unknown", "?", "-"})
_PATIENTS = re.compile(
    r"(patient|subject|donor|person|individual|case|slide|smear)s?([ _.-]?(id|no|nr|number|name|code))?"
)


def counts_of_units(units: NDArray[np.int64], dataset: CellDataset) -> NDArray[np.int64]:
    """Return how many images of each class every unit holds, int64 [U, C]."""
    counts = np.zeros((units.max(initial=-1) + 1, len(dataset.class_names)), np.int64)
    np.add.at(counts, (units, dataset.labels), 1)
    return counts


def assign_units(
    counts: NDArray[np.int64],
    wanted: NDArray[np.int64],
    rng: np.random.Generator,
    fixed: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """Give every unit a part: the largest first, each where it overshoots least.

    Parameters
    ----------
    counts : int64 array, shape [U, C]
        Images of each class in each unit.
    wanted : int64 array, shape [C, P]
        Images of each class that each part should get.
    rng : numpy.random.Generator
        Decides among units of equal size.
    fixed : bool array, shape [U], optional
        Units that belong to part 0, whatever it wants.

    Returns
    -------
    int64 array, shape [U]
        The part of each unit, 0 to P - 1.
    """
    fixed = np.zeros(len(counts), bool) if fixed is None else fixed
    left = wanted.copy()
    scale = np.maximum(wanted, 1)
    part = np.zeros(len(counts), np.int64)
    left[:, 0] -= counts[fixed].sum(axis=0)
    order = rng.permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    for unit in order[~fixed[order]]:
        classes = np.flatnonzero(counts[unit])
        here = counts[unit, classes, None]
        overshoot = np.maximum(here - np.maximum(left[classes], 0), 0).sum(axis=0)
        room = (here * left[classes] / scale[classes]).sum(axis=0)
        part[unit] = np.lexsort((np.arange(wanted.shape[1]), -room, overshoot))[0]
        left[classes, part[unit]] -= counts[unit, classes]
    return part
