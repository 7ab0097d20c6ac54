"""What surrounds the cell of a phantom image: the slide with its red cells, and the camera above it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from gansynth.data.phantom import drawing as brush
from gansynth.data.phantom.drawing import Field

# Absorbance of a stained red cell in red, green, blue: eosin takes green most.
_RED_CELL_ABSORBANCE = np.array([0.27, 0.40, 0.26], dtype=np.float32)
_BACKGROUND = np.array([254, 229, 203], dtype=np.float32)
_BLUISH_BACKGROUND = np.array([222, 218, 238], dtype=np.float32)


def red_cells(rng: np.random.Generator, size: int, centre: Field, radius: float, zoom: float) -> Field:
    """Return a slide with red cells around an empty place, float32 [size, size, 3], 0..255.

    `centre` (y, x) and `radius` of the place, and the typical red cell, are in fractions of the image edge;
    `zoom` is the camera's. Red cells crowd and overlap differently from slide to slide and run over the border.
    """
    typical = rng.uniform(0.1, 0.126) * zoom
    crowding = rng.uniform(0.72, 1.15)
    tries = int(rng.integers(20, 90))
    places = rng.uniform(-0.12, 1.12, (tries, 2))
    sizes = typical * np.clip(rng.normal(1.0, 0.08, tries), 0.75, 1.3)
    clear = np.hypot(*(places - centre).T) > radius + sizes * rng.uniform(0.8, 1.1)
    thickness = np.zeros((size, size), dtype=np.float32)
    kept: list[int] = []
    pallor = rng.uniform(0.15, 0.95)
    grid = ((np.arange(size) + 0.5) / size).astype(np.float32)
    for i in np.flatnonzero(clear):
        gaps = np.hypot(*(places[kept] - places[i]).T) / (sizes[kept] + sizes[i])
        if (gaps < crowding).any() and (rng.uniform() > 0.08 or (gaps < 0.5).any()):
            continue
        kept.append(int(i))
        _red_cell(thickness, rng, grid, places[i], float(sizes[i]), pallor)
    absorbance = _RED_CELL_ABSORBANCE * rng.uniform(0.75, 1.25) * (1 + rng.normal(0, 0.06, 3))
    background = _BLUISH_BACKGROUND if rng.uniform() < 0.04 else _BACKGROUND
    return np.asarray(background * np.exp(-thickness[..., None] * absorbance), dtype=np.float32)


def _red_cell(
    thickness: Field, rng: np.random.Generator, grid: Field, place: NDArray[np.float64], radius: float, pallor: float
) -> None:
    size = len(grid)
    reach = radius * 1.35
    rows = slice(max(0, int((place[0] - reach) * size)), max(0, int((place[0] + reach) * size) + 1))
    columns = slice(max(0, int((place[1] - reach) * size)), max(0, int((place[1] + reach) * size) + 1))
    y, x = grid[rows] - np.float32(place[0]), grid[columns] - np.float32(place[1])
    if not len(y) or not len(x):
        return
    amplitudes = rng.normal(0, 0.018, 3).astype(np.float32)
    distance = brush.outline_distance(
        y, x, radius, rng.uniform(1.0, 1.25), rng.uniform(0, np.pi), amplitudes, rng.uniform(0, 6.3, 3)
    )
    depth = 1.0 + distance / radius
    hollow = np.exp(-np.square(np.square(depth / rng.uniform(0.38, 0.6))))
    profile = 0.85 + 0.25 * np.square(depth) - pallor * rng.uniform(0.6, 1.1) * hollow
    own = brush.coverage(distance, max(1.3 / size, 0.012)) * np.maximum(profile, 0.1)
    below = thickness[rows, columns]
    # Stacked cells are pressed flat: two of them absorb less than the sum.
    thickness[rows, columns] = np.maximum(own, below) + 0.45 * np.minimum(own, below)


def photograph(canvas: Field, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the slide as a camera sees it: stain, light, focus and sensor noise vary; uint8 [size, size, 3]."""
    size = canvas.shape[0]
    stain = np.float32(rng.uniform(0.92, 1.12)) * (1 + rng.normal(0, 0.025, 3)).astype(np.float32)
    # A thicker stain absorbs more by a power of the transmitted light (Beer-Lambert).
    picture = 255.0 * np.power(np.clip(canvas / 255.0, 1e-3, 1.0), stain)
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    slope = rng.normal(0, 0.012, 2)
    illumination = 1.0 + slope[0] * ramp[:, None] + slope[1] * ramp[None, :]
    illumination = illumination - abs(rng.normal(0, 0.01)) * (np.square(ramp)[:, None] + np.square(ramp)[None, :])
    picture *= (illumination * rng.normal(1.0, 0.012))[..., None].astype(np.float32)
    blur = rng.uniform(0.0008, 0.0036) * size
    picture = gaussian_filter(picture, (blur, blur, 0), truncate=3.0)
    grain = rng.standard_normal((size, size, 1), dtype=np.float32) * rng.uniform(0.6, 1.8)
    return np.clip(picture + grain + 0.5, 0, 255).astype(np.uint8)
