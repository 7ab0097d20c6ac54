"""Cells to look at: the same class from several sources, and synthetic images beside their nearest training image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gansynth.report.blocks import Card, Cards, Lineup, Picture
from gansynth.report.embedding import mosaic, picture_address, shrunk
from gansynth.studies.quality.shown import Pair, Sheet

LOSSLESS_CELLS = 700
"""A page with more cells than this keeps them in a lossy format, or it could not be sent by mail."""

_SHOWN = 64
"""Pixels a small cell is enlarged to."""


def side_by_side(sheet: Sheet, names: Sequence[str], notes: Mapping[str, str], caption: str) -> Lineup:
    """Compose rows of real beside synthetic cells, one row per class."""
    lossless = bool(sheet.real_count.sum() + sheet.synthetic_count.sum() <= LOSSLESS_CELLS)
    rows = []
    for c, name in enumerate(names):
        real = _picture(sheet.real[c, : sheet.real_count[c]], name, "real", 8, lossless, "real")
        made = _picture(sheet.synthetic[c, : sheet.synthetic_count[c]], name, "synthetic", 8, lossless, "synthetic")
        rows.append((name, notes.get(name, ""), (real, made)))
    return Lineup(["real", "synthetic"], rows, caption)


def all_sources(real: Sheet, made: Mapping[str, Sheet], names: Sequence[str], caption: str, most: int = 4) -> Lineup:
    """Compose a row per class: real cells, then those of every generator.

    Parameters
    ----------
    real : Sheet
        Whose real cells are shown.
    made : mapping of str to Sheet
        By the generator's name.
    names : sequence of str
        Classes.
    caption : str
    most : int
        Cells of each source, in two columns.
    """
    cells = len(names) * most * (len(made) + 1)
    size = 64 if cells > LOSSLESS_CELLS // 2 else 96
    rows = []
    for c, name in enumerate(names):
        kept = shrunk(real.real[c, : min(most, real.real_count[c])], size)
        pictures = [_picture(kept, name, "real", 2, cells <= LOSSLESS_CELLS, "real")]
        for source, sheet in made.items():
            kept = shrunk(sheet.synthetic[c, : min(most, sheet.synthetic_count[c])], size)
            pictures.append(_picture(kept, name, source, 2, cells <= LOSSLESS_CELLS, "synthetic"))
        rows.append((name, "", pictures))
    return Lineup(["real", *made], rows, caption)


def nearest_pairs(groups: Mapping[str, Sequence[Pair]], caption: str, *, name_class: bool = False) -> Cards:
    """Compose cards: a synthetic image (left), its nearest training image (right), and how far apart they are.

    Parameters
    ----------
    groups : mapping of str to sequence of Pair
        A row each; rows without pairs are left out.
    caption : str
    name_class : bool
        Whether the rows are something other than classes, so that each card names its class and what a fresh real
        cell of it scores.
    """
    lossless = sum(2 * len(pairs) for pairs in groups.values()) <= LOSSLESS_CELLS
    rows = []
    for group, pairs in groups.items():
        if pairs:
            note = "" if name_class else _fresh(pairs[0])
            rows.append((group, note, [_card(pair, lossless, name_class) for pair in pairs]))
    return Cards(rows, caption)


def _card(pair: Pair, lossless: bool, name_class: bool) -> Card:
    images = shrunk(pair.images, 96)
    alt = f"synthetic {pair.class_name} beside the nearest training image, {pair.training}"
    picture = Picture(picture_address(mosaic(images, 2), lossless=lossless), alt, 2 * _SHOWN + 2, "synthetic")
    small = "; ".join(filter(None, [pair.class_name, _fresh(pair)])) if name_class else ""
    return Card(picture, f"{'copy: ' if pair.copy else ''}{pair.distance:#.3g} apart", small, pair.copy)


def _fresh(pair: Pair) -> str:
    return f"fresh real: {pair.held_out_median:#.3g}" if np.isfinite(pair.held_out_median) else ""


def _picture(
    images: NDArray[np.uint8],
    name: str,
    source: str,
    columns: int,
    lossless: bool,
    origin: Literal["real", "synthetic"],
) -> Picture | None:
    if not len(images):
        return None
    shown = min(columns, len(images)) * max(_SHOWN, images.shape[-1])
    alt = f"{len(images)} images of {name}, {source}"
    return Picture(picture_address(mosaic(images, columns), lossless=lossless), alt, shown, origin)
