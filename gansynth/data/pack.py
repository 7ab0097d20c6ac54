"""The pack: a class-folder tree decoded once into one memory-mapped uint8 array.

A pack is a folder in the cache: `images.npy` (uint8 [N, 3, S, S]) and `pack.json` (classes, one record
per image, what was left out). Its name is the sha256 of everything it depends on (the tree's place,
every file's path, length and time of change, the size, the reading rules), so a pack is never
updated: a changed tree has another one.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansynth.data.declared_origin import declared_origin
from gansynth.data.folders import FolderScan, Unreadable, read_all, scan_folders, shown
from gansynth.data.layout import alike_doubts, layout_doubts, refuse_alike
from gansynth.data.picture import READING_RULES, pixel_sha256, square
from gansynth.errors import InputError
from gansynth.runs.display import WorkDisplay

MIN_SIZE, MAX_SIZE = 8, 1024
_MAKING = ".making."


@dataclass(frozen=True)
class Pack:
    """A decoded class-folder tree.

    Attributes
    ----------
    images : uint8 array, shape [N, 3, S, S]
        Memory-mapped, read-only.
    labels : int64 array, shape [N]
    class_names : tuple of str
    paths, sha256 : list of str
        One per image: path relative to the tree, and sha256 of the RGB pixels at the original size.
    sizes : int64 array, shape [N, 2]
        Width and height in the file.
    unreadable, ignored : list of Unreadable
        What was left out.
    origins : list of str
        What each image's file says by itself (see `declared_origin`); "" where it says nothing.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    paths: list[str]
    sha256: list[str]
    sizes: NDArray[np.int64]
    unreadable: list[Unreadable]
    ignored: list[Unreadable]
    origins: list[str]


def default_cache() -> Path:
    """Return the folder of the packs: `$GANSYNTH_CACHE`, else `gansynth` in the user's cache folder.

    Raises
    ------
    InputError
        If none is set and the user has no folder.
    """
    try:
        own = os.environ.get("GANSYNTH_CACHE")
        if own:
            return Path(own).expanduser()
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gansynth"
    except RuntimeError:  # a container may run for a user whom the system does not know
        raise InputError(
            "there is no home folder for the cache of decoded images; set GANSYNTH_CACHE to a folder of yours"
        ) from None


def open_pack(
    root: str | Path,
    size: int,
    *,
    cache_dir: Path | None = None,
    progress: bool = False,
    one_class: str | None = None,
) -> Pack:
    """Open the pack of a class-folder tree; make it first if there is none.

    Parameters
    ----------
    root : path-like
        The tree.
    size : int
        Edge length of the images in pixels, 8 to 1024.
    cache_dir : path-like, optional
        Where packs are kept; `default_cache()` by default.
    progress : bool
        Show how far decoding is, on standard error.
    one_class : str, optional
        Take a folder that holds images and no folders as one class of this name.

    Raises
    ------
    InputError
        If the tree is not usable, a class has no readable image, or the cache cannot be written.
    """
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or not MIN_SIZE <= size <= MAX_SIZE:
        raise InputError(f"image size {size!r}: give a whole number of pixels from {MIN_SIZE} to {MAX_SIZE}")
    scan = scan_folders(root, one_class)
    refuse_alike(scan.class_names, root)
    for doubt in [*alike_doubts(scan.class_names, root), *layout_doubts(scan)]:
        warnings.warn(doubt, stacklevel=3)
    cache = Path(cache_dir) if cache_dir is not None else default_cache()
    place = cache / "packs" / _key(scan, int(size))
    try:
        pack = _load(place)
        if pack is None:
            _build(scan, int(size), place, progress)
            pack = _load(place)
    except OSError as error:
        raise InputError(
            f"{shown(place)}: the cache of decoded images cannot be used ({error.strerror or error}); "
            "free some space, or set GANSYNTH_CACHE to a folder that can be written"
        ) from error
    if pack is None:
        raise InputError(f"{shown(place)}: the decoded images vanished while they were opened; run the command again")
    return pack


def _key(scan: FolderScan, size: int) -> str:
    digest = hashlib.sha256(json.dumps([READING_RULES, size, str(scan.root.resolve()), scan.class_names]).encode())
    for file in scan.files:
        digest.update(f"{file.path}\0{file.bytes}\0{file.mtime_ns}\n".encode())
    for left_out in (*scan.unreadable, *scan.ignored):
        digest.update(f"-{left_out.path}\0{left_out.reason}\n".encode())
    return digest.hexdigest()[:32]


