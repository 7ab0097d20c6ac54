"""The brushes of the phantom: fields over a patch of the image, all of them pure functions.

Every shape is a signed distance (negative inside) and every texture a smooth function of the position,
so that one cell can be drawn at any size, with soft edges and without supersampling.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating[Any]]


def spots(points: Field, radii: Field, weights: Field, y: Field, x: Field) -> Field:
    """Sum Gaussian spots over a grid; one matrix product, however many spots.

    Parameters
    ----------
    points : [n, 2], (y, x) of each spot.
    radii, weights : [n].
    y, x : [h], [w], coordinates of the grid's rows and columns.

    Returns
    -------
    float32 [h, w]
    """
    precision = -0.5 / (radii * radii)
    rows = np.exp(precision[:, None] * np.square(y[None, :] - points[:, :1]))
    columns = np.exp(precision[:, None] * np.square(x[None, :] - points[:, 1:]))
    return (rows * weights[:, None]).T @ columns


def smooth_noise(rng: np.random.Generator, cells: int, size: int) -> Field:
    """Return smooth noise, float32 [size, size] with mean 0 and deviation near 1, of `cells` bumps across."""
    weights = _interpolation(cells, size)
    lattice = rng.standard_normal((cells + 2, cells + 2), dtype=np.float32)
    return weights @ lattice @ weights.T


@lru_cache(maxsize=64)
def _interpolation(cells: int, size: int) -> Field:
    position = (np.arange(size, dtype=np.float32) + 0.5) / size * cells + 0.5
    # Wider than the lattice where the grid is the coarser one: what it cannot show is averaged, not aliased.
    width = max(0.6, 0.5 * cells / size)
    weights = np.exp(-0.5 * np.square((position[:, None] - np.arange(cells + 2)[None, :]) / width))
    unit_variance = weights / np.sqrt(np.square(weights).sum(axis=1, keepdims=True))
    damping = min(1.0, size / cells)
    return np.asarray(unit_variance * damping**0.5, dtype=np.float32)


def coverage(distance: Field, softness: float) -> Field:
    """Turn signed distance into opacity: 1 inside, 0 outside, a ramp `softness` wide between."""
    inside = np.clip(0.5 - distance / softness, 0.0, 1.0)
    return inside * inside * (3.0 - 2.0 * inside)


def outline_distance(
    y: Field, x: Field, radius: float, elongation: float, angle: float, amplitudes: Field, phases: Field
) -> Field:
    """Return the signed distance to a closed outline, float32 [h, w].

    Parameters
    ----------
    y, x : [h], [w], relative to the centre.
    radius : mean radius.
    elongation : long axis over short axis; the area is kept.
    angle : direction of the long axis, radians.
    amplitudes, phases : [k], waves 2, 3, ... around the outline, amplitudes as fractions of the radius.
    """
    cos, sin = np.cos(angle), np.sin(angle)
    stretch = elongation**0.5
    along = (x[None, :] * cos + y[:, None] * sin) / stretch
    across = (y[:, None] * cos - x[None, :] * sin) * stretch
    theta = np.arctan2(across, along)
    distance = np.sqrt(along * along + across * across) / radius
    edge = np.zeros_like(theta)
    for wave, (amplitude, phase) in enumerate(zip(amplitudes, phases, strict=True), start=2):
        edge += amplitude * np.cos(wave * theta + phase)
    # The waves fade towards the centre, where their angle means nothing and would leave a cusp.
    edge *= np.square(np.minimum(distance, 1.0))
    return np.asarray(radius * (distance - 1.0 - edge), dtype=np.float32)


def tube_distance(y: Field, x: Field, points: Field, radii: Field) -> Field:
    """Return the signed distance to a chain of discs, float32 [h, w]: the outline of a nucleus.

    Parameters
    ----------
    y, x : [h], [w].
    points : [n, 2], centres (y, x) along the chain, close together.
    radii : [n].
    """
    squares = np.square(y[:, None] - points[:, 0])[:, None, :] + np.square(x[:, None] - points[:, 1])[None, :, :]
    return np.asarray((np.sqrt(squares) - radii).min(axis=2), dtype=np.float32)


def lobed_chain(
    thickness: float, length: float, bend: float, lobe_sizes: Field, lobe_turns: Field, pinch: float, angle: float
) -> tuple[Field, Field]:
    """Return the discs of a bent, lobed tube centred on the origin.

    Parameters
    ----------
    thickness : half width of the tube.
    length : of the arc through the centres.
    bend : angle the arc turns through, radians.
    lobe_sizes : [lobes], relative size of each lobe.
    lobe_turns : [lobes], angle by which each lobe leaves the arc, radians.
    pinch : narrowing between lobes, 0..1.
    angle : rotation of the whole, radians.

    Returns
    -------
    points : float32 [n, 2]
    radii : float32 [n]
    """
    lobes = len(lobe_sizes)
    n = max(7, 9 * lobes)
    # A lobed chain ends inside its last lobes, else it would end in points.
    spare = 0.35 / lobes if lobes > 1 else 0.0
    along = np.linspace(spare, 1.0 - spare, n)
    lobe = np.minimum((along * lobes).astype(int), lobes - 1)
    heading = angle + bend * (along - 0.5) + lobe_turns[lobe]
    steps = np.stack([np.sin(heading), np.cos(heading)], axis=1) * (length / n)
    points = np.cumsum(steps, axis=0)
    points -= points.mean(axis=0)
    swelling = np.square(np.sin(np.pi * along * lobes))
    radii = thickness * lobe_sizes[lobe] * (1.0 - pinch * (1.0 - swelling))
    return np.asarray(points, dtype=np.float32), np.asarray(radii, dtype=np.float32)


def stretched(points: Field, radii: Field, elongation: float, axis: float) -> tuple[Field, Field]:
    """Fit a chain of discs made for a round cell into one elongated along `axis` (as in `outline_distance`)."""
    stretch = elongation**0.5
    along = points[:, 0] * np.sin(axis) + points[:, 1] * np.cos(axis)
    across = points[:, 0] * np.cos(axis) - points[:, 1] * np.sin(axis)
    along, across = along * stretch, across / stretch
    turned = np.stack(
        [along * np.sin(axis) + across * np.cos(axis), along * np.cos(axis) - across * np.sin(axis)], axis=1
    )
    return turned.astype(np.float32), np.asarray(radii / stretch**0.5, dtype=np.float32)


def mix(base: Field, colour: Field, amount: Field) -> None:
    """Move `base` [h, w, 3] towards `colour` ([3] or [h, w, 3]) by `amount` [h, w], in place."""
    base += (colour - base) * amount[..., None]
