"""What a user names is a regular file, or one sentence says what it is; nothing waits for ever."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gansynth.data.label_tree import read_groups
from gansynth.data.npz import read_npz
from gansynth.data.picture import read_image
from gansynth.errors import InputError
from gansynth.files import (
    NoSuchFile,
    open_regular,
    read_bytes,
    read_json,
    read_table,
    read_text,
    refuse_all_but_a_folder,
)
from gansynth.metrics.extractors.weights import read_state
from gansynth.smears.voc import read_voc

READERS: tuple[Callable[[Any], Any], ...] = (
    open_regular,
    lambda path: read_bytes(path, 10),
    lambda path: read_text(path, 10),
    read_json,
    lambda path: read_table(path, ["file_name"], "mend it"),
    lambda path: read_npz(path, ()),
    read_image,
    read_voc,
    read_groups,
    read_state,
)


def socket_at(path: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(path.parent)  # the address of a socket has room for 100 bytes only
        try:
            server.bind(path.name)
        finally:
            os.chdir(here)
    return path


def linked(path: Path, to: str) -> Path:
    path.symlink_to(to)
    return path


def pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: pipe(folder / "x"), "is a named pipe"),
        (lambda folder: linked(folder / "x", str(pipe(folder / "y"))), "is a named pipe"),
        (lambda folder: socket_at(folder / "x"), "is a socket"),
        (lambda folder: Path("/dev/zero"), "is a device"),
        (lambda folder: linked(folder / "x", "/dev/zero"), "is a device"),
        (lambda folder: folder, "is a folder"),
        (lambda folder: linked(folder / "x", "nowhere"), "is a link to a file that is not there"),
        (lambda folder: linked(folder / "x", "x"), "cannot be read"),
        (lambda folder: folder / "absent", "there is no such file"),
        (lambda folder: folder / ("x" * 300), "cannot be read"),
        (lambda folder: folder / "a\0b", "no file can have this name"),
    ],
)
def test_what_is_not_a_regular_file_is_named(
    tmp_path: Path, read: Callable[[Any], Any], make: Callable[[Path], Path], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        read(make(tmp_path))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: pipe(folder / "x"), "is a named pipe, not a folder"),
        (lambda folder: socket_at(folder / "x"), "is a socket, not a folder"),
        (lambda folder: linked(folder / "x", "/dev/zero"), "is a device, not a folder"),
        (lambda folder: linked(folder / "x", "nowhere"), "is a link to something that is not there"),
        (lambda folder: linked(folder / "x", "x"), "is a link to something that is not there"),
        (lambda folder: Path(__file__), "is a file, not a folder"),
    ],
)
def test_what_stands_in_the_place_of_a_folder_is_named(tmp_path: Path, make: Callable[[Path], Path], said: str) -> None:
    with pytest.raises(InputError, match=said):
        refuse_all_but_a_folder(make(tmp_path))


def test_a_folder_and_nothing_at_all_are_no_obstacle(tmp_path: Path) -> None:
    for path in (tmp_path, linked(tmp_path / "x", str(tmp_path)), tmp_path / "absent", tmp_path / ("x" * 300)):
        refuse_all_but_a_folder(path)


def test_absent_file_can_be_distinguished_from_a_broken_one(tmp_path: Path) -> None:
    with pytest.raises(NoSuchFile):
        read_json(tmp_path / "run.json")
    with pytest.raises(InputError) as caught:
        read_json(linked(tmp_path / "run.json", "nowhere"))
    assert not isinstance(caught.value, NoSuchFile)


def test_larger_file_than_allowed_is_refused_and_one_that_just_fits_is_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"0123456789")
    assert read_bytes(tmp_path / "x", 10) == b"0123456789"
    with pytest.raises(InputError, match="has more than"):
        read_bytes(tmp_path / "x", 9)


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=40))
def test_any_bytes_are_text_or_refused_in_one_sentence(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("text") / "x.txt"
    path.write_bytes(data)
    try:
        text = read_text(path, 100)
    except InputError as error:
        assert "\n" not in str(error) and str(path) in str(error)
    else:
        assert text.encode() == data.removeprefix(b"\xef\xbb\xbf") and b"\0" not in data


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"a\n\xff\xfe", "line 2: not UTF-8"), ("a".encode("utf-16"), "is UTF-16"), (b"a\nb\0", "line 2: holds a NUL")],
)
def test_what_is_not_text_is_named_with_its_line(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(InputError, match=said):
        read_text(tmp_path / "x", 100)
