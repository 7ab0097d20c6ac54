"""What is known of a real set is computed once: features and numbers, kept under the hash of data and weights.

A cached file is never updated: other images, another size, other weights or another setting have another name.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansynth.data.pack import default_cache
from gansynth.files.atomic import whole_folder, write_json
from gansynth.version import __version__

Arrays = dict[str, NDArray[np.float32]]


class RealCache:
    """Keeps arrays and numbers of real sets in the user's cache folder.

    Parameters
    ----------
    cache_dir : path, optional
        Default: `default_cache()`, where the packs are.
    """

    def __init__(self, cache_dir: Path | None = None) -> None:
        self.folder = (Path(cache_dir) if cache_dir is not None else default_cache()) / "quality"

    def arrays(self, key: tuple[object, ...], make: Callable[[Path], None]) -> Arrays:
        """Return the arrays of `key`, memory-mapped; `make` writes them as ``NAME.npy`` into the folder it is given."""
        place = self._place(key)
        found = _load(place)
        if found is None:
            with contextlib.suppress(OSError), whole_folder(place) as folder:
                make(folder)
            found = _load(place)
        if found is None:  # a full or closed cache costs time, not the answer
            with tempfile.TemporaryDirectory(prefix="gansynth-") as temporary:
                make(Path(temporary))
                found = {name: np.array(values) for name, values in (_load(Path(temporary)) or {}).items()}
        return found

    def computed(self, key: tuple[object, ...], compute: Callable[[], Arrays]) -> Arrays:
        """Return the arrays that `compute` returned the first time, memory-mapped."""

        def make(folder: Path) -> None:
            for name, values in compute().items():
                np.save(folder / f"{name}.npy", values)

        return self.arrays(key, make)

    def numbers(self, key: tuple[object, ...], compute: Callable[[], Any]) -> Any:
        """Return what `compute` returned the first time; it must be fit for JSON."""
        place = self._place(key).with_suffix(".json")
        with contextlib.suppress(OSError, ValueError):
            return json.loads(place.read_text(encoding="utf-8"))
        value = compute()
        with contextlib.suppress(OSError):
            write_json(place, value)
        return value

    def folder_of(self, key: tuple[object, ...]) -> Path:
        """Return where something of `key` belongs that the caller reads and writes itself."""
        return self._place(key)

    def _place(self, key: tuple[object, ...]) -> Path:
        text = json.dumps([__version__, *map(str, key)])
        return self.folder / f"{key[0]}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _load(place: Path) -> Arrays | None:
    files = sorted(place.glob("*.npy"))
    try:
        return {file.stem: np.load(file, mmap_mode="r", allow_pickle=False) for file in files} or None
    except (OSError, ValueError):
        shutil.rmtree(place, ignore_errors=True)
        return None
