"""A smear field with its boxes drawn in, to be checked by eye."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gansynth.smears.boxes import RED_CELL, WHITE_CELL, CellBox

_COLOURS = {RED_CELL: (230, 30, 30), WHITE_CELL: (30, 60, 230)}
_OTHER = (20, 140, 60)
_DRAWN = (255, 230, 0)


def overlay(image: NDArray[np.uint8], boxes: Sequence[CellBox], drawn: Sequence[CellBox] = ()) -> NDArray[np.uint8]:
    """Draw boxes into a field.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    boxes : sequence of CellBox
        Red cells in red, white cells in blue, others in green.
    drawn : sequence of CellBox
        Boxes of an annotation, thin and yellow, beneath the others.

    Returns
    -------
    uint8 [H, W, 3]
    """
    picture = Image.fromarray(image)
    pen = ImageDraw.Draw(picture)
    line = max(2, round(max(image.shape) / 400))
    for box in drawn:
        pen.rectangle(_pixels(box), outline=_DRAWN, width=max(1, line // 2))
    for box in boxes:
        pen.rectangle(_pixels(box), outline=_COLOURS.get(box.name, _OTHER), width=line)
    return np.asarray(picture)


def _pixels(box: CellBox) -> tuple[int, int, int, int]:
    left, top = round(box.left), round(box.top)
    return left, top, max(left, round(box.right) - 1), max(top, round(box.bottom) - 1)
