"""The images of one class, chunk by chunk, in the order of their seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from gansynth.gans.sampling import CHUNK
from gansynth.synthesis.journal import ChunkDone, KeptImage
from gansynth.synthesis.report import ClassReport
from gansynth.synthesis.screening import Screen


def chunks_of_class(
    generator: Callable[[int, NDArray[np.int64]], NDArray[np.uint8]],
    screen: Screen,
    state: ClassReport,
    class_index: int,
    seed: int,
    most_tries: int,
) -> Iterator[tuple[ChunkDone, NDArray[np.uint8]]]:
    """Generate what is missing of one class.

    Parameters
    ----------
    generator : callable of (class index, int64 seeds [n]) to uint8 images [n, 3, R, R]
    screen : Screen
        Marks the images that are left out.
    state : ClassReport
        What is there already, after a resume.
    class_index : int
    seed : int
        Seed of the first image of the class.
    most_tries : int
        Stop after this many seeds from `seed`, filled or not.

    Yields
    ------
    ChunkDone, uint8 array [k, 3, R, R]
        One chunk, and those of its images that are kept (their size in bytes is not known yet: 0).
    """
    written, first, limit = state.written, seed + state.tries, seed + most_tries
    while written < state.asked and first < limit:
        start = first // CHUNK * CHUNK
        # Always whole chunks, so that what is measured of an image depends on its seed only, to the last bit.
        seeds = np.arange(start, start + CHUNK, dtype=np.int64)
        images = np.asarray(generator(class_index, seeds))
        screened = screen(images, class_index)
        keep: list[int] = []
        tries = rejected = copies = broken = 0
        for i in range(first - start, min(CHUNK, limit - start)):
            tries += 1
            rejected += int(screened.rejected[i])
            copies += int(screened.copied[i])
            broken += int(screened.broken[i])
            if screened.kept[i]:
                keep.append(i)
                if written + len(keep) == state.asked:
                    break
        kept = [
            KeptImage(
                seed=int(seeds[i]),
                confidence=None if screened.confidence is None else float(screened.confidence[i]),
                distance=None if screened.distance is None else float(screened.distance[i]),
                bytes=0,
            )
            for i in keep
        ]
        yield ChunkDone(state.name, start // CHUNK, tries, rejected, copies, broken, kept), images[keep]
        written, first = written + len(keep), first + tries
