"""The mapping in `schemes.yaml`: how published data sets name cell types, and how types become classes."""

from __future__ import annotations

import functools
import importlib.resources
from dataclasses import dataclass, field

import yaml

from gansynth.errors import InputError

_ALIASES = {"aml": "munich", "lmu": "munich", "bm": "bone-marrow", "bonemarrow": "bone-marrow", "plain": "folders"}


@dataclass(frozen=True)
class Source:
    """How one published data set names its cell types.

    Attributes
    ----------
    name, title : str
    folders : dict of str to str
        Folder name (lower case) to cell type.
    prefixes : dict of str to dict
        Folder name to {prefix of a file name (upper case): cell type}; refines the folder's type.
    labels : dict of int to str
        Label number to cell type (`.npz` sets).
    """

    name: str
    title: str
    folders: dict[str, str] = field(default_factory=dict)
    prefixes: dict[str, dict[str, str]] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)

    def cell_type(self, path: str) -> str | None:
        """Return the cell type of an image at `path` (relative to the download), or None.

        The deepest folder that the source knows decides, then the prefix of the file name; a file whose
        folders say nothing is recognised by a prefix that is itself a folder's code (`BAS_0001.tiff`).
        """
        *parents, name = path.split("/")
        prefix = name.split("_", 1)[0]
        for parent in reversed(parents):
            folder = parent.lower()
            if folder in self.folders:
                return self.prefixes.get(folder, {}).get(prefix.upper(), self.folders[folder])
        return self.folders.get(prefix.lower()) if "_" in name else None


@dataclass(frozen=True)
class Scheme:
    """A way to group cell types into classes: `classes` maps each cell type to its class."""

    name: str
    title: str
    class_of: dict[str, str]


@functools.cache
def _mapping() -> tuple[dict[str, Source], dict[str, Scheme]]:
    text = importlib.resources.files("gansynth.data").joinpath("schemes.yaml").read_text(encoding="utf-8")
    raw = yaml.safe_load(text)
    sources = {
        name: Source(
            name,
            entry["title"],
            {folder.lower(): kind for folder, kind in entry.get("folders", {}).items()},
            entry.get("prefixes", {}),
            entry.get("labels", {}),
        )
        for name, entry in raw["sources"].items()
    }
    sources["folders"] = Source("folders", "Plain class folders: the folder is the cell type")
    schemes = {
        name: Scheme(name, entry["title"], {kind: group for group, kinds in entry["classes"].items() for kind in kinds})
        for name, entry in raw["schemes"].items()
    }
    return sources, schemes


def source_names() -> tuple[str, ...]:
    """Return the kinds of source that can be imported."""
    return tuple(_mapping()[0])


def scheme_names() -> tuple[str, ...]:
    """Return the names of the class schemes."""
    return tuple(_mapping()[1])


def find_source(name: str) -> Source:
    """Return a source by name.

    Raises
    ------
    InputError
        If there is no such source.
    """
    wanted = name.strip().lower().replace("_", "-")
    wanted = _ALIASES.get(wanted, wanted)
    if wanted not in _mapping()[0]:
        raise InputError(f"source '{name}' is unknown; choose one of {', '.join(source_names())}")
    return _mapping()[0][wanted]


def find_scheme(name: str | int | None) -> Scheme | None:
    """Return a scheme by name; None stands for no scheme (every cell type is a class).

    Raises
    ------
    InputError
        If there is no such scheme.
    """
    if name is None:
        return None
    if str(name) not in _mapping()[1]:
        raise InputError(f"classes '{name}': no such scheme; choose one of {', '.join(scheme_names())}")
    return _mapping()[1][str(name)]


def plain_type(folder: str) -> str:
    """Return the cell type a user's own folder name stands for: "Smudge_Cells" is "smudge cell".

    A name that no scheme or source knows is returned as it is.
    """
    return _known_type(folder) or folder


def is_cell_type(folder: str) -> bool:
    """Return whether a folder is called like a cell type that a scheme or a source knows.

    Examples
    --------
    >>> is_cell_type("Smudge_Cells"), is_cell_type("patient 7")
    (True, False)
    """
    return _known_type(folder) is not None


def _known_type(folder: str) -> str | None:
    sources, schemes = _mapping()
    known = {kind for scheme in schemes.values() for pair in scheme.class_of.items() for kind in pair}
    known |= {kind for source in sources.values() for kind in (*source.folders.values(), *source.labels.values())}
    plain = " ".join(folder.lower().replace("_", " ").replace("-", " ").split())
    for guess in (plain, plain.removesuffix("s")):
        if guess in known:
            return guess
    return sources["pbc"].folders.get(plain)
