"""Pictures of a benchmark: the same classes from every GAN, their nearest training images, their maps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from gansynth.report.blocks import Drawing, Drawings
from gansynth.report.page import Section
from gansynth.report.quality.cell_pictures import all_sources, nearest_pairs
from gansynth.report.quality.map_charts import source_maps
from gansynth.studies.quality.result import Quality
from gansynth.studies.quality.shown import Pair, Sheet

Measured = Mapping[str, tuple[Quality, ...]]
"""The measured runs of each recipe, by seed."""

PAIRS_SHOWN = 6
"""Nearest pairs shown of a GAN."""


def lineup(measured: Measured, class_names: Sequence[str]) -> list[Section]:
    """Show cells of every class from every GAN beside real ones, from the first seed of each."""
    sheets = {recipe: runs[0].sheet for recipe, runs in measured.items()}
    made: dict[str, Sheet] = {recipe: sheet for recipe, sheet in sheets.items() if sheet is not None}
    if not made:
        return []
    caption = (
        "Held-out real cells of each class, drawn at random, and from each GAN (its first training seed) the first "
        "cells it generated of the class, with the same image seeds for all. None was picked."
    )
    real = next(iter(made.values()))
    return [Section("The cells", blocks=[all_sources(real, made, class_names, caption)])]


def nearest(measured: Measured) -> list[Section]:
    """Show, for each GAN, the pairs that come closest to a training image for their class."""
    groups = {recipe: _closest([p for run in runs for p in run.pairs]) for recipe, runs in measured.items()}
    if not any(groups.values()):
        return []
    caption = (
        "For each GAN the synthetic images (left) that lie nearest to a training image (right), judged by how far "
        "fresh real cells of the class lie from theirs. Below, how far apart the two are, the class, and how far the "
        "median fresh real cell lies from its own nearest training image. Copies are framed."
    )
    return [Section("Nearest training images", blocks=[nearest_pairs(groups, caption, name_class=True)])]


def maps(measured: Measured, class_names: Sequence[str]) -> list[Section]:
    """Show each GAN's cells in the same map."""
    found = {recipe: runs[0].map for recipe, runs in measured.items()}
    known = {recipe: one for recipe, one in found.items() if one is not None}
    if not known:
        return []
    key = ", ".join(f"{c + 1} {name}" for c, name in enumerate(class_names))
    caption = (
        "Features of the cell encoder in the two directions that best separate the real training classes, with the "
        "same axes in every map; crowded regions are stretched. Grey: real cells; coloured: synthetic cells by the "
        f"class asked for. A number stands at the median of the real cells of its class: {key}."
    )
    drawn = source_maps(known, class_names)
    return [Section("Maps of real and synthetic cells", blocks=[Drawings([Drawing(drawn, caption, width=60)])])]


def _closest(pairs: list[Pair]) -> list[Pair]:
    """Copies first, then by distance as a share of the held-out one; one class at most twice."""
    kept: list[Pair] = []
    for pair in sorted(pairs, key=lambda p: (not p.copy, _closeness(p))):
        if len(kept) < PAIRS_SHOWN and (pair.copy or sum(p.class_name == pair.class_name for p in kept) < 2):
            kept.append(pair)
    return kept


def _closeness(pair: Pair) -> float:
    known = math.isfinite(pair.held_out_median) and pair.held_out_median > 0
    return pair.distance / pair.held_out_median if known else math.inf
