"""Cells drawn as disks on a slide: what their masks must be is known to the pixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SLIDE, RED, PLASMA, NUCLEUS = (250, 228, 205), (205, 165, 160), (165, 140, 185), (85, 55, 125)


def disk(edge: int, y: float, x: float, radius: float) -> NDArray[np.bool_]:
    """Return a disk, bool [edge, edge]; place and radius as shares of the edge."""
    rows, columns = np.mgrid[:edge, :edge]
    return np.hypot(rows - y * (edge - 1), columns - x * (edge - 1)) <= radius * edge


def drawn(
    edge: int = 128,
    *,
    middle: tuple[float, float] = (0.5, 0.5),
    radius: float = 0.18,
    reds: Sequence[tuple[float, float]] = ((0.15, 0.2), (0.8, 0.25), (0.2, 0.82), (0.85, 0.75)),
    colours: Sequence[Sequence[float]] = (SLIDE, RED, PLASMA, NUCLEUS),
    seed: int = 0,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_], list[NDArray[np.bool_]]]:
    """Draw a white cell with red cells of radius 0.09 around it.

    Returns
    -------
    image uint8 [3, edge, edge], nucleus and cell bool [edge, edge], and a mask of each red cell
    """
    slide, red, plasma, dark = (np.array(colour, dtype=np.float64) for colour in colours)
    image = np.empty((edge, edge, 3))
    image[:] = slide
    masks = [disk(edge, y, x, 0.09) for y, x in reds]
    for mask in masks:
        image[mask] = red
    cell = disk(edge, *middle, radius)
    nucleus = disk(edge, middle[0], middle[1] - 0.2 * radius, 0.6 * radius)
    image[cell], image[nucleus] = plasma, dark
    image += np.random.default_rng(seed).normal(0, 2, image.shape)
    return np.clip(image.round(), 0, 255).astype(np.uint8).transpose(2, 0, 1).copy(), nucleus, cell, masks


def overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return intersection over union."""
    return float((a & b).sum() / max(int((a | b).sum()), 1))
