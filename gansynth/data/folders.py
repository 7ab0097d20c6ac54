"""Class-folder trees: which files they hold."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gansynth.data.picture import pixel_sha256 as pixel_sha256
from gansynth.data.picture import read_image as read_image
from gansynth.errors import InputError
from gansynth.files import is_text
from gansynth.files import shown as shown

EXTENSIONS = frozenset({".jpg", ".jpeg", ".jfif", ".jpe", ".png", ".tif", ".tiff", ".bmp", ".webp"})
# Files that describe the tree or were left by an operating system: neither images nor worth a report.
_DESCRIPTIONS = frozenset({"metadata.csv", "splits.csv", "readme.md", "readme.txt", "license", "license.txt"})
_PARTS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})
_LITTER = frozenset(
    {"thumbs.db", "desktop.ini", "__macosx", "@eadir", "#recycle", "#snapshot", "$recycle.bin", "lost+found"}
    | {"system volume information"}
)

_HANDED = 4096
"""Files that threads have before them at a time: each waits in an object of a kilobyte."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One image file of a tree: its class, its path relative to the tree ("/" between parts), size and time."""

    class_name: str
    path: str
    bytes: int
    mtime_ns: int


@dataclass(frozen=True)
class Unreadable:
    """A file that was left out, and why. `path` is relative to the tree."""

    path: str
    reason: str


@dataclass
class FolderScan:
    """What `scan_folders` found.

    Attributes
    ----------
    root : pathlib.Path
    class_names : list of str
        Every first-level folder, sorted, also those without an image.
    files : list of ImageFile
        Sorted by path.
    unreadable : list of Unreadable
        Files with an image's extension that cannot even be tried.
    ignored : list of Unreadable
        Files that do not belong to a class (no image by extension, or outside the class folders).
    """

    root: Path
    class_names: list[str] = field(default_factory=list)
    files: list[ImageFile] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    ignored: list[Unreadable] = field(default_factory=list)


def scan_folders(root: str | Path, one_class: str | None = None) -> FolderScan:
    """List the image files of a class-folder tree; the first folder level is the class.

    With `one_class`, a folder that holds images and no folder is taken as one class of that name. Hidden files and
    folders are passed over. Linked folders are followed once; a link back into the tree, or to a folder that contains
    it, is reported and not followed.

    Raises
    ------
    InputError
        If `root` is not a folder, has no class folders, or a class folder's name is not valid UTF-8.
    """
    root = Path(root)
    try:
        if not root.is_dir():
            kind = "is a file, not a folder" if root.exists() else "there is no such folder"
            raise InputError(f"{shown(root)}: {kind}; give a folder that holds one folder of images per class")
        entries = sorted(os.scandir(root), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"{shown(root)}: cannot be listed ({error.strerror}); check its permissions") from error
    scan = FolderScan(root)
    own = os.stat(root)
    # A link to any folder above the tree would lead back into it.
    visited = {_identity(own)} | {_identity(os.stat(parent)) for parent in root.resolve().parents}
    for entry in entries:
        if _passed_over(entry.name):
            continue
        if not _is_folder(entry):
            if not _describes(entry.name):
                scan.ignored.append(Unreadable(shown(entry.name), "outside the class folders"))
            continue
        if not is_text(entry.name):
            raise InputError(f"{shown(entry.path)}: the class folder's name is not valid UTF-8; rename the folder")
        if _enter(entry, entry.name, visited, scan):
            scan.class_names.append(entry.name)
            _scan_class(entry.path, entry.name, entry.name, visited, scan)
    if not scan.class_names and one_class is not None:
        scan.class_names, scan.ignored = [one_class], []
        for entry in entries:
            if not _passed_over(entry.name):
                _scan_file(entry, entry.name, one_class, scan)
    if not scan.class_names:
        raise InputError(f"{shown(root)}: no class folders; put each class's images into a folder of its name")
    if len(scan.class_names) > 1 and {name.lower() for name in scan.class_names} <= _PARTS:
        raise InputError(
            f"{shown(root)}: holds the parts {', '.join(scan.class_names)}, not classes; put the class folders of all "
            "parts into one tree (`gansynth data split` makes a split without leaks), or give one part"
        )
    scan.files.sort(key=lambda file: file.path)
    return scan


