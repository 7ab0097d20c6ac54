"""Drawn smear fields whose cells are known: red discs with pale middles, and white cells with purple nuclei."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from gansynth.smears.boxes import RED_CELL, WHITE_CELL, CellBox

SLIDE = np.array([200.0, 200.0, 196.0])
# Optical densities in red, green and blue.
_HAEMOGLOBIN = np.array([0.06, 0.22, 0.2])
_NUCLEUS = np.array([0.6, 0.8, 0.05])
_CYTOPLASM = np.array([0.1, 0.28, 0.0])

Cell = tuple[float, float, float]
"""x, y and diameter."""


def draw_smear(
    height: int, width: int, red: Sequence[Cell], white: Sequence[Cell] = (), seed: int = 0
) -> tuple[np.ndarray, list[CellBox]]:
    """Return a field, uint8 [height, width, 3], and the boxes of its cells."""
    y, x = np.mgrid[:height, :width] + 0.5
    density = np.zeros((height, width, 3))
    boxes = []

    def disc(cx: float, cy: float, diameter: float) -> np.ndarray:
        return (np.hypot(x - cx, y - cy) <= diameter / 2)[..., None].astype(float)

    for cx, cy, d in red:
        density = np.maximum(density, (disc(cx, cy, d) - 0.7 * disc(cx, cy, 0.4 * d)) * _HAEMOGLOBIN)
        boxes.append(_box(RED_CELL, cx, cy, d, height, width))
    for cx, cy, d in white:
        inside = disc(cx, cy, d)
        lobes = np.maximum(disc(cx - 0.15 * d, cy, 0.45 * d), disc(cx + 0.2 * d, cy + 0.05 * d, 0.35 * d))
        density = np.where(inside > 0, _CYTOPLASM * (inside - lobes) + _NUCLEUS * lobes, density)
        boxes.append(_box(WHITE_CELL, cx, cy, d, height, width))
    light = gaussian_filter(SLIDE * np.exp(-density), (1.2, 1.2, 0))
    light += np.random.default_rng(seed).normal(0, 1.0, light.shape)
    return np.clip(light, 0, 255).round().astype(np.uint8), boxes


def usual_smear(seed: int = 0, edge: int = 320, diameter: float = 50) -> tuple[np.ndarray, list[CellBox]]:
    """Return a square field with one white cell in its middle and red cells around it, none touching another."""
    rng = np.random.default_rng(seed)
    white = [(edge / 2, edge / 2, 1.9 * diameter)]
    red: list[Cell] = []
    for _ in range(200):
        cx, cy = rng.uniform(0.6 * diameter, edge - 0.6 * diameter, 2)
        d = diameter * rng.uniform(0.93, 1.07)
        if all(np.hypot(cx - ox, cy - oy) > (d + od) / 2 + 0.12 * diameter for ox, oy, od in [*white, *red]):
            red.append((cx, cy, d))
    return draw_smear(edge, edge, red, white, seed)


def save_field(pixels: np.ndarray, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def of_kind(boxes: Sequence[CellBox], name: str) -> list[CellBox]:
    return [box for box in boxes if box.name == name]


def _box(name: str, cx: float, cy: float, d: float, height: int, width: int) -> CellBox:
    return CellBox(name, cx - d / 2, cy - d / 2, cx + d / 2, cy + d / 2).within(height, width)
