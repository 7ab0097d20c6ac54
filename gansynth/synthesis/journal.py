"""The journal of a running `generate`: what makes a killed one continue as if nothing had happened.

One JSON line with the request, then one for every finished chunk, appended after the chunk's images are
in place. Whatever a kill leaves half (a last line without its end, images without a line) is made anew,
and since image i depends on the model, the class and its seed only, it comes out the same.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from io import BufferedRandom
from pathlib import Path
from typing import Any

from gansynth.errors import InputError
from gansynth.files.atomic import naming

JOURNAL_FILE = ".generate.jsonl"

Request = Mapping[str, str | int | float | Sequence[Sequence[str | int]] | None]
"""Everything that decides what a folder will hold. Resuming asks for the same."""


@dataclass(frozen=True)
class KeptImage:
    """One image in place: its seed, what the screen measured, and its size in bytes."""

    seed: int
    confidence: float | None
    distance: float | None
    bytes: int


@dataclass(frozen=True)
class ChunkDone:
    """One chunk of consecutive seeds of one class, finished.

    `chunk` is the absolute number of the chunk; `tries` counts the seeds that were looked at.
    """

    class_name: str
    chunk: int
    tries: int
    rejected: int
    copies: int
    broken: int
    kept: list[KeptImage]


class Journal:
    """The open journal; close it with `close` or `finish`.

    Parameters
    ----------
    out : pathlib.Path
        The output folder, which exists.
    request : Request

    Raises
    ------
    InputError
        If the folder is at another request, or something else has the journal's place.
    """

    def __init__(self, out: Path, request: Request) -> None:
        self.path = out / JOURNAL_FILE
        self._file = _opened(self.path)
        try:
            self._file.seek(0)
            first = self._file.readline()
            if first.endswith(b"\n"):
                _check_same(_json(first, self.path), request, out)
            else:
                self._file.truncate(0)
                self._append(request)
        except BaseException:
            self.close()
            raise

    def keep_intact(self, sizes_hold: Callable[[ChunkDone], bool]) -> Iterator[ChunkDone]:
        """Yield the finished chunks in order; forget the first that does not hold, and all after it.

        Parameters
        ----------
        sizes_hold : callable of ChunkDone to bool
            Whether the chunk's images are there as they were written (a power cut can lose some).
        """
        with self.path.open("rb") as lines:
            intact = len(lines.readline())
            for line in lines:
                chunk = _chunk(line)
                if chunk is None or not sizes_hold(chunk):
                    break
                intact += len(line)
                yield chunk
        self._file.truncate(intact)

    def append(self, chunk: ChunkDone) -> None:
        """Note a chunk whose images are in place."""
        self._append(asdict(chunk))

    def chunks(self) -> Iterator[ChunkDone]:
        """Read the finished chunks in order, one at a time."""
        with self.path.open("rb") as lines:
            lines.readline()
            for line in lines:
                chunk = _chunk(line)
                if chunk is not None:
                    yield chunk

    def close(self) -> None:
        """Leave the journal for a later resume."""
        with suppress(OSError):  # a full disk, which has been said: each line was flushed when it was added
            self._file.close()

    def finish(self) -> None:
        """Remove the journal: everything it was for is done."""
        self.path.unlink(missing_ok=True)
        self._file.close()

    def _append(self, value: Mapping[str, Any]) -> None:
        # One write call a line, so that a kill tears the last line at most.
        with naming(self.path):
            self._file.write(json.dumps(value).encode("ascii") + b"\n")
            self._file.flush()


def _opened(path: Path) -> BufferedRandom:
    """Open for appending; a link that somebody planted is not followed."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise InputError(f"{path}: is not a regular file; remove it, or choose another output folder")
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    return open(path, "a+b", opener=lambda name, _: os.open(name, flags, 0o666))


def _chunk(line: bytes) -> ChunkDone | None:
    if not line.endswith(b"\n"):
        return None
    try:
        value = json.loads(line)
        return ChunkDone(**{**value, "kept": [KeptImage(**image) for image in value["kept"]]})
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _json(line: bytes, path: Path) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InputError(f"{path}: not a journal of gansynth; choose another output folder")
    return value


def _check_same(before: Mapping[str, Any], now: Request, out: Path) -> None:
    wanted = json.loads(json.dumps(dict(now)))
    different = [key for key in wanted if before.get(key) != wanted[key]]
    if different:
        changes = "; ".join(f"{key} was {_short(before.get(key))}, now {_short(wanted[key])}" for key in different)
        raise InputError(
            f"{out}: was started by another request ({changes}); resume with that one, or choose another output folder"
        )


def _short(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(f"{name}={n}" for name, n in value)
    return str(value)[:80]
