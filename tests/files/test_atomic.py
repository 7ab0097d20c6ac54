"""Files appear whole or not at all, and one that could not be written is named."""

from __future__ import annotations

import errno
import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from PIL import Image

from gansynth.errors import InputError
from gansynth.files.atomic import link_or_copy, naming, whole_file, whole_folder, write_text
from gansynth.runs.weights import write_weights


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """A disk on which no file can grow beyond a size: what is met in the middle of a file, as a full one is."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def write_picture(path: Path) -> None:
    with whole_file(path) as temporary:
        Image.effect_noise((200, 200), 90).save(temporary)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_text(path, "x" * 50_000),
        lambda path: write_weights(path, {"x": torch.zeros(50_000)}, {}),
        write_picture,
    ],
    ids=["text", "weights", "picture"],
)
def test_what_a_full_disk_cuts_off_is_named_and_what_was_there_stays(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "file.png"
    for before in (None, b"before"):
        if before is not None:
            path.write_bytes(before)
        with no_file_above(1000), pytest.raises(OSError) as raised:
            write(path)
        assert (raised.value.errno, raised.value.filename) == (errno.EFBIG, str(path))
        assert [p.read_bytes() for p in tmp_path.iterdir()] == ([] if before is None else [before])
    write(path)
    assert path.stat().st_size > 1000


def test_a_folder_that_could_not_be_filled_is_not_there(tmp_path: Path) -> None:
    with no_file_above(1000), pytest.raises(OSError, match="File too large"), whole_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("fits")
        (folder / "b").write_text("x" * 5000)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_the_name_of_a_file_is_named_and_stays(tmp_path: Path) -> None:
    (tmp_path / "results.json").mkdir()
    with pytest.raises(InputError, match=r"results.json: a folder has the name of a file"):
        write_text(tmp_path / "results.json", "{}")
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_a_link_planted_in_the_place_of_a_temporary_name_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").write_text("kept")
    (tmp_path / "home").mkdir()
    names = [f"planted{k}" for k in range(9)]
    out = tmp_path / "out"
    out.mkdir()
    for name in names[:8]:
        (out / f".notes.{name}.txt").symlink_to(tmp_path / "mine")
        (out / f".folder.{name}").symlink_to(tmp_path / "home")
    planted = {*out.iterdir()}
    monkeypatch.setattr(tempfile, "_get_candidate_names", lambda: iter(names))
    write_text(out / "notes.txt", "written")
    with whole_folder(out / "folder") as folder:
        (folder / "a").write_text("written")
    assert (tmp_path / "mine").read_text() == "kept" and not list((tmp_path / "home").iterdir())
    assert {*out.iterdir()} == planted | {out / "notes.txt", out / "folder"}
    assert (out / "notes.txt").read_text() == (out / "folder" / "a").read_text() == "written"


def test_a_link_to_an_empty_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "disk" / "empty").mkdir(parents=True)
    link = tmp_path / "out"
    link.symlink_to("disk/empty")
    with whole_folder(link) as folder:
        (folder / "a").touch()
    assert link.is_symlink() and [path.name for path in link.iterdir()] == ["a"]
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["empty"]


def test_what_names_a_file_keeps_its_name_and_what_is_not_the_systems_stays() -> None:
    with pytest.raises(OSError) as raised, naming("mine"):
        open("/nowhere/at/all")  # noqa: SIM115
    assert raised.value.filename == "/nowhere/at/all"
    with pytest.raises(ValueError, match="os error 28"), naming("mine"):
        raise ValueError("(os error 28)")
    with pytest.raises(OSError, match="read"), naming("mine"):
        raise OSError("read")


def test_a_copy_that_has_no_room_is_named_and_not_what_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "read").write_text("x" * 5000)
    link_or_copy(tmp_path / "read", tmp_path / "linked" / "a")
    assert (tmp_path / "linked" / "a").samefile(tmp_path / "read")

    def none(*_: object) -> None:
        raise OSError(errno.EXDEV, "another disk")

    monkeypatch.setattr(os, "link", none)
    link_or_copy(tmp_path / "read", tmp_path / "copied" / "a")
    assert (tmp_path / "copied" / "a").read_text() == "x" * 5000
    with no_file_above(1000), pytest.raises(OSError) as raised:
        link_or_copy(tmp_path / "read", tmp_path / "full" / "a")
    assert raised.value.filename == str(tmp_path / "full" / "a")


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there, real = [], os.fsync

    def noted(file: int) -> None:
        there.append((tmp_path / "a.txt").exists())
        real(file)

    monkeypatch.setattr(os, "fsync", noted)
    write_text(tmp_path / "a.txt", "whole")
    assert there == [False] and (tmp_path / "a.txt").read_text() == "whole"
