"""A walk as a GIF that goes there and back, and as a strip."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from gansynth.errors import InputError
from gansynth.files.atomic import whole_file
from gansynth.gans.walk import Walk
from gansynth.report.drawing import INK
from gansynth.report.embedding import picture_of
from gansynth.synthesis.provenance import NOTICE

_STRIP = 9
"""Images of a strip between two stops, these included."""
_LEAST_EDGE, _GAP = 96, 4
_MS = 60
_PAUSE_MS = 600


def write_walk(walk: Walk, path: str | Path) -> tuple[Path, Path]:
    """Write a GIF, and beside it a PNG of the same name with a row from each stop to the next.

    Both say in their own text that they are synthetic.

    Returns
    -------
    tuple of pathlib.Path
        The GIF and the strip.

    Raises
    ------
    InputError
        If the path does not end in .gif.
    """
    path = Path(path)
    if path.suffix.lower() != ".gif":
        raise InputError(f"{path}: a walk is written as GIF, and its strip beside it as PNG; end the name in .gif")
    with whole_file(path) as temporary:
        temporary.write_bytes(_gif(walk))
    strip = path.with_suffix(".png")
    text = PngInfo()
    text.add_text("Description", NOTICE)
    text.add_text("gansynth.origin", "synthetic")
    buffer = io.BytesIO()
    draw_strip(walk).save(buffer, "PNG", pnginfo=text)
    with whole_file(strip) as temporary:
        temporary.write_bytes(buffer.getvalue())
    return path, strip


def draw_strip(walk: Walk) -> Image.Image:
    """Draw some frames of the way from each stop to the next, a row for each.

    Returns
    -------
    PIL.Image.Image
        RGB on white, with the class and the seed of both ends under them.
    """
    pictures, edge = _pictures(walk)
    columns = min(_STRIP, walk.at[1] + 1)
    font = ImageFont.load_default(size=13)
    height = edge + 22
    sheet = Image.new("RGB", (columns * (edge + _GAP) - _GAP, height * (len(walk.at) - 1)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, first in enumerate(walk.at[:-1]):
        last, top = walk.at[row + 1], row * height
        for column, frame in enumerate(np.linspace(first, last, columns).round().astype(int)):
            sheet.paste(pictures[frame], (column * (edge + _GAP), top))
        for stop, x, anchor in ((row, 0, "lt"), (row + 1, sheet.width - 1, "rt")):
            name, seed = walk.stops[stop]
            draw.text((x, top + edge + 4), f"{name}, seed {seed}", fill=INK, font=font, anchor=anchor)
    return sheet


def _gif(walk: Walk) -> bytes:
    pictures, _ = _pictures(walk)
    pauses = set(walk.at)
    there = list(range(len(pictures)))
    order = there + there[-2:0:-1]
    frames = [pictures[k].quantize(256, dither=Image.Dither.NONE) for k in order]
    buffer = io.BytesIO()
    frames[0].save(
        buffer, "GIF", save_all=True, append_images=frames[1:], loop=0, comment=NOTICE.encode(),
        duration=[_PAUSE_MS if k in pauses else _MS for k in order], optimize=False,
    )  # fmt: skip
    return buffer.getvalue()


def _pictures(walk: Walk) -> tuple[list[Image.Image], int]:
    native = walk.frames.shape[-1]
    edge = native * max(1, math.ceil(_LEAST_EDGE / native))
    return [picture_of(frame).resize((edge, edge), Image.Resampling.BICUBIC) for frame in walk.frames], edge
