"""Whether the folders of a tree can be its classes: two that a reader takes for one, or a level that is not classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from gansynth.data.folders import FolderScan
from gansynth.data.mapping import is_cell_type
from gansynth.errors import InputError
from gansynth.files import as_seen, name_key, shown


def refuse_alike(class_names: Iterable[str], root: str | Path) -> None:
    """Refuse two classes whose names differ only in blanks around them, or in how an accent is composed.

    They look the same wherever they are printed: one class, whose images came from two places.

    Raises
    ------
    InputError
        Naming the two.
    """
    for first, second in _twins(class_names, as_seen):
        raise InputError(
            f"{shown(root)}: the class folders {' and '.join(map(ascii, (first, second)))} have the "
            "same name but for blanks or how accents are composed; put their images into one folder, or rename one"
        )


def alike_doubts(class_names: Iterable[str], root: str | Path) -> list[str]:
    """Return a sentence for each two classes whose names differ in capitals: mostly one class, but it may be two."""
    return [
        f"{shown(root)}: '{first}' and '{second}' are two classes here; if it is one, put its images into one folder"
        for first, second in _twins(class_names, name_key)
    ]


def _twins(class_names: Iterable[str], key_of: Callable[[str], str]) -> list[tuple[str, str]]:
    seen: dict[str, str] = {}
    pairs = [(seen.setdefault(key_of(name), name), name) for name in class_names]
    return [(first, second) for first, second in pairs if first != second]


def layout_doubts(scan: FolderScan) -> list[str]:
    """Return a sentence for what makes it doubtful that the first folders are the classes; mostly none.

    An archive unpacks into a folder of its own name, so that all classes lie one level deeper; and images may be sorted
    by patient before they are sorted by class.

    Parameters
    ----------
    scan : FolderScan
    """
    homes = {file.path.rpartition("/")[0] for file in scan.files}
    if not homes or {*scan.class_names} & homes or "" in homes:  # images lie in a class itself
        return []
    if len(scan.class_names) == 1:
        return _wrapped(scan, homes)
    inner = {home.split("/")[1] for home in homes}
    if len(inner) > 1 and all(map(is_cell_type, inner)) and not any(map(is_cell_type, scan.class_names)):
        return [
            f"{shown(scan.root)}: the classes are {_some(scan.class_names)}, and the folders in them are called like "
            f"cells ({_some(sorted(inner))}); if these are the classes, sort the images as "
            "class/patient/image"
        ]
    return []


def _wrapped(scan: FolderScan, homes: set[str]) -> list[str]:
    parts = [home.split("/") for home in sorted(homes)]
    depth = 0
    while len({tuple(one[: depth + 1]) for one in parts}) == 1 and len(parts[0]) > depth:
        depth += 1
    inner = sorted({one[depth] for one in parts if len(one) > depth})
    if len(inner) < 2 or any(len(one) == depth for one in parts):
        return []
    deeper = scan.root.joinpath(*parts[0][:depth])
    return [
        f"{shown(scan.root)}: has one class, '{shown(scan.class_names[0])}', with the folders {_some(inner)} in it; if "
        f"these are the classes, give {shown(deeper)}"
    ]


def _some(names: list[str]) -> str:
    more = [f"{len(names) - 3} more"] if len(names) > 4 else []
    return ", ".join([*map(shown, names[: 3 if more else 4]), *more])
