"""Which bytes a file holds."""

from __future__ import annotations

import hashlib
from pathlib import Path

from gansynth.files.regular import open_regular


def file_sha256(path: Path) -> str:
    """Return the sha256 of a regular file's bytes as 64 hexadecimal digits; InputError for anything else."""
    digest = hashlib.sha256()  # hashlib.file_digest begins with Python 3.11
    with open_regular(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
