"""Which files of a tree count."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from trees import picture, save, tree

from gansynth.data.folders import image_files, read_all, scan_folders
from gansynth.errors import InputError


def test_class_is_the_first_folder_level(tmp_path: Path) -> None:
    tree(tmp_path, {"a": 1})
    save(picture(9), tmp_path / "a" / "0001-1000" / "deep" / "x.png")
    scan = scan_folders(tmp_path)
    assert {(file.class_name, file.path) for file in scan.files} == {
        ("a", "a/000.png"),
        ("a", "a/0001-1000/deep/x.png"),
    }


@pytest.mark.parametrize(
    "name", ["smudge cell", 'it\'s "b"', "мегакариоцит", "a,b;c", "..a", "%2e%2e", "x\ny", "-rf", "𝛼"]
)
def test_any_class_name_of_the_file_system_works(tmp_path: Path, name: str) -> None:
    if name.startswith("."):
        name = "a.."
    tree(tmp_path, {name: 2})
    assert scan_folders(tmp_path).class_names == [name]


def test_hidden_files_are_passed_over_and_others_are_reported(tmp_path: Path) -> None:
    tree(tmp_path, {"a": 1})
    save(picture(1), tmp_path / "a" / ".hidden.png")
    save(picture(1), tmp_path / ".git" / "x.png")
    save(picture(1), tmp_path / "loose.png")
    (tmp_path / "a" / "notes.txt").write_text("seen by two people")
    scan = scan_folders(tmp_path)
    assert [file.path for file in scan.files] == ["a/000.png"]
    assert {other.path for other in scan.ignored} == {"loose.png", "a/notes.txt"}


def test_links_are_followed_once_and_loops_end(tmp_path: Path) -> None:
    tree(tmp_path / "elsewhere", {"cells": 2})
    root = tree(tmp_path / "root", {"a": 1})
    (root / "b").symlink_to(tmp_path / "elsewhere" / "cells")
    (root / "a" / "up").symlink_to(root)
    (root / "a" / "top").symlink_to("/")
    (root / "a" / "self.png").symlink_to(root / "a" / "self.png")
    (root / "again").symlink_to(root / "a")
    scan = scan_folders(root)
    assert [file.path for file in scan.files] == ["a/000.png", "b/000.png", "b/001.png"]
    assert {other.path for other in scan.ignored} == {"a/up", "a/top", "again"}
    assert [bad.path for bad in scan.unreadable] == ["a/self.png"]


def test_named_pipe_does_not_hang(tmp_path: Path) -> None:
    tree(tmp_path, {"a": 1})
    os.mkfifo(tmp_path / "a" / "pipe.png")
    assert [bad.reason for bad in scan_folders(tmp_path).unreadable] == ["not a regular file"]


def test_file_name_that_is_no_text_is_reported(tmp_path: Path) -> None:
    tree(tmp_path, {"a": 1})
    os.rename(os.fsencode(tmp_path / "a" / "000.png"), os.fsencode(tmp_path / "a") + b"/\xff.png")
    assert "UTF-8" in scan_folders(tmp_path).unreadable[0].reason


def test_parts_instead_of_classes_are_recognised(tmp_path: Path) -> None:
    tree(tmp_path, {"train/a": 1, "test/a": 1})
    with pytest.raises(InputError, match="not classes"):
        scan_folders(tmp_path)


@pytest.mark.parametrize("kind", ["missing", "file", "empty"])
def test_what_is_no_tree_is_named(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "cells"
    if kind == "file":
        place.write_text("x")
    elif kind == "empty":
        place.mkdir()
    with pytest.raises(InputError, match="cells"):
        scan_folders(place)


@pytest.mark.parametrize("litter", ["@eaDir", "__MACOSX", ".ipynb_checkpoints", "#recycle", "$RECYCLE.BIN"])
def test_what_storage_and_editors_leave_in_a_class_is_not_an_image(tmp_path: Path, litter: str) -> None:
    tree(tmp_path, {"a": 1})
    save(picture(1), tmp_path / "a" / litter / "000.jpg" / "SYNOPHOTO_THUMB_M.jpg")
    save(picture(1), tmp_path / "a" / litter / "000-checkpoint.png")
    save(picture(1), tmp_path / litter / "x.png")
    (tmp_path / "a" / "~$annotations.png").write_bytes(b"lock")
    assert [file.path for file in scan_folders(tmp_path).files] == ["a/000.png"]
    assert [path.name for path in image_files(tmp_path)] == ["000.png"]


@pytest.mark.parametrize("suffix", [".PNG", ".JPG", ".jfif", ".JFIF", ".jpe", ".Tiff"])
def test_extensions_of_any_case_are_images(tmp_path: Path, suffix: str) -> None:
    save(picture(1), tmp_path / "a" / "x.png").rename(tmp_path / "a" / f"x{suffix}")
    assert len(scan_folders(tmp_path).files) == 1


def test_files_that_threads_get_in_parts_are_all_read_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of a million at once would wait in a gigabyte."""
    monkeypatch.setattr("gansynth.data.folders._HANDED", 3)
    tree(tmp_path, {"a": 5, "b": 2})
    (tmp_path / "b" / "001.png").write_bytes(b"no picture")
    seen, told = set[int](), list[int]()
    failures = read_all(scan_folders(tmp_path), lambda position, _: seen.add(position), told.append)
    assert seen == set(range(6)) and list(failures) == [6] and told == list(range(1, 8))