def _build(scan: FolderScan, size: int, place: Path, progress: bool) -> None:
    n = len(scan.files)
    _check_classes(scan, {file.class_name for file in scan.files}, scan.unreadable)
    place.parent.mkdir(parents=True, exist_ok=True)
    _clear_remains(place.parent)
    # A memory-mapped file that outgrows the disk would end the process without a word.
    needed, free = n * 3 * size * size, shutil.disk_usage(place.parent).free
    if needed > free:
        raise OSError(errno.ENOSPC, f"{needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free")
    temporary = Path(tempfile.mkdtemp(prefix=_MAKING, dir=place.parent))
    try:
        description = _decode(scan, size, temporary / "images.npy", progress)
        (temporary / "pack.json").write_text(json.dumps(description), encoding="utf-8")
        try:
            temporary.replace(place)
        except OSError:
            # Another process made the same pack meanwhile: its folder is as good as this one.
            if not (place / "pack.json").exists():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _decode(scan: FolderScan, size: int, path: Path, progress: bool) -> dict[str, Any]:
    n = len(scan.files)
    images = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(n, 3, size, size))
    sha256 = [""] * n
    sizes = np.zeros((n, 2), np.int64)
    origins = [""] * n

    def use(position: int, pixels: NDArray[np.uint8]) -> None:
        images[position] = square(pixels, size)
        sha256[position] = pixel_sha256(pixels)
        sizes[position] = pixels.shape[1], pixels.shape[0]
        origins[position] = declared_origin(scan.root / scan.files[position].path)

    with WorkDisplay("decoding images", n, shown=progress) as display:
        failures = read_all(scan, use, display.update)
    unreadable = scan.unreadable + [Unreadable(scan.files[i].path, failures[i]) for i in sorted(failures)]
    kept = [i for i in range(n) if i not in failures]
    _check_classes(scan, {scan.files[i].class_name for i in kept}, unreadable)
    # The rows of unreadable files are closed up; what remains at the end is not looked at again.
    for row, position in enumerate(kept):
        if row != position:
            images[row] = images[position]
    images.flush()
    index = {name: label for label, name in enumerate(scan.class_names)}
    return {
        "class_names": scan.class_names,
        "labels": [index[scan.files[i].class_name] for i in kept],
        "paths": [scan.files[i].path for i in kept],
        "sha256": [sha256[i] for i in kept],
        "sizes": sizes[kept].tolist(),
        "origins": [origins[i] for i in kept],
        "unreadable": [[bad.path, bad.reason] for bad in unreadable],
        "ignored": [[other.path, other.reason] for other in scan.ignored],
    }


def _clear_remains(folder: Path) -> None:
    """Remove what a killed process left behind a day ago or earlier."""
    for remains in folder.glob(f"{_MAKING}*"):
        with contextlib.suppress(OSError):
            if time.time() - remains.stat().st_mtime > 86_400:
                shutil.rmtree(remains, ignore_errors=True)


def _load(place: Path) -> Pack | None:
    try:
        found: dict[str, Any] = json.loads((place / "pack.json").read_text(encoding="utf-8"))
        # "c": torch warns of arrays that cannot be written to; what is written to these does not reach the file.
        images = np.load(place / "images.npy", mmap_mode="c", allow_pickle=False)
        images = images[: len(found["labels"])]
        if len(images) != len(found["labels"]):
            raise ValueError
    except FileNotFoundError:
        return None
    except (ValueError, KeyError):
        # A disk that lost its end: make it anew.
        shutil.rmtree(place, ignore_errors=True)
        return None
    return Pack(
        images,
        np.array(found["labels"], np.int64),
        tuple(found["class_names"]),
        found["paths"],
        found["sha256"],
        np.array(found["sizes"], np.int64).reshape(-1, 2),
        [Unreadable(*pair) for pair in found["unreadable"]],
        [Unreadable(*pair) for pair in found["ignored"]],
        found["origins"],
    )


def _check_classes(scan: FolderScan, filled: set[str], unreadable: list[Unreadable]) -> None:
    empty = [name for name in scan.class_names if name not in filled]
    if not empty:
        return
    bad = Counter(file.path.split("/", 1)[0] for file in unreadable)
    named = ", ".join(f"'{name}' ({bad[name]} unreadable)" if bad[name] else f"'{name}'" for name in empty[:5])
    first = next(
        (f"; for example {file.path}: {file.reason}" for file in unreadable if file.path.split("/")[0] in empty), ""
    )
    more = f" and {len(empty) - 5} more" if len(empty) > 5 else ""
    raise InputError(
        f"{shown(scan.root)}: no readable image in class {named}{more}{first}; add images or remove the folder"
    )
