"""Small class-folder trees of real image files for the tests of this room."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SHARED = Path(os.environ.get("GANSYNTH_SHARED_DATA") or Path(__file__).parents[2] / ".." / "shared" / "data")
needs_shared = pytest.mark.skipif(not (SHARED / "pbc360").is_dir(), reason="the shared data folder is not here")


def picture(seed: int, height: int = 40, width: int = 40) -> np.ndarray:
    """An RGB picture with structure at all scales, uint8 [height, width, 3]; other seeds look entirely different."""
    rng = np.random.default_rng(seed)
    layers = [
        np.asarray(Image.fromarray(rng.integers(0, 256, (n, n, 3), np.uint8)).resize((width, height)), float)
        for n in (2, 4, 8, 16)
    ]
    return np.mean(layers, axis=0).astype(np.uint8)


def save(pixels: np.ndarray, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def tree(root: Path, counts: dict[str, int], edge: int = 40, first_seed: int = 0) -> Path:
    """Write `counts[class]` different PNGs per class."""
    seed = first_seed
    for name, n in counts.items():
        for i in range(n):
            save(picture(seed, edge, edge), root / name / f"{i:03d}.png")
            seed += 1
    return root


def png(width: int, height: int, rows: bytes, *, bits: int = 8, colour: int = 2) -> bytes:
    """Put together a PNG file that may claim anything: the size, and raw rows that need not fit it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
