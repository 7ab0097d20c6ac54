"""The sample sheet: the same latents at every report, one row for each class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

MARGIN = 2
FONT = ImageFont.load_default(size=13)


def class_sheet(images: NDArray[np.uint8], labels: Sequence[int], class_names: Sequence[str]) -> Image.Image:
    """Lay images out in rows, one class a row with its name before it.

    Parameters
    ----------
    images : uint8 array [n, 3, H, W]
    labels : sequence of int, length n
    class_names : sequence of str

    Returns
    -------
    PIL.Image.Image
    """
    size = images.shape[-1]
    rows = [[i for i, label in enumerate(labels) if label == c] for c in range(len(class_names))]
    shown = [(name, row) for name, row in zip(class_names, rows, strict=True) if row]
    left = max(int(FONT.getlength(name)) for name, _ in shown) + 12
    columns = max(len(row) for _, row in shown)
    step = size + MARGIN
    sheet = Image.new("RGB", (left + columns * step, len(shown) * step + MARGIN), "white")
    draw = ImageDraw.Draw(sheet)
    for r, (name, row) in enumerate(shown):
        top = MARGIN + r * step
        draw.text((6, top + size // 2), name, fill="black", font=FONT, anchor="lm")
        for c, index in enumerate(row):
            sheet.paste(Image.fromarray(images[index].transpose(1, 2, 0)), (left + c * step, top))
    return sheet
