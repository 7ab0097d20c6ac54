"""Leaks: an image that is tested on must not have taught anything, nor must its duplicate or its patient."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from gansynth.data.dataset import CellDataset
from gansynth.data.units import inseparable_units
from gansynth.errors import InputError
from gansynth.files import name_key


def refuse_straddling(dataset: CellDataset, groups: str = "group", progress: bool = False) -> None:
    """Refuse a split that separates what belongs together.

    Exact and near duplicates (also flipped or turned) and images of one group (a patient, a slide) must lie on one
    side. Images without a split take no part.

    Parameters
    ----------
    dataset : CellDataset
        With a split, perhaps one that was not made here.
    groups : str
        Column of the records that names the group.
    progress : bool
        Show how far the search for duplicates is, on standard error.

    Raises
    ------
    InputError
        Naming two images on different sides.
    """
    divided = (dataset.records["split"] != "").to_numpy()
    if not divided.all():
        dataset = dataset.select(divided)
    units = inseparable_units(dataset, groups, progress)
    split = dataset.records["split"].to_numpy()
    order = np.lexsort((split, units))
    straddles = np.flatnonzero((units[order][1:] == units[order][:-1]) & (split[order][1:] != split[order][:-1]))
    if not len(straddles):
        return
    first, second = order[straddles[0]], order[straddles[0] + 1]
    records = dataset.records
    group = str(records[groups].iloc[first])
    shared = name_key(group) and name_key(group) == name_key(str(records[groups].iloc[second]))
    why = f"belong to the same group ('{group}')" if shared else "show the same picture, or belong to what does"
    raise InputError(
        f"the split leaks in {len(straddles)} places: {records['path'].iloc[first]} ({split[first]}) and "
        f"{records['path'].iloc[second]} ({split[second]}) {why}; make a new split with `gansynth data split`"
    )


def refuse_seen(held_out: CellDataset, seen: Collection[str], what: str) -> None:
    """Refuse something that was fitted on images it is to be tested on.

    Parameters
    ----------
    held_out : CellDataset
        Images that nothing may have learned from.
    seen : collection of str
        sha256 of every image that it was fitted on (as in ``records["sha256"]``).
    what : str
        What it is, as the user knows it: "GAN runs/x", "the scaler of svm".

    Raises
    ------
    InputError
        If the two meet.
    """
    met = held_out.records[held_out.records["sha256"].isin(list(seen))]
    if len(met):
        raise InputError(
            f"{what}: was trained on {len(met)} of the {len(held_out)} held-out images, such as {met['path'].iloc[0]}, "
            "and numbers on them would be too good; split the data first, and train on that training split alone "
            "(`gansynth data split DIR --force --seen-by RUN` keeps for training what a generator knows already)"
        )
