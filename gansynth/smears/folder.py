"""A folder of smear fields: which images it holds, and where their annotations are."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from pathlib import Path

from gansynth.data.folders import image_files
from gansynth.errors import InputError
from gansynth.files import is_named, shown

_ANNOTATION_FOLDERS = ("annotations", "voc", "labels", "xml")


@dataclass(frozen=True)
class FieldFile:
    """One field on disk.

    Attributes
    ----------
    path : pathlib.Path
    relative : str
        Path below the folder that was given, with "/".
    name : str
        What files about this field are called: no folder, no suffix, no two alike in one listing.
    annotation : pathlib.Path or None
        Its Pascal VOC file.
    """

    path: Path
    relative: str
    name: str
    annotation: Path | None


def list_fields(smears: str | Path, annotations: str | Path | None = None) -> list[FieldFile]:
    """List the smear fields of a folder, however deep, sorted by path; or one image file.

    Hidden files and folders are passed over, linked folders not followed.

    Parameters
    ----------
    smears : path-like
    annotations : path-like, optional
        Folder of Pascal VOC files, one with each field's name. Where it is not given they are looked for beside the
        image, and in a folder `Annotations` beside the image's folder.

    Raises
    ------
    InputError
        If there is no image, or `annotations` is not a folder with a file for any of the fields.
    """
    root = Path(smears)
    if root.is_file():
        files = [root]
        root = root.parent
    elif root.is_dir():
        # A named pipe among them would be waited for without end.
        files = [path for path in image_files(root) if path.is_file()]
    else:
        raise InputError(f"{shown(root)}: no such folder; check the path")
    if not files:
        raise InputError(f"{shown(root)}: no images (jpg, png, tif, bmp, webp); give the folder of the smear fields")
    if annotations is not None and not Path(annotations).is_dir():
        raise InputError(f"{shown(annotations)}: no such folder of Pascal VOC files; check --annotations")
    fields, taken = [], set[str]()
    for file in files:
        relative = shown(file.relative_to(root).as_posix())
        plain = shown(file.relative_to(root).with_suffix("").as_posix()).replace("/", "_").lstrip(".") or "field"
        candidates = itertools.chain([plain], (f"{plain}_{k}" for k in itertools.count(2)))
        # Compared without case: the files may be copied to a file system that knows none.
        name = next(one for one in candidates if one.lower() not in taken)
        taken.add(name.lower())
        fields.append(FieldFile(file, relative, name, _annotation(file, annotations)))
    if annotations is not None and not any(field.annotation for field in fields):
        raise InputError(
            f"{shown(annotations)}: no file is called as a field is ({files[0].stem}.xml); check --annotations"
        )
    return fields


def _annotation(image: Path, annotations: str | Path | None) -> Path | None:
    wanted = f"{image.stem}.xml"
    if annotations is not None:
        places = [Path(annotations)]
    else:
        # `image.parent` may be ".", whose parent only the absolute path knows.
        folder = image.absolute().parent
        beside = [folder, *(one for one in (folder.parent, folder) for one in _annotation_folders(one))]
        places = list(beside)
    return next((found for place in places for found in _called(place, wanted)), None)


def _called(folder: Path, wanted: str) -> list[Path]:
    """Return the file of a name in a folder; if there is none, those with the same stem and another case of `.xml`."""
    if is_named(folder / wanted):
        return [folder / wanted]
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    stem = wanted.removesuffix("xml")
    return [folder / name for name in names if name.startswith(stem) and name[len(stem) :].lower() == "xml"]


def _annotation_folders(folder: Path) -> list[Path]:
    return sorted(
        Path(entry.path) for entry in os.scandir(folder) if entry.name.lower() in _ANNOTATION_FOLDERS and entry.is_dir()
    )
