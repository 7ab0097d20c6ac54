"""Cells with their outlines drawn in, class by class, so that cuts are checked by eye."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from skimage.segmentation import find_boundaries

from gansynth.cells.segmentation import CellMasks, segment_cell
from gansynth.data.dataset import CellDataset

TILE = 160
"""Edge of a cell on the sheet, in pixels."""

_GAP, _CAPTION = 6, 32
_LETTERS = 27  # of a caption's line
_NUCLEUS, _CELL, _FAILED, _INK = (255, 235, 59), (0, 150, 255), (200, 40, 30), (34, 39, 46)


@dataclass(frozen=True)
class SheetRow:
    """The cells of one class that a sheet shows: positions in the data set."""

    name: str
    good: tuple[int, ...]
    failed: tuple[int, ...]


def sheet_rows(table: pd.DataFrame, good: int, failed: int, seed: int) -> list[SheetRow]:
    """Draw the cells of a sheet at random: so many good and failed cuts of each class.

    Parameters
    ----------
    table : pandas.DataFrame
        As `nuclei_table` returns it.
    good, failed : int
    seed : int
        The same seed gives the same cells.
    """
    rng, rows = np.random.default_rng(seed), []
    for name, some in table.groupby("class", sort=True):
        broken = (some["problem"] != "").to_numpy()
        drawn = [
            tuple(sorted(rng.permutation(some.index.to_numpy()[which])[:n].tolist()))
            for which, n in ((~broken, good), (broken, failed))
        ]
        rows.append(SheetRow(str(name), *drawn))
    return rows


def outlines_sheet(
    dataset: CellDataset,
    table: pd.DataFrame,
    rows: Sequence[SheetRow],
    segmenter: Callable[[NDArray[np.uint8]], CellMasks] = segment_cell,
) -> Image.Image:
    """Show cells with the outlines of nucleus (yellow) and cell (blue); failed cuts are framed red, at the right.

    Parameters
    ----------
    dataset : CellDataset
    table : pandas.DataFrame
        Its `nuclei_table`; captions are taken from it.
    rows : sequence of SheetRow
        At least one.
    segmenter : callable
        The one that made the table.

    Returns
    -------
    PIL.Image.Image
        RGB.
    """
    good, failed = (max(len(getattr(row, kind)) for row in rows) for kind in ("good", "failed"))
    font, small = ImageFont.load_default(size=16), ImageFont.load_default(size=12)
    margin = int(max(font.getlength(row.name) for row in rows)) + 2 * _GAP
    step, height = TILE + _GAP, TILE + _CAPTION + _GAP
    sheet = Image.new(
        "RGB", (margin + (good + failed) * step + (2 * _GAP if failed else 0), len(rows) * height), "white"
    )
    draw = ImageDraw.Draw(sheet)
    for r, row in enumerate(rows):
        top = r * height
        draw.text((margin - _GAP, top + TILE // 2), row.name, fill=_INK, font=font, anchor="rm")
        places = [(k, i) for k, i in enumerate(row.good)] + [(good + k, i) for k, i in enumerate(row.failed)]
        for column, i in places:
            broken = column >= good
            left = margin + column * step + (2 * _GAP if broken else 0)
            image = np.asarray(dataset.images[i])
            sheet.paste(outlined(image, segmenter(image)), (left, top))
            if broken:
                draw.rectangle((left, top, left + TILE - 1, top + TILE - 1), outline=_FAILED, width=2)
            said = str(table["problem"].iloc[i]) if broken else _lobes(float(table["lobes"].iloc[i]))
            said = "\n".join(wrap(said, _LETTERS, max_lines=2, placeholder=" …"))
            draw.multiline_text((left, top + TILE + 1), said, fill=_FAILED if broken else _INK, font=small, spacing=1)
    return sheet


def outlined(image: NDArray[np.uint8], masks: CellMasks, edge: int = TILE) -> Image.Image:
    """Draw the outlines of nucleus and cell around what they hold into an image [3, H, W], brought to `edge` pixels."""
    picture = Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0)))
    pixels = np.asarray(picture.resize((edge, edge), Image.Resampling.BICUBIC)).copy()
    for mask, colour in ((masks.cell, _CELL), (masks.nucleus, _NUCLEUS)):
        soft = Image.fromarray(mask.astype(np.float32)).resize((edge, edge), Image.Resampling.BILINEAR)
        pixels[find_boundaries(np.asarray(soft) >= 0.5, mode="outer")] = colour
    return Image.fromarray(pixels)


def _lobes(n: float) -> str:
    return f"{int(n)} lobe{'' if n == 1 else 's'}"
