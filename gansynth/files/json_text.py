"""JSON files, within limits."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from gansynth.errors import InputError
from gansynth.files.names import shown
from gansynth.files.text import read_text

MOST_BYTES = 256_000_000
"""A run of a million training images notes 70 MB of them."""
DEEPEST = 100
"""Lists and objects inside each other; what gansynth writes has six."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def read_json(path: str | Path, most: int = MOST_BYTES) -> Any:
    """Return the value in a JSON file.

    Raises
    ------
    NoSuchFile, InputError
        As `read_text`; and as `parse_json`, with the line.
    """
    return parse_json(read_text(path, most), shown(path))


def parse_json(text: str, where: str) -> Any:
    """Return the value of a JSON text.

    Parameters
    ----------
    text : str
    where : str
        What the text is called in an error.

    Raises
    ------
    InputError
        If it is not JSON, or more than `DEEPEST` lists and objects lie inside each other.
    """
    if not text.strip():
        raise InputError(f"{where}: is empty; restore it, or make it anew")
    _refuse_depth(text, where)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{where}, line {error.lineno}: cannot be read as JSON ({error.msg.lower()}); it was cut off or edited"
        ) from None
    except ValueError as error:  # an endless whole number
        raise InputError(f"{where}: cannot be read as JSON ({error})") from None


def _refuse_depth(text: str, where: str) -> None:
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth = 0
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        depth += (first in "[{") - (first in "]}")
        if depth > DEEPEST:
            line = text.count("\n", 0, token.start()) + 1
            raise InputError(
                f"{where}, line {line}: more than {DEEPEST} lists or objects inside each other; it is not a file that "
                "gansynth wrote"
            )
