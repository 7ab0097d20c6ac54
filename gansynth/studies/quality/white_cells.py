"""The white cell alone: how much cells of one class vary without their surroundings, and which are copies.

A generator may move red cells and background about and draw the same white cell again and again; distances over the
whole image hide that. A generator of few images may keep the cells it has seen and vary what lies around them; whole
images are then not copies of any, and the white cells are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gansynth.cells.segmentation import segment_cell
from gansynth.metrics.appearance import appearance, nearest_in_any_orientation
from gansynth.metrics.diversity import mean_pairwise_distance
from gansynth.metrics.estimate import Estimate, too_few
from gansynth.metrics.linear_head import Standardisation
from gansynth.metrics.memorisation import copy_threshold
from gansynth.studies.quality.copies import counted
from gansynth.studies.quality.distances import Book
from gansynth.studies.quality.real_cache import Arrays, RealCache
from gansynth.studies.quality.sets import Images, Sets
from gansynth.studies.quality.stages import Stages, Tick
from gansynth.studies.quality.views import View

MOST = 60
"""Cells of a class that are cut out: each takes some 30 ms."""

FEWEST = 5
"""Cells of a class that were cut well, below which their variety is not spoken of."""

SLIDE = (236, 226, 224)
"""What stands in place of everything that is not the white cell: the colour of an empty slide, for all images alike."""

MOST_TRAINING = 400
"""Training images of a class up to which its white cells are looked for: each takes some 30 ms to cut out, and what
is learned by heart is what there is little of."""


def masked(images: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the white cell of each image on an empty slide, and whether the cut can be trusted.

    Parameters
    ----------
    images : uint8 array [n, 3, H, W]

    Returns
    -------
    (uint8 array [n, 3, H, W], bool array [n])
        An image whose cell could not be cut (`gansynth.cells.segmentation.segment_cell` says why) is all slide.
    """
    found = np.empty_like(images)
    found[:] = np.array(SLIDE, dtype=np.uint8)[:, None, None]
    good = np.zeros(len(images), dtype=bool)
    for i, image in enumerate(images):
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


def white_copies(sets: Sets, cache: RealCache, stages: Stages, seed: int) -> list[Book]:
    """Return, class by class, how many synthetic white cells nearly equal one of a training image.

    White cells are cut out, put on an empty slide and moved to its middle; then `appearance` compares them as it does
    whole images. The threshold is that of held-out white cells of the same class. At most `MOST` synthetic and
    held-out ones of each class are looked at, and all training ones.
    """
    n = len(sets.class_names)
    known = sets.training.counts(n)
    asked = np.where(known <= MOST_TRAINING, MOST, 0)
    held_out, made = (images.select(images.draw(asked, seed)) for images in (sets.held_out, sets.synthetic))
    training = sets.training.select(np.flatnonzero(known[sets.training.labels] <= MOST_TRAINING))
    of_training, of_held_out = _kept(training, cache, stages, "training"), _kept(held_out, cache, stages, "held-out")
    with stages("cutting out synthetic white cells for copies", len(made)) as tick:
        of_made = _looks(made, tick)
    books: list[Book] = []
    for c in range(n):
        if known[c] > MOST_TRAINING:
            note = f"more than {MOST_TRAINING} training images: not looked for"
            books.append({"copies-white": Estimate(None, 0, note=note)})
            continue
        mine, fresh, references = (
            looks["looks"][(images.labels == c) & (looks["good"] > 0)]
            for images, looks in ((made, of_made), (held_out, of_held_out), (training, of_training))
        )
        if min(len(mine), len(fresh)) < FEWEST or not len(references):
            few = min(len(mine), len(fresh), len(references))
            books.append({"copies-white": too_few(few, FEWEST, "copies of white cells that were cut out well")})
            continue
        of_fresh, distance = (nearest_in_any_orientation(looks, references)[0] for looks in (fresh, mine))
        threshold = copy_threshold(of_fresh)
        copies, real_copies = int((distance <= threshold).sum()), int((of_fresh <= threshold).sum())
        books.append({"copies-white": counted(copies, len(mine), real_copies, len(fresh))})
    return books


def sum_of(classes: list[Estimate]) -> Estimate:
    """Return the copies of all classes that were looked at together."""
    found = counted(int(sum(one.value or 0.0 for one in classes)), sum(one.n for one in classes), 0, 0)
    return replace(
        found, floor=sum(one.floor or 0.0 for one in classes), floor_n=sum(one.floor_n or 0 for one in classes)
    )


def _kept(images: Images, cache: RealCache, stages: Stages, name: str) -> Arrays:
    """Return the looks of real white cells, cut out once."""

    def make(folder: Path) -> None:
        with stages(f"cutting out white cells of {name} images", len(images)) as tick:
            for key, values in _looks(images, tick).items():
                np.save(folder / f"{key}.npy", values)

    return cache.arrays(("white-looks", images.fingerprint()), make)


def _looks(images: Images, tick: Tick) -> Arrays:
    """Return the "looks" of white cells [n, 3, e, e], and "good" [n], whether they were cut well."""
    good, parts = np.zeros(len(images), np.float32), []
    for start in range(0, len(images), 32):
        part = slice(start, min(start + 32, len(images)))
        cells, good[part] = masked(images.pixels(part))
        parts.append(appearance(centred(cells)))
        tick(part.stop)
    return {"good": good, "looks": np.concatenate(parts) if parts else appearance(images.pixels())}


def centred(cells: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return cut-out cells [n, 3, H, W], as `masked` gives them, moved to the middle of the slide."""
    found = cells.copy()
    for i, cell in enumerate(cells):
        there = np.argwhere((cell != np.array(SLIDE, np.uint8)[:, None, None]).any(axis=0))
        if len(there):
            middle = (np.array(cell.shape[1:]) - 1) / 2
            by = np.rint(middle - there.mean(axis=0)).astype(int)
            found[i] = np.roll(cell, tuple(by), axis=(1, 2))
    return found
