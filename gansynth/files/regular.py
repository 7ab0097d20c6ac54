"""The one way to open what a user names: a regular file, or a sentence that says what is there instead."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO

from gansynth.errors import InputError
from gansynth.files.names import shown

_KINDS = (
    (stat.S_ISREG, "a file"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NoSuchFile(InputError):
    """Nothing has this name, not even a link."""


def is_named(path: str | Path) -> bool:
    """Return whether something has this name, be it a link to a file that is not there.

    A file that may be absent is absent only where this is False: a link that leads nowhere was put there by somebody,
    and reading goes on with a sentence about it.
    """
    try:
        return os.path.lexists(path)
    except ValueError:  # a NUL: no file can have the name
        return False


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file for reading bytes.

    Parameters
    ----------
    path : path-like
        Links are followed.

    Returns
    -------
    binary file

    Raises
    ------
    NoSuchFile
        If nothing has this name.
    InputError
        If it is a link that leads nowhere, not a regular file (a named pipe would wait for ever, a device may never
        end), or cannot be opened.
    """
    try:
        # Asked first, since opening a device may already do something; and again of what was opened.
        _refuse_irregular(path, os.stat(path))
        file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115
        try:
            _refuse_irregular(path, os.fstat(file.fileno()))
        except BaseException:
            file.close()
            raise
        return file
    except FileNotFoundError:
        if is_named(path):
            raise InputError(
                f"{shown(path)}: is a link to a file that is not there; restore the file or remove the link"
            ) from None
        raise NoSuchFile(f"{shown(path)}: there is no such file; check the path") from None
    except ValueError:
        raise InputError(f"{shown(path)}: no file can have this name; check the path") from None
    except OSError as error:
        raise InputError(f"{shown(path)}: cannot be read ({error.strerror}); check the path and permissions") from None


def refuse_all_but_a_folder(path: str | Path) -> None:
    """Refuse what stands where a folder is to be written; one that is there, a link to one, and nothing at all are
    fine.

    Raises
    ------
    InputError
        If it is something else, or a link that leads nowhere.
    """
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # not there; or whoever makes the folder says why it cannot be
        if is_named(path) and os.path.islink(path):
            raise InputError(
                f"{shown(path)}: is a link to something that is not there; remove it, or choose another"
            ) from None
        return
    if not stat.S_ISDIR(status.st_mode):
        raise InputError(f"{shown(path)}: is {_kind(status)}, not a folder; choose another")


def read_bytes(path: str | Path, most: int) -> bytes:
    """Return the bytes of a regular file that has at most `most` of them.

    Raises
    ------
    NoSuchFile, InputError
        As `open_regular`; and for a larger file.
    """
    with open_regular(path) as file:
        try:
            data = file.read(most + 1)
        except OSError as error:
            raise InputError(f"{shown(path)}: cannot be read ({error.strerror}); check the disk") from None
    if len(data) > most:
        raise InputError(f"{shown(path)}: has more than {_megabytes(most)}, too much for what it is; check the path")
    return data


def _without_waiting(path: str, flags: int) -> int:
    # A pipe that took the file's place meanwhile must not be waited for.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _refuse_irregular(path: str | Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{shown(path)}: is {_kind(status)}, not a regular file; give a file")


def _kind(status: os.stat_result) -> str:
    return next((name for is_kind, name in _KINDS if is_kind(status.st_mode)), "something else")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:g} MB"


def file_sha256(path: Path) -> str:
    """Return the sha256 of a regular file's bytes as 64 hexadecimal digits; InputError for anything else."""
    digest = hashlib.sha256()  # hashlib.file_digest begins with Python 3.11
    with open_regular(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
