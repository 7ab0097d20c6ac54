"""Names of files as they can be printed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def shown(name: str | Path) -> str:
    """Return a name that can be printed and written as UTF-8 whatever bytes the file system holds."""
    try:
        raw = os.fsencode(name)
    except UnicodeEncodeError:  # half a character that no file system gave: it was typed
        raw = str(name).encode("utf-8", "backslashreplace")
    return printable(raw.decode("utf-8", "backslashreplace"))


def printable(text: str) -> str:
    """Return text in one line, with everything escaped that a terminal would obey instead of showing it: line breaks,
    escape sequences, marks that turn the direction of reading.

    Examples
    --------
    >>> printable("a\\nb \\x1b[2J")
    'a\\\\nb \\\\x1b[2J'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def typed_names(names: Iterable[str]) -> str:
    """Return names as options that take several read them: one with a comma in it stands between double quotes.

    Examples
    --------
    >>> typed_names(["monocyte", "Blast, no lineage spec"])
    'monocyte, "Blast, no lineage spec"'
    """
    return ", ".join(f'"{name}"' if "," in name else name for name in names)
