"""A contact sheet as one picture: a row for each class, real cells beside synthetic ones or under them."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from gansynth.errors import InputError
from gansynth.files.atomic import whole_file
from gansynth.report.drawing import INK, REAL, SYNTHETIC
from gansynth.report.embedding import picture_of
from gansynth.studies.contact_sheet import ORDERS, ContactSheet, SheetCell, SheetClass
from gansynth.synthesis.provenance import NOTICE

_LEAST_EDGE = 96
"""Smaller cells are enlarged by a whole factor to at least this many pixels."""
_GAP, _BLOCK, _MARGIN, _BAR = 4, 20, 14, 3
_SOFT = "#59636e"
_Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont
_COLOURS = {"synthetic": SYNTHETIC, "real": REAL, "phantom": REAL}


def write_contact_sheet(sheet: ContactSheet, path: str | Path) -> Path:
    """Write a sheet as PNG, whole or not at all; where it shows synthetic cells, its text says so.

    Raises
    ------
    InputError
        If the path does not end in .png.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise InputError(f"{path}: a sheet is written as PNG; give a name that ends in .png")
    text = PngInfo()
    origins = {cell.origin for row in sheet.classes for cell in (*row.cells, *row.real)}
    if "synthetic" in origins:
        text.add_text("Description", NOTICE)
        text.add_text("gansynth.origin", "synthetic")
    buffer = io.BytesIO()
    draw_contact_sheet(sheet).save(buffer, "PNG", pnginfo=text)
    with whole_file(path) as temporary:
        temporary.write_bytes(buffer.getvalue())
    return path


def draw_contact_sheet(sheet: ContactSheet) -> Image.Image:
    """Draw a sheet.

    Returns
    -------
    PIL.Image.Image
        RGB on white. A bar under each cell says whether it is real or synthetic, below it stands its caption.
    """
    native = sheet.classes[0].cells[0].image.shape[-1]
    edge = native * max(1, math.ceil(_LEAST_EDGE / native))
    font, small = ImageFont.load_default(size=15), ImageFont.load_default(size=12)
    step = edge + _GAP
    columns = max(len(row.cells) for row in sheet.classes)
    beside = 0 if sheet.pairs else max(len(row.real) for row in sheet.classes)
    left = _MARGIN + max(_name_width(row, font) for row in sheet.classes) + _MARGIN
    cells_left = left + (beside * step + _BLOCK if beside else 0)
    lines = _caption_lines(sheet, native)
    width = max(cells_left + columns * step, _MARGIN + max(int(small.getlength(line)) for line in lines))
    tall = [_height(row, sheet.pairs, edge) for row in sheet.classes]
    head = 34
    canvas = Image.new("RGB", (width + _MARGIN, head + sum(tall) + len(lines) * 16 + 2 * _MARGIN), "white")
    draw = ImageDraw.Draw(canvas)
    _heading(draw, sheet, left, cells_left, bool(beside), font)
    top = head
    for row, height in zip(sheet.classes, tall, strict=True):
        draw.text((_MARGIN, top + edge // 2), row.name, fill=INK, font=font, anchor="ls")
        draw.text((_MARGIN, top + edge // 2 + 4), f"{row.count:,} images", fill=_SOFT, font=small, anchor="lt")
        if sheet.pairs:
            below = top + _line_height(row.cells, edge)
            _line(canvas, draw, row.cells, left, top, edge, small)
            _line(canvas, draw, row.real, left, below, edge, small)
        else:
            _line(canvas, draw, row.real, left, top, edge, small)
            _line(canvas, draw, row.cells, cells_left, top, edge, small)
        top += height
    for line in lines:
        draw.text((_MARGIN, top + _MARGIN // 2), line, fill=_SOFT, font=small, anchor="lt")
        top += 16
    return canvas


def _heading(
    draw: ImageDraw.ImageDraw, sheet: ContactSheet, left: int, cells_left: int, beside: bool, font: _Font
) -> None:
    kinds = {cell.origin for row in sheet.classes for cell in row.cells}
    name = " and ".join(sorted(kinds))
    if sheet.pairs:
        name = f"{name}, and under each the nearest {sheet.real} image"
    elif beside:
        draw.text((left, 14), sheet.real, fill=REAL, font=font, anchor="lt")
    colour = SYNTHETIC if kinds == {"synthetic"} else INK
    draw.text((cells_left, 14), name, fill=colour, font=font, anchor="lt")


def _name_width(row: SheetClass, font: _Font) -> int:
    return max(70, math.ceil(font.getlength(row.name)))


def _line_height(cells: Sequence[SheetCell], edge: int) -> int:
    return edge + _BAR + (16 if any(cell.caption for cell in cells) else 2)


def _height(row: SheetClass, pairs: bool, edge: int) -> int:
    heights = [_line_height(cells, edge) for cells in (row.cells, row.real)]
    return (sum(heights) + 10) if pairs else max(heights) + 4


def _line(
    canvas: Image.Image,
    draw: ImageDraw.ImageDraw,
    cells: Sequence[SheetCell],
    left: int,
    top: int,
    edge: int,
    font: _Font,
) -> None:
    for k, cell in enumerate(cells):
        x = left + k * (edge + _GAP)
        canvas.paste(picture_of(cell.image).resize((edge, edge), Image.Resampling.BICUBIC), (x, top))
        draw.rectangle((x, top + edge, x + edge - 1, top + edge + _BAR - 1), fill=_COLOURS.get(cell.origin, INK))
        if cell.caption:
            draw.text((x + edge // 2, top + edge + _BAR + 1), cell.caption, fill=_SOFT, font=font, anchor="mt")


def _caption_lines(sheet: ContactSheet, native: int) -> list[str]:
    words = f"Order: {ORDERS[sheet.sort]}. {native} x {native} pixels."
    if sheet.real and not sheet.pairs:
        words += " Real cells drawn at random."
    lines = [words]
    if sheet.pairs or sheet.sort == "nearest":
        lines.append("away: root mean square grey levels of 255 between 8 x 8 averages, in the best orientation.")
    return lines
