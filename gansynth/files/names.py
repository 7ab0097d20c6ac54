"""Names as they can be printed, typed, and written into tables that a person opens."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from gansynth.errors import InputError, nearest_name

Number = TypeVar("Number", int, float)

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def shown(name: str | Path) -> str:
    """Return a name that can be printed and written as UTF-8 whatever bytes the file system holds."""
    try:
        raw = os.fsencode(name)
    except UnicodeEncodeError:  # half a character that no file system gave: it was typed
        raw = str(name).encode("utf-8", "backslashreplace")
    return printable(raw.decode("utf-8", "backslashreplace"))


def is_text(name: str | Path) -> bool:
    """Return whether a name is UTF-8; a file system may hold any bytes, and Python gives them as half characters."""
    try:
        str(name).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


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


def spreadsheet_cell(text: str) -> str:
    """Return a name as it is written into a CSV table: with `'` before what a spreadsheet would compute.

    A spreadsheet takes a cell that begins with =, +, - or @ for a formula, and a file or a patient may be called so.
    `plain_cell` takes the mark away.

    Examples
    --------
    >>> spreadsheet_cell("=HYPERLINK(1)"), spreadsheet_cell("promyelocyte")
    ("'=HYPERLINK(1)", 'promyelocyte')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def plain_cell(text: str) -> str:
    """Return the name that `spreadsheet_cell` wrote.

    Examples
    --------
    >>> plain_cell("'=HYPERLINK(1)"), plain_cell("'quoted'")
    ('=HYPERLINK(1)', "'quoted'")
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def as_seen(name: str) -> str:
    """Return what names have in common that look the same: blanks around them, and how an accent is composed, do not
    count.

    Examples
    --------
    >>> as_seen("pro\u00e9rythroblaste ") == as_seen("proe\u0301rythroblaste")
    True
    """
    return unicodedata.normalize("NFC", name.strip())


def name_key(name: str) -> str:
    """Return what names have in common that a reader takes for the same: those that look the same, letter case aside.

    Examples
    --------
    >>> name_key(" P1") == name_key("p1")
    True
    """
    return as_seen(name).casefold()


def known_classes(named: Iterable[str], known: Iterable[str], where: str) -> list[str]:
    """Return class names as they are known: a keyboard composes an accent that a file system may have decomposed, and
    the two look the same.

    Parameters
    ----------
    named : iterable of str
        Typed, or from a file.
    known : iterable of str
        The classes of a data set or a run.
    where : str
        Where they are named, or what knows the others: how the sentence begins.

    Raises
    ------
    InputError
        For a class that is not known, with the nearest that is; or if two of the names are one.

    Examples
    --------
    >>> known_classes(["pro\u00e9rythroblaste"], ["proe\u0301rythroblaste"], "--rare") == ["proe\u0301rythroblaste"]
    True
    >>> known_classes(["basophile"], ["basophil", "monocyte"], "--rare")
    Traceback (most recent call last):
    gansynth.errors.InputError: --rare: no class 'basophile'; did you mean 'basophil'?
    """
    typed, there = list(named), list(known)
    spelled = {as_seen(name): name for name in there} | {name: name for name in there}
    found = []
    for name in typed:
        one = spelled.get(name, spelled.get(as_seen(name)))
        if one is None:
            near = nearest_name(name, there)
            hint = f"did you mean '{printable(near)}'?" if near else f"there are {printable(typed_names(there))}"
            raise InputError(f"{where}: no class '{printable(name)}'; {hint}")
        found.append(one)
    if len(set(found)) < len(set(typed)):
        twice = next(name for name in found if found.count(name) > 1)
        raise InputError(f"class {twice}: given twice; name each class once")
    return found


def known_counts(counts: Mapping[str, Number], known: Iterable[str], where: str) -> dict[str, Number]:
    """Return numbers by class, each class as it is known; parameters and errors as for `known_classes`."""
    return dict(zip(known_classes(counts, known, where), counts.values(), strict=True))
