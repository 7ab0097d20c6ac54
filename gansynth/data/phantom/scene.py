"""One phantom image put together: the slide, the stained cell painted on it, the camera."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from threadpoolctl import ThreadpoolController

from gansynth.data.phantom import drawing as brush
from gansynth.data.phantom.cells import MORPHOLOGY, Granules, Morphology, Nucleus, Range
from gansynth.data.phantom.drawing import Field

Noise = Callable[[int], Field]

# Absorbance of a stained red cell in red, green, blue: eosin takes green most.
_RED_CELL_ABSORBANCE = np.array([0.27, 0.40, 0.26], dtype=np.float32)
_BACKGROUND = np.array([254, 229, 203], dtype=np.float32)
_BLUISH_BACKGROUND = np.array([222, 218, 238], dtype=np.float32)


def paint(morphology: Morphology, rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    """Draw one image of a cell amid red cells.

    Parameters
    ----------
    morphology : what the cell looks like.
    rng : the only source of chance.
    size : edge in pixels.

    Returns
    -------
    uint8 [size, size, 3]
    """
    # The matrices are small: threads would cost several times what they save, and could change a sum.
    with _thread_pools().limit(limits=1, user_api="blas"):
        zoom = rng.uniform(0.93, 1.07)
        centre = (0.5 + rng.normal(0.0, 0.018, 2)).astype(np.float32)
        radius = _draw(rng, morphology.radius) * zoom
        canvas = red_cells(rng, size, centre, radius, zoom)
        _stray_platelets(canvas, rng, centre, radius, zoom)
        paint_cell(canvas, morphology, rng, centre, radius)
        return photograph(canvas, rng)


@lru_cache(maxsize=1)
def _thread_pools() -> ThreadpoolController:
    return ThreadpoolController()


def paint_cell(canvas: Field, morphology: Morphology, rng: np.random.Generator, centre: Field, radius: float) -> None:
    """Paint one cell over `canvas` (float32 [size, size, 3], 0..255) in place.

    `centre` is (y, x) and `radius` a length, both in fractions of the image edge.
    """
    size = canvas.shape[0]
    reach = radius * (2.2 if morphology.smear else 1.6)
    top, left = (max(0, int((c - reach) * size)) for c in centre)
    bottom, right = (min(size, int((c + reach) * size) + 2) for c in centre)
    if top >= bottom or left >= right:
        return
    patch = canvas[top:bottom, left:right]
    y = ((np.arange(top, bottom) + 0.5) / size - centre[0]).astype(np.float32)
    x = ((np.arange(left, right) + 0.5) / size - centre[1]).astype(np.float32)

    def noise(cells: int) -> Field:
        return brush.smooth_noise(rng, cells, size)[top:bottom, left:right]

    soft = max(1.3 / size, 0.010)
    waves = np.arange(2, 7)
    amplitudes = (
        np.clip(rng.normal(0.0, 1.0, 5), -1.6, 1.6) * _draw(rng, morphology.irregularity) * 1.4 / waves
    ).astype(np.float32)
    elongation, axis = _draw(rng, morphology.elongation), rng.uniform(0, np.pi)
    distance = brush.outline_distance(y, x, radius, elongation, axis, amplitudes, rng.uniform(0, 6.3, 5))
    distance += radius * _draw(rng, morphology.fringe) * noise(44)
    tone = rng.uniform()
    colour = (1 - tone) * np.array(morphology.cytoplasm[0]) + tone * np.array(morphology.cytoplasm[1])
    colour = (colour + rng.normal(0, 4, 3)).astype(np.float32)
    if morphology.smear:
        _smear(patch, rng, colour, distance, radius, _draw(rng, morphology.opacity), y, x, noise)
        return

    body = brush.coverage(distance, soft)
    flesh = colour + (7.0 * noise(14) + 4.0 * noise(40))[..., None]
    edge = np.exp(-0.5 * np.square(distance / (1.1 * soft)))
    flesh *= 1.0 - _draw(rng, morphology.rim) * edge[..., None]
    inner = None
    if morphology.nucleus is not None:
        inner = _nucleus_distance(morphology.nucleus, rng, radius, elongation, axis, y, x)
        inner += radius * _draw(rng, morphology.nucleus.waviness) * noise(16)
        inner = np.maximum(inner, distance + 0.02 * radius)
    _vacuoles(flesh, rng, int(rng.choice(morphology.vacuoles)), radius, y, x)
    for granules in morphology.granules:
        if not granules.over_nucleus:
            _granules(flesh, granules, rng, radius, y, x)
    if inner is not None and morphology.nucleus is not None:
        brush.mix(
            flesh, _chromatin(morphology.nucleus, rng, radius, inner, y, x, noise), brush.coverage(inner, soft * 0.8)
        )
    for granules in morphology.granules:
        if granules.over_nucleus:
            _granules(flesh, granules, rng, radius, y, x)
    brush.mix(patch, flesh, body * _draw(rng, morphology.opacity))


def _nucleus_distance(
    nucleus: Nucleus, rng: np.random.Generator, radius: float, elongation: float, axis: float, y: Field, x: Field
) -> Field:
    lobes = int(rng.choice(nucleus.lobes))
    points, radii = brush.lobed_chain(
        _draw(rng, nucleus.thickness) * radius,
        _draw(rng, nucleus.length) * radius,
        _draw(rng, nucleus.bend),
        *_lobes(rng, lobes),
        _draw(rng, nucleus.pinch) if lobes > 1 else 0.0,
        rng.uniform(0, 2 * np.pi),
    )
    way = rng.uniform(0, 2 * np.pi)
    points += np.float32(_draw(rng, nucleus.offset) * radius) * np.array([np.sin(way), np.cos(way)], dtype=np.float32)
    # A nucleus that would leave the cell is shrunk as a whole, so that its shape stays.
    excess = max(1.0, float((np.hypot(points[:, 0], points[:, 1]) + radii).max()) / (0.95 * radius))
    points, radii = brush.stretched(points / excess, radii / excess, elongation, axis)
    return brush.tube_distance(y, x, points, radii)


def _lobes(rng: np.random.Generator, count: int) -> tuple[Field, Field]:
    """Return size and turn of each lobe; a nucleus in one piece has no variation of its own."""
    if count == 1:
        return np.ones(1, dtype=np.float32), np.zeros(1, dtype=np.float32)
    sizes = np.clip(rng.normal(1.0, 0.15, count), 0.75, 1.3)
    return sizes.astype(np.float32), rng.normal(0.0, 0.18 * count, count).astype(np.float32)


def _chromatin(
    nucleus: Nucleus, rng: np.random.Generator, radius: float, inner: Field, y: Field, x: Field, noise: Noise
) -> Field:
    n = int(0.9 * (radius / nucleus.grain) ** 2)
    clumps = brush.spots(
        _inside_disc(rng, n, radius),
        np.full(n, nucleus.grain * 0.7, dtype=np.float32),
        np.where(rng.uniform(size=n) < 0.5, 1.0, -1.0).astype(np.float32),
        y,
        x,
    )
    contrast = _draw(rng, nucleus.clumping)
    openness = 0.25 + 1.05 * contrast * clumps + 0.1 * noise(20)
    # Dense chromatin lines the nuclear membrane.
    openness -= 0.45 * np.exp(-0.5 * np.square(inner / 0.011))
    count = int(rng.choice(nucleus.nucleoli))
    if count:
        spots = brush.spots(
            _inside_disc(rng, count, 0.4 * radius),
            rng.uniform(0.015, 0.022, count).astype(np.float32),
            np.ones(count, dtype=np.float32),
            y,
            x,
        )
        openness += 0.95 * np.minimum(1.6 * spots, 1.0)
    openness = np.clip(openness, 0.0, 1.5)[..., None]
    shift = rng.normal(0, 4, 3)
    dark = (np.array(nucleus.dark) + shift).astype(np.float32)
    light = (np.array(nucleus.light) + shift).astype(np.float32)
    return dark + (light - dark) * openness


def _granules(flesh: Field, granules: Granules, rng: np.random.Generator, radius: float, y: Field, x: Field) -> None:
    grain = _draw(rng, granules.radius)
    n = max(1, int(_draw(rng, granules.cover) * (radius / grain) ** 2))
    field = brush.spots(
        _inside_disc(rng, n, radius * 1.05),
        (grain * rng.uniform(0.5, 0.85, n)).astype(np.float32),
        rng.uniform(0.5, 1.1, n).astype(np.float32),
        y,
        x,
    )
    colour = (np.array(granules.colour) + rng.normal(0, 5, 3)).astype(np.float32)
    brush.mix(flesh, colour, np.minimum(field, 1.0) * _draw(rng, granules.strength))


def _vacuoles(flesh: Field, rng: np.random.Generator, count: int, radius: float, y: Field, x: Field) -> None:
    if count:
        field = brush.spots(
            _inside_disc(rng, count, 0.85 * radius),
            rng.uniform(0.006, 0.012, count).astype(np.float32),
            np.full(count, 1.2, dtype=np.float32),
            y,
            x,
        )
        brush.mix(flesh, np.array([238, 218, 216], dtype=np.float32), np.minimum(field, 1.0) * 0.8)


def _smear(
    patch: Field,
    rng: np.random.Generator,
    colour: Field,
    distance: Field,
    radius: float,
    opacity: float,
    y: Field,
    x: Field,
    noise: Noise,
) -> None:
    n = int(rng.integers(25, 70))
    way = rng.uniform(0, 2 * np.pi)
    start = _inside_disc(rng, n, radius)
    dragged = np.array([np.sin(way), np.cos(way)]) * radius * rng.uniform(0.2, 0.9)
    # Strands of chromatin run outwards and along the direction in which the cell was dragged.
    direction = 0.6 * start + dragged + rng.normal(0, 0.15 * radius, (n, 2))
    steps = np.linspace(-0.5, 0.7, 9)[None, :, None] * rng.uniform(0.3, 1.0, (n, 1, 1))
    strands = (start[:, None, :] + steps * direction[:, None, :]).reshape(-1, 2).astype(np.float32)
    weights = np.repeat(rng.normal(0.1, 0.35, n), 9).astype(np.float32)
    texture = brush.spots(strands, np.full(len(strands), rng.uniform(0.009, 0.015), dtype=np.float32), weights, y, x)
    texture = np.tanh(texture) + 0.35 * noise(34)
    ragged = distance + radius * (0.14 * noise(8) + 0.10 * noise(20) - 0.10 * texture)
    cover = brush.coverage(ragged, radius * rng.uniform(0.3, 0.7)) * np.clip(0.9 + 0.25 * texture, 0.0, 1.0)
    core = 14.0 * np.exp(-np.square((1.0 + distance / radius) / 0.7))
    flesh = colour - (rng.uniform(8, 20) * texture + 9.0 * noise(12) + core)[..., None] * np.array(
        [1.0, 1.1, 0.45], dtype=np.float32
    )
    brush.mix(patch, flesh.astype(np.float32), cover * opacity)


def _stray_platelets(canvas: Field, rng: np.random.Generator, centre: Field, radius: float, zoom: float) -> None:
    for _ in range(int(rng.poisson(0.5))):
        place = rng.uniform(0.02, 0.98, 2).astype(np.float32)
        own = rng.uniform(0.02, 0.04) * zoom
        if np.hypot(*(place - centre)) > radius + 1.5 * own:
            paint_cell(canvas, MORPHOLOGY["platelet"], rng, place, own)


def _inside_disc(rng: np.random.Generator, n: int, radius: float) -> Field:
    way, far = rng.uniform(0, 2 * np.pi, n), radius * np.sqrt(rng.uniform(0, 1, n))
    return np.stack([far * np.sin(way), far * np.cos(way)], axis=1).astype(np.float32)


def _draw(rng: np.random.Generator, bounds: Range) -> float:
    return float(rng.uniform(*bounds))


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