def _scan_class(folder: str, relative: str, class_name: str, visited: set[tuple[int, int]], scan: FolderScan) -> None:
    pending = [(folder, relative)]
    while pending:
        folder, relative = pending.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            scan.unreadable.append(Unreadable(relative, f"folder cannot be listed ({error.strerror})"))
            continue
        for entry in entries:
            if _passed_over(entry.name):
                continue
            path = f"{relative}/{entry.name}"
            if _is_folder(entry):
                if _enter(entry, path, visited, scan):
                    pending.append((entry.path, path))
                continue
            _scan_file(entry, path, class_name, scan)


def _scan_file(entry: os.DirEntry[str], path: str, class_name: str, scan: FolderScan) -> None:
    if os.path.splitext(entry.name)[1].lower() not in EXTENSIONS:
        if not _describes(entry.name):
            scan.ignored.append(Unreadable(shown(path), "not an image by its extension"))
        return
    if not is_text(path):
        scan.unreadable.append(Unreadable(shown(path), "file name is not valid UTF-8; rename it"))
        return
    try:
        status = entry.stat()
    except OSError as error:
        scan.unreadable.append(Unreadable(path, f"cannot be opened ({error.strerror})"))
        return
    # Opening a named pipe would wait for ever.
    if not stat.S_ISREG(status.st_mode):
        scan.unreadable.append(Unreadable(path, "not a regular file"))
    elif status.st_size == 0:
        scan.unreadable.append(Unreadable(path, "empty file (0 bytes)"))
    else:
        scan.files.append(ImageFile(class_name, path, status.st_size, status.st_mtime_ns))


def image_files(folder: str | Path) -> list[Path]:
    """Return the image files in a folder and in all folders below it, by their extension, sorted.

    Hidden files and folders and what operating systems leave behind are passed over, as in `scan_folders`; linked
    folders are not followed.
    """
    found: list[Path] = []
    for place, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if not _passed_over(name)]
        found += [
            Path(place, name)
            for name in names
            if not _passed_over(name) and os.path.splitext(name)[1].lower() in EXTENSIONS
        ]
    return sorted(found)


def _enter(entry: os.DirEntry[str], path: str, visited: set[tuple[int, int]], scan: FolderScan) -> bool:
    """Return whether the folder is new; note it as visited, or report the link that led back to it."""
    identity = _identity(entry.stat())
    if identity in visited:
        scan.ignored.append(Unreadable(path, "link to a folder that is already part of the tree, or contains it"))
        return False
    visited.add(identity)
    return True


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that points to itself
        return False


def _passed_over(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower() in _LITTER


def _describes(name: str) -> bool:
    name = name.lower()
    return name in _DESCRIPTIONS or (name.startswith("splits.previous") and name.endswith(".csv"))


def read_all(
    scan: FolderScan, use: Callable[[int, NDArray[np.uint8]], None], progress: Callable[[int], None] | None = None
) -> dict[int, str]:
    """Read every file of `scan` in parallel and hand position and pixels to `use`.

    Returns
    -------
    dict of int to str
        Position and reason of each file that cannot be read.
    """
    failures: dict[int, str] = {}

    def one(position: int) -> None:
        try:
            pixels = read_image(scan.root / scan.files[position].path)
        except InputError as error:
            failures[position] = str(error)
        else:
            use(position, pixels)

    # Threads, not processes: Pillow decodes, and hashlib hashes, without the interpreter's lock.
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("ignore")
        for start in range(0, len(scan.files), _HANDED):
            files = range(start, min(start + _HANDED, len(scan.files)))
            for done, _ in enumerate(pool.map(one, files), start + 1):
                if progress is not None:
                    progress(done)
    return failures


def failures_of(scan: FolderScan) -> dict[int, str]:
    """Decode every file of `scan` and return {position: reason} of those that cannot be read."""
    return read_all(scan, lambda position, pixels: None)
