"""Folds test every image once; known rarity takes images from learning only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gansynth.data import CellDataset
from gansynth.data.folds import fold_dataset, hold_rare
from gansynth.data.phantom import phantom_dataset
from gansynth.errors import InputError


@pytest.fixture(scope="module")
def cells() -> CellDataset:
    return phantom_dataset({"basophil": 7, "eosinophil": 40, "lymphocyte": 23}, size=16)


def _splits(folds: list[CellDataset]) -> np.ndarray:
    return np.stack([fold.records["split"].to_numpy() for fold in folds])


@settings(max_examples=20, deadline=None)
@given(folds=st.integers(2, 7), seed=st.integers(0, 1000), val=st.sampled_from([0.0, 0.1, 0.3]))
def test_every_image_is_tested_once_and_classes_are_divided_evenly(
    cells: CellDataset, folds: int, seed: int, val: float
) -> None:
    made = fold_dataset(cells, folds, val=val, seed=seed)
    assert ((_splits(made) == "test").sum(axis=0) == 1).all()
    for fold in made:
        for name, n in cells.counts().items():
            tested = fold.part("test").counts()[name]
            assert n // folds <= tested <= -(-n // folds)
            assert fold.part("train").counts()[name] >= 1
    sizes = (_splits(made) == "test").sum(axis=1)
    assert sizes.max() - sizes.min() <= 1


def test_a_group_lies_in_one_part_of_every_fold(cells: CellDataset) -> None:
    groups = [f"p{i // 3}" for i in range(len(cells))]
    grouped = replace(cells, records=cells.records.assign(group=groups))
    for fold in fold_dataset(grouped, 2, seed=1):
        assert (fold.records.groupby("group")["split"].nunique() == 1).all()


def test_the_seed_decides_the_folds(cells: CellDataset) -> None:
    assert (_splits(fold_dataset(cells, 3, seed=5)) == _splits(fold_dataset(cells, 3, seed=5))).all()
    assert (_splits(fold_dataset(cells, 3, seed=5)) != _splits(fold_dataset(cells, 3, seed=6))).any()


def test_more_folds_than_a_class_has_images_are_refused(cells: CellDataset) -> None:
    with pytest.raises(InputError, match=r"too few of basophil \(7\)"):
        fold_dataset(cells, 8)


def test_synthetic_images_are_not_divided_into_folds(cells: CellDataset) -> None:
    origin = ["synthetic"] + ["real"] * (len(cells) - 1)
    with pytest.raises(InputError, match="synthetic"):
        fold_dataset(replace(cells, records=cells.records.assign(origin=origin)), 2)


def test_rarity_thins_training_and_validation_and_leaves_the_test_alone(cells: CellDataset) -> None:
    fold = fold_dataset(cells, 2, val=0.2)[0]
    rare = hold_rare(fold, {"eosinophil": 4})
    before, after = fold.part("train").counts(), rare.part("train").counts()
    assert after == {**before, "eosinophil": 4}
    assert rare.part("val").counts()["eosinophil"] == 1 < fold.part("val").counts()["eosinophil"]
    assert rare.part("test").records.equals(fold.part("test").records)


def test_a_smaller_rarity_keeps_some_of_the_images_of_a_larger(cells: CellDataset) -> None:
    fold = fold_dataset(cells, 2)[0]
    few, more = (set(hold_rare(fold, {"eosinophil": n}, seed=3).part("train").records["path"]) for n in (3, 9))
    assert few < more


@pytest.mark.parametrize(
    ("counts", "said"), [({"neutrophil": 3}, "rarity: no class 'neutrophil'"), ({"basophil": 99}, "has 3 of them")]
)
def test_impossible_rarity_is_refused(cells: CellDataset, counts: dict[str, int], said: str) -> None:
    with pytest.raises(InputError, match=said):
        hold_rare(fold_dataset(cells, 2, val=0.0)[0], counts)
