"""The white cell alone: how much do cells of one class vary when their surroundings are taken away?

A generator may move red cells and background about and draw the same white cell again and again; distances over the
whole image hide that.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gansynth.cells.segmentation import LEAST_EDGE, segment_cell
from gansynth.metrics.diversity import mean_pairwise_distance
from gansynth.metrics.estimate import Estimate, too_few
from gansynth.metrics.linear_head import Standardisation
from gansynth.studies.quality.distances import Book
from gansynth.studies.quality.real_cache import Arrays
from gansynth.studies.quality.sets import Images
from gansynth.studies.quality.stages import Tick
from gansynth.studies.quality.views import View

MOST = 60
"""Cells of a class that are cut out: each takes some 30 ms."""

FEWEST = 5
"""Cells of a class that were cut well, below which their variety is not spoken of."""

SLIDE = (236, 226, 224)
"""What stands in place of everything that is not the white cell: the colour of an empty slide, for all images alike."""


def masked(images: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the white cell of each image on an empty slide, and whether the cut can be trusted.

    Parameters
    ----------
    images : uint8 array [n, 3, H, W]

    Returns
    -------
    (uint8 array [n, 3, H, W], bool array [n])
        An image whose cell could not be cut (`gansynth.cells.segmentation.segment_cell` says why) is all slide, and so
        is one of less than `LEAST_EDGE` pixels.
    """
    found = np.empty_like(images)
    found[:] = np.array(SLIDE, dtype=np.uint8)[:, None, None]
    good = np.zeros(len(images), dtype=bool)
    for i, image in enumerate(images if min(images.shape[2:]) >= LEAST_EDGE else ()):
        cut = segment_cell(np.ascontiguousarray(image))
        good[i] = cut.problem is None and bool(cut.cell.any())
        if good[i]:
            found[i] = np.where(cut.cell, image, found[i])
    return found, good


def white_diversity(views: Sequence[View], suffixes: Sequence[str]) -> list[Book]:
    """Return, class by class, how much white cells vary in the features of each view; `floor` is that of real ones.

    As many real cells as synthetic ones are cut, at most `MOST` of each class; badly cut ones are left out on both
    sides. Where a view is standardised, so are these features, by the real white cells.
    """
    first = views[0]
    real = first.pool.images.select(first.pool.held_out)
    n = np.full(first.n_classes, MOST)
    real, made = (
        real.select(real.draw(n, first.seed)),
        first.sets.synthetic.select(first.sets.synthetic.draw(n, first.seed)),
    )
    names = [view.extractor.name for view in views]

    def make(folder: Path) -> None:
        with first.stages("cutting out real white cells", len(real)) as tick:
            for name, values in _features(real, views, tick).items():
                np.save(folder / f"{name}.npy", values)

    key = (
        "white-cells",
        *(part for view in views for part in (view.extractor.name, view.extractor.sha256)),
        real.fingerprint(),
    )
    of_real = first.cache.arrays(key, make)
    with first.stages("cutting out synthetic white cells", len(made)) as tick:
        of_made = _features(made, views, tick)
    books: list[Book] = [{} for _ in range(first.n_classes)]
    for view, name, suffix in zip(views, names, suffixes, strict=True):
        x, y = of_real[name], of_made[name]
        if view.standardise is not None and of_real["good"].any():
            standardise = Standardisation.of(x[of_real["good"] > 0])
            x, y = standardise(x), standardise(y)
        for c, book in enumerate(books):
            mine = y[(made.labels == c) & (of_made["good"] > 0)]
            theirs = x[(real.labels == c) & (of_real["good"] > 0)]
            book[f"diversity-white{suffix}"] = _estimate(mine, theirs, int((made.labels == c).sum()))
    return books


def _estimate(mine: NDArray[np.float32], theirs: NDArray[np.float32], asked: int) -> Estimate:
    if len(mine) < FEWEST:
        return too_few(len(mine), FEWEST, "diversity of white cells that were cut out well")
    found = mean_pairwise_distance(mine)
    floor = mean_pairwise_distance(theirs, resamples=0).value if len(theirs) >= FEWEST else None
    note = f"{len(mine)} of {asked} cells could be cut out" if len(mine) < asked else ""
    return Estimate(found.value, found.n, found.interval, floor=floor, floor_n=len(theirs), note=note)


def _features(images: Images, views: Sequence[View], tick: Tick) -> Arrays:
    """Return the features of white cells by the name of each extractor, and "good", whether they were cut well."""
    good = np.zeros(len(images), np.float32)
    cells = np.empty((len(images), 3, images.dataset.size, images.dataset.size), np.uint8)
    for start in range(0, len(images), 32):
        part = slice(start, min(start + 32, len(images)))
        cells[part], good[part] = masked(images.pixels(part))
        tick(part.stop)
    return {"good": good, **{view.extractor.name: view.extractor(cells)["features"] for view in views}}
