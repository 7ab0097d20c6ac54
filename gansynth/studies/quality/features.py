"""Every image through an extractor once, batch by batch; a real set's features are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gansynth.studies.quality.real_cache import Arrays, RealCache
from gansynth.studies.quality.sets import Images

BATCH = 256
"""Images that are in memory at a time."""


class Extractor(Protocol):
    """Images to features (see `gansynth.metrics.extractors`, and `CellEncoder`)."""

    name: str

    @property
    def sha256(self) -> str:
        """The sha256 of the weights."""

    def __call__(self, images: NDArray[np.uint8]) -> Arrays:
        """Return "features" [n, d], and "logits" [n, k] where there are any, for uint8 images [n, 3, H, W]."""


Describe = Callable[[NDArray[np.uint8]], Arrays]
Allocate = Callable[[str, tuple[int, ...]], NDArray[np.float32]]


def real_features(images: Images, extractor: Extractor, cache: RealCache, tick: Callable[[int], None]) -> Arrays:
    """Return the extractor's arrays for a real set, from the cache where they are known.

    Parameters
    ----------
    tick : callable
        Called with the number of images that are done, for a progress bar.
    """

    def make(folder: Path) -> None:
        def mapped(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
            file = folder / f"{name}.npy"
            return np.lib.format.open_memmap(file, mode="w+", dtype=np.float32, shape=shape)

        extract(images, extractor, mapped, tick)

    return cache.arrays(("features", extractor.name, extractor.sha256, images.fingerprint()), make)


def synthetic_features(images: Images, extractor: Describe, tick: Callable[[int], None]) -> Arrays:
    """Return the extractor's arrays for a set that is not kept."""
    return extract(images, extractor, lambda name, shape: np.empty(shape, np.float32), tick)


def extract(
    images: Images,
    extractor: Describe,
    allocate: Allocate,
    tick: Callable[[int], None],
) -> Arrays:
    """Pass every image through the extractor once; one row for each image in every array it gives."""
    found: Arrays = {}
    for start in range(0, len(images), BATCH):
        part = extractor(images.pixels(slice(start, start + BATCH)))
        for name, values in part.items():
            if name not in found:
                found[name] = allocate(name, (len(images), *values.shape[1:]))
            found[name][start : start + len(values)] = values
        tick(min(start + BATCH, len(images)))
    return found
