"""Splits: stratified, seeded, without a leak."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trees import picture, save, tree

from gansynth.data import CellDataset, open_dataset, read_splits, split_dataset, write_splits
from gansynth.data.split import shares_of_classes
from gansynth.data.units import assign_units
from gansynth.errors import InputError


def _cells(counts: list[int], groups: list[str] | None = None, origin: list[str] | None = None) -> CellDataset:
    n = sum(counts)
    labels = np.repeat(np.arange(len(counts)), counts)
    images = np.stack([picture(i, 16, 16) for i in range(n)]).transpose(0, 3, 1, 2)
    records = pd.DataFrame(
        {
            "path": [f"c{label}/{i}.png" for i, label in enumerate(labels)],
            "sha256": [str(i) for i in range(n)],
            "source": "",
            "group": groups or [""] * n,
            "split": "",
            "origin": origin or ["real"] * n,
        }
    )
    return CellDataset(images, labels, tuple(f"c{i}" for i in range(len(counts))), records)


def _shares(cells: CellDataset) -> list[list[int]]:
    return [
        [int(((cells.labels == c) & (cells.records["split"] == part)).sum()) for part in ("train", "val", "test")]
        for c in range(len(cells.class_names))
    ]


def test_every_class_is_divided_in_the_same_proportions() -> None:
    assert _shares(split_dataset(_cells([100, 50, 10]))) == [[70, 10, 20], [35, 5, 10], [7, 1, 2]]


@pytest.mark.filterwarnings("ignore:no image of")
def test_rare_class_keeps_an_image_for_testing_from_three_on() -> None:
    assert _shares(split_dataset(_cells([1, 2, 3, 4, 5]))) == [[1, 0, 0], [2, 0, 0], [2, 0, 1], [3, 0, 1], [3, 1, 1]]


def test_class_that_cannot_be_tested_is_named() -> None:
    with pytest.warns(UserWarning, match="c1"):
        split_dataset(_cells([10, 2]))


def test_of_many_classes_that_cannot_be_tested_some_are_named() -> None:
    with pytest.warns(UserWarning, match="c7, 32 more classes could be kept") as said:
        split_dataset(_cells([1] * 40))
    assert len(str(said[0].message)) < 300


def test_seed_decides_and_nothing_else() -> None:
    cells = _cells([60, 20])
    first = split_dataset(cells, seed=3).records["split"]
    assert first.equals(split_dataset(cells, seed=3).records["split"])
    assert not first.equals(split_dataset(cells, seed=4).records["split"])


def test_what_a_generator_has_seen_is_not_held_out() -> None:
    cells = _cells([30, 10])
    seen = set(cells.records["sha256"][5:35])
    split = split_dataset(cells, seen=seen)
    known = split.records["sha256"].isin(seen)
    assert set(split.records["split"][known]) == {"train"}
    assert {"val", "test"} <= set(split.records["split"][~known])


def test_group_never_straddles_and_shares_stay_close() -> None:
    groups = [f"p{i % 23}" for i in range(120)]
    cells = split_dataset(_cells([90, 30], groups))
    assert (cells.records.groupby("group")["split"].nunique() == 1).all()
    for n, (_, val, test) in zip([90, 30], _shares(cells), strict=True):
        assert abs(test - 0.2 * n) <= 4 and abs(val - 0.1 * n) <= 4


def test_empty_group_means_no_group() -> None:
    assert _shares(split_dataset(_cells([100], [""] * 100))) == [[70, 10, 20]]


def test_another_column_can_group() -> None:
    cells = _cells([40])
    records = cells.records.assign(slide=[f"s{i // 4}" for i in range(40)])
    split = split_dataset(CellDataset(cells.images, cells.labels, cells.class_names, records), groups="slide")
    assert (split.records.groupby("slide")["split"].nunique() == 1).all()


@pytest.mark.parametrize("seed", range(5))
def test_duplicates_never_straddle_a_split(tmp_path: Path, seed: int) -> None:
    root = tree(tmp_path / "d", {"a": 20, "b": 20})
    for i in range(8):
        save(picture(i), root / "a" / f"exact{i}.png")
        save(np.ascontiguousarray(np.rot90(picture(30 + i))), root / "b" / f"turned{i}.png")
    save(picture(0), root / "b" / "across classes.png")
    cells = split_dataset(open_dataset(root, 32), test=0.4, val=0.2, seed=seed)
    part = dict(zip(cells.records["path"], cells.records["split"], strict=True))
    assert len(set(part.values())) == 3
    assert all(part[f"a/{i:03d}.png"] == part[f"a/exact{i}.png"] for i in range(8))
    assert all(part[f"b/{10 + i:03d}.png"] == part[f"b/turned{i}.png"] for i in range(8))
    assert part["a/000.png"] == part["b/across classes.png"]


def test_test_images_are_real() -> None:
    groups = [""] * 100
    groups[0] = groups[50] = "shared"
    origin = ["real"] * 50 + ["synthetic"] * 50
    cells = split_dataset(_cells([100], groups, origin), test=0.3)
    assert set(cells.records.loc[50:, "split"]) == {"train"} and cells.records.loc[0, "split"] == "train"
    assert "test" in set(cells.records.loc[:49, "split"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=1, max_size=40), st.integers(0, 99))
def test_units_are_all_assigned_and_something_is_left_to_learn_from(units: list[list[int]], seed: int) -> None:
    counts = np.array(units)
    part = assign_units(counts, shares_of_classes(counts.sum(axis=0), 0.2, 0.1), np.random.default_rng(seed))
    assert set(part.tolist()) <= {0, 1, 2}
    if counts.sum():
        assert counts[part == 0].sum() > 0


@pytest.mark.parametrize("shares", [(-0.1, 0.1), (0.6, 0.4), (1.0, 0.0), (float("nan"), 0.1)])
def test_impossible_shares_are_an_input_error(shares: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="share"):
        split_dataset(_cells([10]), test=shares[0], val=shares[1])


def test_unknown_group_column_is_an_input_error() -> None:
    with pytest.raises(InputError, match="patient"):
        split_dataset(_cells([10]), groups="patient")


def test_written_split_is_read_back_when_the_data_set_is_opened(tmp_path: Path) -> None:
    root = tree(tmp_path / "d", {'a, "b"': 10, "ü\nc": 10})
    cells = split_dataset(open_dataset(root, 32))
    write_splits(cells, root)
    assert open_dataset(root, 32).records["split"].equals(cells.records["split"])
    assert set(open_dataset(root, 32, splits=False).records["split"]) == {""}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "is empty"),
        ("file,part\na/000.png,train\n", "columns"),
        ("file_name,split\na/000.png,train\n", "misses 2"),
        ("file_name,split\na/000.png,train\na/001.png,learn\na/002.png,test\n", "learn"),
        ("file_name,split\na/000.png,train\na/000.png,test\na/001.png,val\na/002.png,val\n", "twice"),
        ("file_name,split\na/000.png,train\na/001.png,val\na/002.png,test\n../../etc/passwd,test\n", "not there"),
        ("\x00\xff\x00", "not UTF-8 text"),
    ],
)
def test_splits_that_do_not_fit_are_named(tmp_path: Path, text: str, named: str) -> None:
    root = tree(tmp_path / "d", {"a": 3})
    (root / "splits.csv").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=rf"splits\.csv.*{named}"):
        open_dataset(root, 32)


def test_unreadable_files_may_stand_in_the_splits(tmp_path: Path) -> None:
    (tmp_path / "splits.csv").write_text("file_name,split\na,train\nbroken,test\n")
    assert read_splits(tmp_path / "splits.csv", ["a"], ["broken"]) == ["train"]
