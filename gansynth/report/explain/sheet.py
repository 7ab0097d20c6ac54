"""Sheets of explanations: the original, where a classifier looked before a remedy, and where it looks after it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from skimage.segmentation import find_boundaries

from gansynth.classifiers.explain.files import ExplainedFile, Looked
from gansynth.report.drawing import FAINT, INK
from gansynth.report.embedding import picture_of

TILE = 176
"""Edge of one picture on a sheet, in pixels."""

ON_ONE_SHEET = 16
_GAP = 6
_CAPTION = 49
_HEAD = 30
_LEAST_OPAQUE, _MOST_OPAQUE = 0.1, 0.72


def heat(attribution: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return an attribution (0..1, [H, W]) as colours, uint8 [H, W, 3], dark blue over yellow to red as is usual."""
    from matplotlib import colormaps

    return (np.asarray(colormaps["turbo"](np.clip(attribution, 0, 1)))[..., :3] * 255).astype(np.uint8)


def overlay(
    pixels: NDArray[np.uint8],
    attribution: NDArray[np.floating],
    cell: NDArray[np.bool_] | None = None,
    edge: int = TILE,
) -> Image.Image:
    """Lay an attribution over its picture, with the outline of the cell.

    Parameters
    ----------
    pixels : uint8 array, shape [3, E, E]
    attribution : float array, shape [E, E]
        0..1. The more, the less of the picture is seen.
    cell : bool array, shape [E, E], optional
    edge : int
        Of what is returned.

    Returns
    -------
    PIL.Image.Image
        RGB.
    """
    strength = np.asarray(
        Image.fromarray(np.clip(attribution, 0, 1).astype(np.float32)).resize((edge, edge), Image.Resampling.BICUBIC)
    ).clip(0, 1)
    picture = np.asarray(_picture(pixels, edge), np.float32)
    opaque = (_LEAST_OPAQUE + (_MOST_OPAQUE - _LEAST_OPAQUE) * strength)[..., None]
    return _outlined((1 - opaque) * picture + opaque * heat(strength), cell, edge)


def fine_lines(lines: NDArray[np.floating], cell: NDArray[np.bool_] | None = None, edge: int = TILE) -> Image.Image:
    """Return Guided Grad-CAM as a picture (guo2022, figure 9 c): grey where nothing matters.

    Parameters
    ----------
    lines : float array, shape [3, R, R]
        Signed; scaled so that all but the strongest thousandth keeps its order.
    """
    most = float(np.quantile(np.abs(lines), 0.999)) or 1.0
    colours = ((np.clip(lines / most, -1, 1) + 1) * 127.5).astype(np.uint8).transpose(1, 2, 0)
    resized = Image.fromarray(np.ascontiguousarray(colours)).resize((edge, edge), Image.Resampling.BICUBIC)
    return _outlined(np.asarray(resized, np.float32), cell, edge)


def explained_picture(one: ExplainedFile, looked: Looked, edge: int = TILE) -> Image.Image:
    """Return what one classifier looked at in one image: fine lines where there are some, else the overlay."""
    cell = None if one.problem else one.cell
    if looked.lines is not None:
        return fine_lines(looked.lines, cell, edge)
    return overlay(one.pixels, looked.attribution, cell, edge)


def explanation_sheet(
    explained: Sequence[ExplainedFile], after: str = "looked at", before: str | None = None
) -> Image.Image:
    """Put images beside what the classifiers looked at.

    Parameters
    ----------
    explained : sequence of ExplainedFile
        At least one without an error; those with one are left out.
    after, before : str
        What the two classifiers are called.

    Returns
    -------
    PIL.Image.Image
        RGB. Under the original: the class of its folder, and the class that is asked about. Under what a classifier
        looked at: the class that it gives the image, its probability of the class that is asked about, and the share
        of the attribution inside the cell, which is outlined (an even attribution would have the cell's share of the
        picture).

    Raises
    ------
    ValueError
        If there is no image.
    """
    shown = [one for one in explained if one.after is not None]
    if not shown:
        raise ValueError("no explained image")
    titles = ["original", *([before] if before is not None else []), after]
    columns = min(2, -(-len(shown) // 4))
    card = len(titles) * (TILE + _GAP) + 3 * _GAP
    height = TILE + _CAPTION
    rows = -(-len(shown) // columns)
    sheet = Image.new("RGB", (columns * card + _GAP, _HEAD + rows * (height + _GAP)), "white")
    draw = ImageDraw.Draw(sheet)
    for c in range(columns):
        for k, title in enumerate(titles):
            _write(draw, c * card + _GAP + k * (TILE + _GAP), 8, title, 13, INK)
    for i, one in enumerate(shown):
        left, top = (i // rows) * card + _GAP, _HEAD + (i % rows) * (height + _GAP)
        sheet.paste(_picture(one.pixels, TILE), (left, top))
        true = f"true: {one.true_class}" if one.true_class else "true class not known"
        _write(draw, left, top + TILE + 2, true, 12, INK)
        _write(draw, left, top + TILE + 17, f"asked: {one.class_name}", 12, INK)
        covers = "cell not found" if math.isnan(one.area) else f"cell: {one.area:.0%} of the picture"
        _write(draw, left, top + TILE + 32, covers, 11, FAINT)
        for k, looked in enumerate([one.before, one.after] if before is not None else [one.after], start=1):
            if looked is None:
                continue
            x = left + k * (TILE + _GAP)
            sheet.paste(explained_picture(one, looked), (x, top))
            _write(draw, x, top + TILE + 2, f"says {looked.predicted}", 12, INK)
            _write(draw, x, top + TILE + 17, f"p of what is asked: {looked.probability:.2f}", 12, INK)
            nothing = "" if looked.attribution.any() else "nothing speaks for it"
            inside = nothing if math.isnan(looked.share) else f"{looked.share:.0%} in the cell"
            _write(draw, x, top + TILE + 32, inside, 11, FAINT)
    return sheet


def _picture(pixels: NDArray[np.uint8], edge: int) -> Image.Image:
    return picture_of(pixels).resize((edge, edge), Image.Resampling.BICUBIC)


def _outlined(colours: NDArray[np.floating], cell: NDArray[np.bool_] | None, edge: int) -> Image.Image:
    found = colours.clip(0, 255).astype(np.uint8)
    if cell is not None and cell.any():
        mask = np.asarray(Image.fromarray(cell).resize((edge, edge), Image.Resampling.NEAREST))
        found = found.copy()
        found[find_boundaries(mask, mode="inner")] = 255
    return Image.fromarray(found)


def _write(draw: ImageDraw.ImageDraw, x: int, y: int, text: str, size: int, color: str) -> None:
    font = ImageFont.load_default(size=size)
    while len(text) > 1 and font.getlength(text) > TILE:
        text = text[:-2] + "…"
    draw.text((x, y), text, fill=color, font=font)
