"""Leaks are found and refused; honest splits are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gansynth.data import CellDataset, split_dataset
from gansynth.data.folds import fold_dataset
from gansynth.data.leaks import refuse_seen, refuse_straddling
from gansynth.data.phantom import phantom_dataset
from gansynth.errors import InputError


@pytest.fixture(scope="module")
def cells() -> CellDataset:
    return phantom_dataset({"basophil": 12, "eosinophil": 20, "lymphocyte": 16}, size=32)


def _with(cells: CellDataset, **columns: object) -> CellDataset:
    return replace(cells, records=cells.records.assign(**columns))


def test_splits_and_folds_made_here_do_not_leak(cells: CellDataset) -> None:
    for dataset in [split_dataset(cells), *fold_dataset(cells, 3)]:
        refuse_straddling(dataset)


def test_a_turned_duplicate_across_the_split_is_refused_and_named(cells: CellDataset) -> None:
    split = ["train"] * 24 + ["test"] * 24
    images = cells.images.copy()
    images[40] = np.rot90(images[3], axes=(1, 2))
    leaking = replace(_with(cells, split=split), images=images)
    with pytest.raises(InputError) as refused:
        refuse_straddling(leaking)
    assert cells.records["path"][3] in str(refused.value) and cells.records["path"][40] in str(refused.value)


def test_a_patient_on_both_sides_is_refused_and_named(cells: CellDataset) -> None:
    patients = [f"p{i % 5}" for i in range(48)]
    leaking = _with(cells, split=["train", "test"] * 24, patient=patients)
    with pytest.raises(InputError, match=r"the same group \('p\d'\)"):
        refuse_straddling(leaking, "patient")


def test_images_that_left_the_experiment_do_not_leak(cells: CellDataset) -> None:
    patients = ["same"] * 2 + [f"p{i}" for i in range(46)]
    split = ["train", ""] + ["train"] * 23 + ["test"] * 23
    refuse_straddling(_with(cells, split=split, patient=patients), "patient")


def test_what_has_seen_a_test_image_is_refused(cells: CellDataset) -> None:
    dataset = split_dataset(cells)
    test, train = dataset.part("test"), dataset.part("train")
    refuse_seen(test, train.records["sha256"], "the scaler")
    with pytest.raises(InputError, match=rf"the scaler: was trained on 1 of the {len(test)} held-out images"):
        refuse_seen(test, [*train.records["sha256"], test.records["sha256"][0]], "the scaler")
