"""What a cell detector learns from: fields with drawn boxes, seen otherwise each time, and the maps it is to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from gansynth.networks.cell_detector import STRIDE
from gansynth.smears.boxes import RED_CELL, CellBox, corners
from gansynth.smears.detector import KINDS, UNIT, network_input
from gansynth.smears.field import working_field
from gansynth.smears.voc import kind_of

_LEAST_SEEN = 0.35  # of a box: what the canvas cuts smaller is neither wanted nor wrong
_SPREAD = 0.1  # of a box's side: standard deviation of the bell around its centre
_LEAST_SPREAD = 2.5  # working pixels
_CORE = 0.3  # of the bell's height: positions from here on learn where the edges are


@dataclass(frozen=True)
class DrawnField:
    """A field as the network sees it, with its drawn boxes.

    Attributes
    ----------
    density : Tensor, float32 [3, h, w]
        Of `network_input`.
    edges : Tensor, float32 [N, 4]
        Left, top, right and bottom of every box, in working pixels.
    kinds : Tensor, int64 [N]
        Places in `KINDS`.
    red_drawn : bool
        Whether anybody drew red cells. Every field has some: where none is drawn, the field says nothing about them.
    """

    density: Tensor
    edges: Tensor
    kinds: Tensor
    red_drawn: bool = True

    def boxes(self) -> list[CellBox]:
        """Return the drawn boxes in working pixels."""
        return [CellBox(KINDS[k], *place) for k, place in zip(self.kinds.tolist(), self.edges.tolist(), strict=True)]


@dataclass(frozen=True)
class WantedMaps:
    """What the network is to answer for a field.

    Attributes
    ----------
    centres : Tensor, [kinds, H / 4, W / 4]
        1 at a cell's centre, falling off around it as a Gaussian.
    counts : Tensor, [kinds, H / 4, W / 4]
        0 where no answer is wrong, else 1.
    edges : Tensor, [4, H / 4, W / 4]
        Distances to the left, upper, right and lower edge, in `UNIT`.
    weight : Tensor, [H / 4, W / 4]
        How much the distances count there.
    """

    centres: Tensor
    counts: Tensor
    edges: Tensor
    weight: Tensor


def drawn_field(image: NDArray[np.uint8], drawn: Sequence[CellBox], cell_diameter: float) -> DrawnField:
    """Return a field with its boxes of red and white cells at working size; other boxes are left out.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    drawn : sequence of CellBox
        In pixels of `image`, with names that `gansynth.smears.voc.kind_of` knows.
    cell_diameter : float
        Of a usual red cell, in pixels of `image`.
    """
    field = working_field(image, cell_diameter)
    inside = [(box.within(field.height, field.width), kind_of(box.name)) for box in drawn]
    known = [(box, KINDS.index(kind)) for box, kind in inside if kind in KINDS and box.width > 0 and box.height > 0]
    edges = torch.from_numpy(corners(box for box, _ in known) * field.scale).float()
    kinds = torch.tensor([kind for _, kind in known], dtype=torch.int64)
    return DrawnField(network_input(field), edges, kinds, bool((kinds == KINDS.index(RED_CELL)).any()))


def seen_otherwise(field: DrawnField, height: int, width: int, rng: np.random.Generator) -> DrawnField:
    """Return a field on a canvas: in one of eight orientations, at another scale, stain, sharpness and place.

    Parameters
    ----------
    field : DrawnField
    height, width : int
        Of the canvas, in working pixels. A field whose long side is not the canvas's is turned. Around it is clean
        slide; what does not fit is cut off, boxes too, so that some are empty.
    rng : numpy.random.Generator
    """
    density, edges = field.density, field.edges
    if (density.shape[1] < density.shape[2]) != (height < width):
        density, edges = density.transpose(1, 2), edges[:, [1, 0, 3, 2]]
    rows, columns = density.shape[1:]
    stretch = np.exp(rng.uniform(-0.2, 0.2) + rng.uniform(-0.04, 0.04, 2))
    size = max(1, round(rows * stretch[0])), max(1, round(columns * stretch[1]))
    density = F.interpolate(density[None], size, mode="bilinear", antialias=True, align_corners=False)[0]
    edges = edges * torch.tensor([size[1] / columns, size[0] / rows] * 2)
    if rng.random() < 0.5:
        density, edges = density.flip(2), edges[:, [2, 1, 0, 3]] * torch.tensor([-1, 1, -1, 1])
        edges = edges + torch.tensor([size[1], 0, size[1], 0])
    if rng.random() < 0.5:
        density, edges = density.flip(1), edges[:, [0, 3, 2, 1]] * torch.tensor([1, -1, 1, -1])
        edges = edges + torch.tensor([0, size[0], 0, size[0]])
    down, right = (int(rng.integers(min(0, room), max(0, room) + 1)) for room in (height - size[0], width - size[1]))
    canvas = torch.zeros(3, height, width)
    part = _stained_otherwise(density, rng)[:, max(0, -down) :, max(0, -right) :]
    part = part[:, : height - max(0, down), : width - max(0, right)]
    canvas[:, max(0, down) :, max(0, right) :][:, : part.shape[1], : part.shape[2]] = part
    return replace(field, density=canvas, edges=edges + torch.tensor([right, down, right, down]))


def wanted_maps(field: DrawnField) -> WantedMaps:
    """Return the maps that a network which has learned draws; boxes may reach beyond the field.

    A cell of which the field shows less than 0.35 is neither wanted nor wrong: people draw some of them.
    """
    height, width = field.density.shape[1:]
    y, x = ((torch.arange(n // STRIDE) + 0.5) * STRIDE for n in (height, width))
    centres = torch.zeros(len(KINDS), len(y), len(x))
    counts = torch.ones_like(centres)
    counts[KINDS.index(RED_CELL)] = float(field.red_drawn)
    edges, weight = torch.zeros(4, len(y), len(x)), torch.zeros(len(y), len(x))
    for kind, (left, top, right, bottom) in zip(field.kinds.tolist(), field.edges.tolist(), strict=True):
        whole = (right - left) * (bottom - top)
        left, right = max(left, 0.0), min(right, float(width))
        top, bottom = max(top, 0.0), min(bottom, float(height))
        if right <= left or bottom <= top:
            continue
        if (right - left) * (bottom - top) < _LEAST_SEEN * whole:
            counts[:, ((y > top) & (y < bottom))[:, None] & ((x > left) & (x < right))] = 0
            continue
        # The peak lies in the middle of a position, so that one is exactly 1.
        middle_x, middle_y = (STRIDE * (int((a + b) / 2 / STRIDE) + 0.5) for a, b in ((left, right), (top, bottom)))
        wide, high = (max(_SPREAD * side, _LEAST_SPREAD) for side in (right - left, bottom - top))
        bell = torch.exp(-(((y - middle_y) / high) ** 2)[:, None] / 2 - ((x - middle_x) / wide) ** 2 / 2)
        centres[kind] = torch.maximum(centres[kind], bell)
        nearest = (bell > weight) & (bell > _CORE)
        sides = ((x - left)[None], (y - top)[:, None], (right - x)[None], (bottom - y)[:, None])
        distances = torch.stack([side.expand_as(bell) for side in sides])
        edges[:, nearest] = distances[:, nearest] / UNIT
        weight = torch.where(nearest, bell, weight)
    return WantedMaps(centres, torch.maximum(counts, (centres > _CORE).float()), edges, weight)


def _stained_otherwise(density: Tensor, rng: np.random.Generator) -> Tensor:
    """Return optical density of a stronger or weaker stain on a slightly misjudged slide, blurred now and then."""
    gain = np.exp(rng.normal(0, 0.2) + rng.normal(0, 0.1, (3, 1, 1)))
    changed = density.numpy() * gain + rng.normal(0, 0.012, (3, 1, 1))
    if rng.random() < 0.3:
        sigma = rng.uniform(0.4, 1.2)
        changed = ndimage.gaussian_filter(changed, (0, sigma, sigma))
    changed = changed + rng.uniform(0, 0.02) * rng.standard_normal(density.shape, dtype=np.float32)
    return torch.from_numpy(changed.astype(np.float32))
