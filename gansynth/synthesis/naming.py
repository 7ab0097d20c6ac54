"""Where an image of a class goes: names that stay inside the output folder, whatever the class is called."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST = 200  # bytes; file systems take 255, and the seed and the suffix still have to fit
_RESERVED = ("metadata.csv", "splits.csv")


def class_folders(class_names: Iterable[str]) -> dict[str, str]:
    """Give every class a folder name of its own.

    A name that the file system takes is kept as it is, whatever the characters. Separators and control
    characters become "_", a leading dot (hidden folders, "..") becomes "_", and long names are cut.
    Classes that would then share a folder get a number.

    Parameters
    ----------
    class_names : iterable of str
        All classes of the model, so that the names do not depend on which are asked for.

    Returns
    -------
    dict of str to str
        Folder name per class: one path component, never empty, different for every class even where
        the file system ignores case.

    Examples
    --------
    >>> class_folders(["smudge cell", "..", "a/b", "a_b"])
    {'smudge cell': 'smudge cell', '..': '_.', 'a/b': 'a_b-2', 'a_b': 'a_b'}
    """
    names = list(class_names)
    plain = {name: _one_component(name) for name in names}
    # Names that need no change have the first claim to their folder.
    order = sorted(names, key=lambda name: (plain[name] != name, names.index(name)))
    taken = set(_RESERVED)
    folders = {}
    for name in order:
        folder, number = plain[name], 2
        while folder.casefold() in taken:
            folder, number = f"{plain[name]}-{number}", number + 1
        taken.add(folder.casefold())
        folders[name] = folder
    return {name: folders[name] for name in names}


def image_file_name(folder: str, seed: int) -> str:
    """Return the path of one image relative to the output folder, such as `monocyte/monocyte_000123.png`."""
    return f"{folder}/{folder}_{seed:06d}.png"


def _one_component(name: str) -> str:
    safe = "".join("_" if _is_unusable(c) else c for c in name)
    if safe.startswith("."):
        safe = "_" + safe[1:]
    raw = safe.encode("utf-8", "surrogateescape")
    if len(raw) > _LONGEST:
        safe = raw[:_LONGEST].decode("utf-8", "ignore")
    # Windows drops trailing spaces and dots; on any system they hide in a listing.
    safe = safe.rstrip(" ") or "_"
    return safe


def _is_unusable(c: str) -> bool:
    # Surrogates \udc80..\udcff stand for bytes of a name that is not UTF-8, and go back to them; others cannot.
    return c in "/\\" or ord(c) < 32 or ord(c) == 127 or "\ud800" <= c < "\udc80" or "\udcff" < c <= "\udfff"
