"""One cell out of a smear field: cut, enlarged, and laid on a square of fixed size (pasupa2020, algorithm 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gansynth.cells.stain import background_colour
from gansynth.smears.boxes import CellBox
from gansynth.smears.upscale import SuperResolution

_NEAR = 64  # pixels around a piece at the border in which the colour of the slide is looked for
_CONTEXT = 8  # pixels around a piece that a network sees, so that it does not invent an edge


class Surround(Enum):
    """What lies around a cell's box in its image."""

    ZERO = "zero"
    """Black, as in pasupa2020."""
    SMEAR = "smear"
    """The smear itself; beyond the field's border the colour of the slide between the cells."""


@dataclass(frozen=True)
class CellCut:
    """The image of one cell.

    Attributes
    ----------
    pixels : uint8 [size, size, 3]
    scale : float
        Pixels here for one pixel of the field.
    """

    pixels: NDArray[np.uint8]
    scale: float


def cut_cell(
    image: NDArray[np.uint8],
    box: CellBox,
    size: int,
    scale: float,
    surround: Surround = Surround.SMEAR,
    super_resolution: SuperResolution | None = None,
) -> CellCut:
    """Cut one cell out of a field, with the cell in the middle.

    Parameters
    ----------
    image : uint8 [H, W, 3]
        The field.
    box : CellBox
        Inside the field.
    size : int
        Edge length of the result, in pixels.
    scale : float
        Enlargement. A box that would not fit into `size` then is enlarged less.
    surround : Surround
    super_resolution : SuperResolution, optional
        Enlarges before Lanczos's filter brings the piece to its size.
    """
    scale = min(scale, size / max(box.width, box.height))
    part = box if surround is Surround.ZERO else _frame(box, size / scale)
    height, width = image.shape[:2]
    seen = part.within(height, width)
    # Where the visible part lies on the square: its own middle, or where it lies in its frame.
    centre = seen if surround is Surround.ZERO else part
    shape = max(1, round(seen.height * scale)), max(1, round(seen.width * scale))
    top = round(size / 2 + (seen.top - (centre.top + centre.bottom) / 2) * scale)
    left = round(size / 2 + (seen.left - (centre.left + centre.right) / 2) * scale)
    top, left = (min(max(0, at), max(0, size - edge)) for at, edge in zip((top, left), shape, strict=True))
    pixels = np.zeros((size, size, 3), dtype=np.uint8)
    if surround is Surround.SMEAR and shape != (size, size):
        pixels[:] = _slide_around(image, seen)
    piece = _enlarged(image, seen, shape, super_resolution)[: size - top, : size - left]
    pixels[top : top + piece.shape[0], left : left + piece.shape[1]] = piece
    return CellCut(pixels, scale)


def _frame(box: CellBox, edge: float) -> CellBox:
    """Return the square with the box in its middle."""
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return CellBox(box.name, x - edge / 2, y - edge / 2, x + edge / 2, y + edge / 2, box.score)


def _slide_around(image: NDArray[np.uint8], part: CellBox) -> NDArray[np.uint8]:
    """Return the colour of the slide between the cells, near a part of the field."""
    top, left = (max(0, math.floor(at) - _NEAR) for at in (part.top, part.left))
    near = image[top : math.ceil(part.bottom) + _NEAR, left : math.ceil(part.right) + _NEAR]
    return np.rint(background_colour(near)).astype(np.uint8)


def _enlarged(
    image: NDArray[np.uint8], part: CellBox, shape: tuple[int, int], network: SuperResolution | None
) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    # Only the neighbourhood is read; Lanczos's filter and the network see past the box's edge, as in the whole field.
    left, top = max(0, math.floor(part.left) - _CONTEXT), max(0, math.floor(part.top) - _CONTEXT)
    right, bottom = min(width, math.ceil(part.right) + _CONTEXT), min(height, math.ceil(part.bottom) + _CONTEXT)
    piece, factor = image[top:bottom, left:right], 1
    if network is not None:
        piece, factor = network.enlarge(np.ascontiguousarray(piece)), network.factor
    limits = (np.array([part.left - left, part.top - top, part.right - left, part.bottom - top]) * factor).tolist()
    limits = [min(max(0.0, edge), float(most)) for edge, most in zip(limits, (*piece.shape[1::-1],) * 2, strict=True)]
    whole = Image.fromarray(np.ascontiguousarray(piece))
    return np.asarray(whole.resize(shape[::-1], Image.Resampling.LANCZOS, box=tuple(limits)))
