"""Files and folders that appear whole or not at all: written beside, then renamed."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gansynth.errors import InputError
from gansynth.files.names import shown


@contextmanager
def whole_file(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success rename it to `path`, on failure remove it.

    Parameters
    ----------
    path : path-like
        The file that shall appear. Its folder is created.

    Yields
    ------
    pathlib.Path
        Where to write. It has the same suffix as `path`, since writers look at the suffix.

    Raises
    ------
    InputError
        If a folder has the name.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{shown(path)}: a folder has the name of a file that is to be written; remove or rename it")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem[:40]}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        with naming(path, temporary):
            yield temporary
            with temporary.open("rb+") as written:
                os.fsync(written.fileno())
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def naming(path: Path | str, temporary: Path | None = None) -> Iterator[None]:
    """Name the file that could not be written in what the system raises.

    A disk that fills up is met in the middle of a file, and what is raised then names none; libraries that are not
    Python's raise what they like.

    Parameters
    ----------
    path : path-like
        What is written.
    temporary : path-like, optional
        What it is called until it is whole: a user knows no such name.

    Raises
    ------
    OSError
        With the error number that the system gave, and `path`.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename not in (None, *([str(temporary), temporary] if temporary else [])):
            raise
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    except Exception as error:
        number = _OF_THE_SYSTEM.search(str(error)) if type(error).__name__ == "SafetensorError" else None
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error


_OF_THE_SYSTEM = re.compile(r"\(os error (\d+)\)")
"""How Rust ends the text of an error that the system gave."""


def link_or_copy(file: Path | str, place: Path) -> None:
    """Hard-link a file, which costs no space; copy it where that cannot be done. Errors are those of `copy_file`."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(os.path.realpath(file), place)
    except OSError:
        copy_file(file, place)


def copy_file(file: Path | str, place: Path) -> None:
    """Copy a file with its times; the folder of `place` is created.

    Raises
    ------
    OSError
        If it cannot be copied; where there is no room for it, with the name of `place`.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copy2(file, place)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):  # said of the file that is read
            raise OSError(error.errno, error.strerror, str(place)) from error
        raise


@contextmanager
def whole_folder(path: Path | str) -> Iterator[Path]:
    """Give a temporary folder beside `path`; on success rename it to `path`, on failure remove it.

    `path` must not exist, or be an empty folder, or a link to one: it is the linked folder that is filled then.
    """
    place = Path(os.path.realpath(path))
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{place.name[:40]}.", dir=place.parent))
    try:
        with naming(path):
            yield temporary
        temporary.chmod(0o777 & ~_umask())
        temporary.replace(place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def refuse_used(out: Path | str, what: str = "") -> None:
    """Refuse a file, and a folder that holds anything, as the place of a new folder.

    Parameters
    ----------
    out : path-like
    what : str
        What is to be written there, such as "the quiz".

    Raises
    ------
    InputError
        In these cases.
    """
    folder, place = Path(out), f"a folder for {what}" if what else "a folder"
    if folder.is_dir():
        if any(folder.iterdir()):
            another = place.replace("a folder", "another folder", 1)
            raise InputError(f"{shown(folder)}: is there already and not empty; choose {another}")
    elif folder.exists():
        raise InputError(f"{shown(folder)}: is a file; choose {place}")


def write_text(path: Path | str, text: str) -> None:
    """Write `text` (UTF-8) to `path`, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path | str, value: Any) -> None:
    """Write `value` as indented JSON to `path`, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
