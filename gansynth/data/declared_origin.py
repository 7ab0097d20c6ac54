"""What a PNG says by itself about where it comes from: real, synthetic, or a phantom."""

from __future__ import annotations

import re
import struct
from pathlib import Path

from gansynth.errors import InputError
from gansynth.files import open_regular

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_CHUNKS, _MOST_TEXT = 64, 4096
_DECLARED = re.compile(rb"gansynth(?:\.origin\0|\0origin=)(real|synthetic|phantom)\b")


def declared_origin(path: str | Path) -> str:
    """Return the origin that gansynth wrote into a PNG's text: "real", "synthetic", "phantom", or "" if it says none.

    Only what stands before the pixels is read, which is where gansynth writes it. Other formats say nothing, and a file
    that cannot be read as PNG says nothing either.
    """
    try:
        with open_regular(path) as file:
            if file.read(len(_SIGNATURE)) != _SIGNATURE:
                return ""
            for _ in range(_MOST_CHUNKS):
                head = file.read(8)
                if len(head) < 8:
                    break
                length, kind = struct.unpack(">I4s", head)
                if kind in (b"IDAT", b"IEND"):
                    break
                if kind == b"tEXt" and length <= _MOST_TEXT:
                    found = _DECLARED.match(file.read(length))
                    if found:
                        return found.group(1).decode()
                    file.seek(4, 1)
                else:
                    file.seek(length + 4, 1)
    except (InputError, OSError):
        pass
    return ""
