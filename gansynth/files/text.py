"""Text files: UTF-8, with or without a byte-order mark, and nothing that is not text."""

from __future__ import annotations

from pathlib import Path

from gansynth.errors import InputError
from gansynth.files.names import shown
from gansynth.files.regular import read_bytes

_OTHER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def read_text(path: str | Path, most: int) -> str:
    """Return the text of a UTF-8 file of at most `most` bytes, without its byte-order mark.

    Raises
    ------
    NoSuchFile, InputError
        As `read_bytes`; and where the bytes are not UTF-8 or hold a NUL, with the place.
    """
    data = read_bytes(path, most)
    encoding = _OTHER_MARKS.get(data[:2])
    if encoding is not None:
        raise InputError(f"{shown(path)}: is {encoding} text; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{shown(path)}, line {line}: not UTF-8 text; save it as UTF-8") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"{shown(path)}, line {line}: holds a NUL, so it is not a text file; restore or replace it")
    return text
