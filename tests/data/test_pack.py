"""The pack and `open_dataset`."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from trees import picture, save, tree

from gansynth.data import dataset_info, open_dataset, split_dataset, write_splits
from gansynth.data.pack import default_cache, open_pack
from gansynth.data.picture import square
from gansynth.errors import InputError


def test_images_labels_and_records_run_side_by_side(tmp_path: Path) -> None:
    tree(tmp_path / "d", {"b": 2, "a": 3})
    cells = open_dataset(tmp_path / "d", 32)
    assert cells.class_names == ("a", "b") and cells.counts() == {"a": 3, "b": 2}
    assert cells.images.dtype == np.uint8 and cells.images.shape == (5, 3, 32, 32)
    assert cells.records["path"].tolist()[-1] == "b/001.png"
    assert np.array_equal(cells.images[-1], square(picture(1), 32))
    assert set(cells.records["origin"]) == {"real"} and set(cells.records["split"]) == {""}


def test_reopening_decodes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path / "d", {"a": 3})
    first = open_dataset(tmp_path / "d", 32, cache_dir=tmp_path / "c")
    monkeypatch.setattr("gansynth.data.pack.read_all", None)
    again = open_dataset(tmp_path / "d", 32, cache_dir=tmp_path / "c")
    assert np.array_equal(first.images, again.images) and first.records.equals(again.records)


def test_what_is_written_to_the_images_does_not_reach_the_cache(tmp_path: Path) -> None:
    tree(tmp_path / "d", {"a": 3})
    images = open_dataset(tmp_path / "d", 32, cache_dir=tmp_path / "c").images
    before = images.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # torch warns of arrays that cannot be written to
        torch.from_numpy(images).zero_()
    again = open_dataset(tmp_path / "d", 32, cache_dir=tmp_path / "c").images
    assert not images.any() and np.array_equal(again, before)


@pytest.mark.parametrize("change", ["added", "removed", "rewritten", "size", "renamed class"])
def test_changed_tree_gives_another_pack(tmp_path: Path, change: str) -> None:
    root = tree(tmp_path / "d", {"a": 3, "b": 2})
    before = open_dataset(root, 32)
    size = 32
    if change == "added":
        save(picture(50), root / "a" / "new.png")
    elif change == "removed":
        (root / "a" / "000.png").unlink()
    elif change == "rewritten":
        save(picture(50), root / "a" / "000.png")
    elif change == "size":
        size = 16
    else:
        (root / "b").rename(root / "c")
    after = open_dataset(root, size)
    assert after.class_names != before.class_names or not np.array_equal(after.images, before.images)


def test_unreadable_files_are_named_counted_and_left_out(tmp_path: Path) -> None:
    root = tree(tmp_path / "d", {"a": 3, "b": 2})
    whole = (root / "a" / "001.png").read_bytes()
    (root / "a" / "001.png").write_bytes(whole[: len(whole) // 2])
    (root / "b" / "zero.jpg").touch()
    (root / "b" / "text.jpg").write_text("not an image")
    with pytest.warns(UserWarning, match="3 unreadable"):
        cells = open_dataset(root, 32)
    assert cells.records["path"].tolist() == ["a/000.png", "a/002.png", "b/000.png", "b/001.png"]
    assert np.array_equal(cells.images[1], square(picture(2), 32))
    assert {bad.path for bad in dataset_info(root).unreadable} == {"a/001.png", "b/zero.jpg", "b/text.jpg"}


@pytest.mark.parametrize("broken", [True, False])
def test_class_that_ends_up_empty_is_an_error(tmp_path: Path, broken: bool) -> None:
    root = tree(tmp_path / "d", {"a": 3})
    (root / "promyelocyte").mkdir()
    if broken:
        (root / "promyelocyte" / "x.png").write_text("not an image")
    with pytest.raises(InputError, match="promyelocyte"):
        open_dataset(root, 32, cache_dir=tmp_path / "c")
    assert not list((tmp_path / "c").rglob("pack.json"))


def _opened(arguments: tuple[Path, Path]) -> int:
    return int(open_dataset(arguments[0], 32, cache_dir=arguments[1]).images.sum())


def test_many_processes_may_open_at_once(tmp_path: Path) -> None:
    tree(tmp_path / "d", {"a": 30, "b": 20})
    with ProcessPoolExecutor(4) as pool:
        sums = set(pool.map(_opened, [(tmp_path / "d", tmp_path / "c")] * 8))
    assert len(sums) == 1
    assert len(os.listdir(tmp_path / "c" / "packs")) == 1


def test_damaged_pack_is_made_anew(tmp_path: Path) -> None:
    tree(tmp_path / "d", {"a": 3})
    expected = open_dataset(tmp_path / "d", 32, cache_dir=tmp_path / "c").images.copy()
    (array,) = (tmp_path / "c").rglob("images.npy")
    array.write_bytes(array.read_bytes()[:500])
    assert np.array_equal(open_dataset(tmp_path / "d", 32, cache_dir=tmp_path / "c").images, expected)
    (description,) = (tmp_path / "c").rglob("pack.json")
    description.write_text(description.read_text()[:-9])
    assert np.array_equal(open_dataset(tmp_path / "d", 32, cache_dir=tmp_path / "c").images, expected)


def test_cache_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    tree(tmp_path / "d", {"a": 1})
    (tmp_path / "c").write_text("a file")
    with pytest.raises(InputError, match="GANSYNTH_CACHE"):
        open_dataset(tmp_path / "d", 32, cache_dir=tmp_path / "c")


def test_disk_without_room_is_named_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path / "d", {"a": 1})
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(InputError, match="free"):
        open_dataset(tmp_path / "d", 32, cache_dir=tmp_path / "c")


@pytest.mark.parametrize("size", [0, -1, 7, 4096, 32.5, "64", True, None])
def test_impossible_size_is_an_input_error(tmp_path: Path, size: object) -> None:
    with pytest.raises(InputError, match="size"):
        open_pack(tree(tmp_path / "d", {"a": 1}), size)  # type: ignore[arg-type]


def test_metadata_annotates_and_never_adds_files(tmp_path: Path) -> None:
    root = tree(tmp_path / "d", {"a": 3})
    save(picture(77), tmp_path / "secret.png")
    (root / "metadata.csv").write_text(
        "file_name,source,group,origin,patient\na/001.png,pbc,p1,synthetic,7\n../secret.png,x,y,real,8\n"
    )
    with pytest.warns(UserWarning, match="gone on without"):
        records = open_dataset(root, 32, unmatched="ignore").records
    assert records["path"].tolist() == ["a/000.png", "a/001.png", "a/002.png"]
    assert records.loc[1, ["source", "group", "origin", "patient"]].tolist() == ["pbc", "p1", "synthetic", "7"]
    assert records.loc[0, "origin"] == "real"


def test_generated_images_are_known_as_synthetic(tmp_path: Path) -> None:
    root = tree(tmp_path / "d", {"a": 2})
    (root / "metadata.csv").write_text("file_name,class,seed,model_sha256\na/000.png,a,0,abc\na/001.png,a,,\n")
    assert open_dataset(root, 32).records["origin"].tolist() == ["synthetic", "real"]


@pytest.mark.parametrize(
    "text",
    ["", "a\n1\n", 'file_name\n"open', "file_name,origin\na/000.png,fake\n", "file_name,split\na/000.png,learn\n"],
)
def test_unusable_metadata_is_an_input_error(tmp_path: Path, text: str) -> None:
    root = tree(tmp_path / "d", {"a": 2})
    (root / "metadata.csv").write_text(text)
    with pytest.raises(InputError, match=r"metadata\.csv"):
        open_dataset(root, 32)


def test_info_counts_what_is_there(tmp_path: Path) -> None:
    root = tree(tmp_path / "d", {"a": 6, "b": 3})
    save(picture(0), root / "b" / "copy.bmp")
    write_splits(split_dataset(open_dataset(root, 32)), root)
    info = dataset_info(root)
    assert info.counts == {"a": 6, "b": 4} and info.imbalance == 1.5
    assert info.exact == [["a/000.png", "b/copy.bmp"]] and info.across_classes == 1
    facts = json.loads(json.dumps(info.to_json()))
    assert facts["classes"] == info.counts and facts["sizes"] == {"40 x 40": 10}
    assert sum(sum(part.values()) for part in facts["splits"].values()) == 10
    assert "rho = 1.5" in info.to_text() and "b/copy.bmp" in info.to_text()


def test_info_shows_the_classes_although_the_split_is_stale(tmp_path: Path) -> None:
    root = tree(tmp_path / "d", {"a": 3})
    (root / "splits.csv").write_text("file_name,split\na/000.png,train\n")
    info = dataset_info(root)
    assert info.counts == {"a": 3} and info.splits == {} and "misses 2" in info.to_text()


def test_the_cache_is_in_ones_own_folder_and_without_one_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("GANSYNTH_CACHE", "~/packs")
    assert default_cache() == Path("/home/me/packs")
    monkeypatch.delenv("GANSYNTH_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert default_cache() == Path("/home/me/.cache/gansynth")

    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    with pytest.raises(InputError, match=r"no home folder.*GANSYNTH_CACHE"):
        default_cache()
