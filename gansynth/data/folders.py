"""Class-folder trees: which files they hold, and how one file becomes RGB uint8.

The reading rules are documented for users in docs/data.md; a change here changes what a data set
is, so it also changes `READING_RULES`, which is part of every pack's key.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from gansynth.errors import InputError

READING_RULES = 1
EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"})
# MPO is what some cameras write under .jpg.
_FORMATS = ("JPEG", "MPO", "PNG", "TIFF", "BMP", "WEBP")
# A cell image has 0.1 megapixels, a smear field a few; a small file that claims more is an attack or a mistake.
MAX_PIXELS = 64_000_000
# Files that describe the tree or were left by an operating system: neither images nor worth a report.
_DESCRIPTIONS = frozenset({"metadata.csv", "splits.csv", "readme.md", "readme.txt", "license", "license.txt"})
_LITTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


@dataclass(frozen=True)
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


def scan_folders(root: str | Path) -> FolderScan:
    """List the image files of a class-folder tree; the first folder level is the class.

    Hidden files and folders are passed over. Linked folders are followed once; a link back into the
    tree, or to a folder that contains it, is reported and not followed.

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
            if entry.name.lower() not in _DESCRIPTIONS:
                scan.ignored.append(Unreadable(shown(entry.name), "outside the class folders"))
            continue
        if not _is_text(entry.name):
            raise InputError(f"{shown(entry.path)}: the class folder's name is not valid UTF-8; rename the folder")
        if _enter(entry, entry.name, visited, scan):
            scan.class_names.append(entry.name)
            _scan_class(entry.path, entry.name, entry.name, visited, scan)
    if not scan.class_names:
        raise InputError(f"{shown(root)}: no class folders; put each class's images into a folder of its name")
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
        if entry.name.lower() not in _DESCRIPTIONS:
            scan.ignored.append(Unreadable(shown(path), "not an image by its extension"))
        return
    if not _is_text(path):
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
    return name.startswith(".") or name.lower() in _LITTER


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def shown(name: str | Path) -> str:
    """Return a name that can be printed and written as UTF-8 whatever bytes the file system holds."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def read_image(path: str | Path) -> NDArray[np.uint8]:
    """Read one image file to RGB.

    Grey is repeated in three channels; transparency is laid over white; of 16-bit values the high
    byte is kept; CMYK is converted; the EXIF orientation is applied; of several pages the first is
    read. The content decides about the format, not the extension.

    Returns
    -------
    uint8 array, shape [H, W, 3]

    Raises
    ------
    InputError
        If the file is no complete image in one of the formats, has more than 64 megapixels, or holds
        32-bit or floating-point values (they have no agreed range).
    """
    try:
        with Image.open(path, formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(f"{image.width} x {image.height} pixels, more than {MAX_PIXELS // 10**6} megapixels")
            image.load()
            # Only the orientations 2 to 8 need work; asking first saves a copy of every image.
            if image.getexif().get(0x0112, 1) != 1:
                image = ImageOps.exif_transpose(image)
            return _rgb(image)
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError(f"more than {MAX_PIXELS // 10**6} megapixels") from error
    except Image.UnidentifiedImageError as error:
        raise InputError("not an image (jpg, png, tif, bmp, webp)") from error
    # Pillow's decoders raise nearly anything on damaged files; whatever it is, the file is unreadable.
    except Exception as error:
        raise InputError(
            f"damaged or cut off ({' '.join(str(error).split())[:120] or type(error).__name__})"
        ) from error


def _rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        values = np.asarray(image)
        if image.mode == "F" or values.min() < 0 or values.max() > 65535:
            raise InputError("floating-point or 32-bit values have no agreed range; save it with 8 or 16 bits")
        return np.repeat((values >> 8).astype(np.uint8)[:, :, None], 3, axis=2)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode != "RGB":
        image = image.convert("RGB")
    return np.array(image)


def square(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Crop the centre square of an RGB image and resize it (bicubic, antialiased) to `size`.

    Parameters
    ----------
    pixels : uint8 array, shape [H, W, 3]
    size : int
        Edge length in pixels.

    Returns
    -------
    uint8 array, shape [3, size, size]
    """
    height, width = pixels.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    cropped = pixels[top : top + edge, left : left + edge]
    if edge != size:
        image = Image.fromarray(np.ascontiguousarray(cropped))
        cropped = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC))
    return np.ascontiguousarray(cropped.transpose(2, 0, 1))


def pixel_sha256(pixels: NDArray[np.uint8]) -> str:
    """Return the sha256 of an RGB image's shape and pixels: equal exactly for equal pictures, whatever the file."""
    digest = hashlib.sha256(f"{pixels.shape[1]}x{pixels.shape[0]}:".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def read_all(
    scan: FolderScan, use: Callable[[int, NDArray[np.uint8]], None], progress: Callable[[int], None] | None = None
) -> dict[int, str]:
    """Read every file of `scan` in parallel, hand position and pixels to `use`, return {position: reason} of failures."""
    import warnings
    from concurrent.futures import ThreadPoolExecutor

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
        for done, _ in enumerate(pool.map(one, range(len(scan.files))), 1):
            if progress is not None:
                progress(done)
    return failures


def failures_of(scan: FolderScan) -> dict[int, str]:
    """Decode every file of `scan` and return {position: reason} of those that cannot be read."""
    return read_all(scan, lambda position, pixels: None)
