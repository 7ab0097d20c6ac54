"""The white cell alone: how much cells of one class vary without their surroundings, and which are copies.

A generator may move red cells and background about and draw the same white cell again and again; distances over the
whole image hide that. A generator of few images may keep the cells it has seen and vary what lies around them; whole
images are then not copies of any, and the white cells are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gansynth.cells.segmentation import LEAST_EDGE, segment_cell
from gansynth.metrics.appearance import appearance, nearest_in_any_orientation
from gansynth.metrics.diversity import mean_pairwise_distance
from gansynth.metrics.estimate import Estimate, too_few
from gansynth.metrics.linear_head import Standardisation
from gansynth.metrics.memorisation import copy_threshold
from gansynth.studies.quality.copies import counted
from gansynth.studies.quality.distances import Book
from gansynth.studies.quality.real_cache import Arrays, RealCache
from gansynth.studies.quality.sets import Images, Sets
from gansynth.studies.quality.stages import Stages
from gansynth.studies.quality.views import View

MOST = 60
"""Cells of a class that are cut out: each takes some 30 ms."""

FEWEST = 5
"""Cells of a class that were cut well, below which their variety is not spoken of."""

SLIDE = (236, 226, 224)
"""What stands in place of everything that is not the white cell: the colour of an empty slide, for all images alike."""

MOST_TRAINING = 400
"""Training images of a class up to which its white cells are looked for: what is learned by heart is what there is
little of."""


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


class WhiteCells:
    """The white cells of some images, cut out the first time that they are asked for, and once.

    Parameters
    ----------
    images : Images
    stages : Stages
        Shows the cutting, which takes some 30 ms an image.
    name : str
        What images they are.
    """

    def __init__(self, images: Images, stages: Stages, name: str) -> None:
        self.images, self._stages, self._name = images, stages, name

    @cached_property
    def cut(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """As `masked` returns them: cells uint8 [n, 3, H, W], and 1 for each that was cut well, else 0 [n]."""
        n, edge = len(self.images), self.images.dataset.size
        cells, good = np.empty((n, 3, edge, edge), np.uint8), np.zeros(n, np.float32)
        with self._stages(f"cutting out white cells of {self._name} images", n) as tick:
            for start in range(0, n, 32):
                part = slice(start, min(start + 32, n))
                cells[part], good[part] = masked(self.images.pixels(part))
                tick(part.stop)
        return cells, good


@dataclass(frozen=True)
class WhiteSides:
    """White cells of both sides of a comparison, at most `MOST` of each class; variety and copies look at the same."""

    held_out: WhiteCells
    synthetic: WhiteCells

    @classmethod
    def of(cls, sets: Sets, stages: Stages, seed: int) -> WhiteSides:
        """Draw the images."""
        n = np.full(len(sets.class_names), MOST)
        sides = {"held-out": sets.held_out, "synthetic": sets.synthetic}
        return cls(*(WhiteCells(side.select(side.draw(n, seed)), stages, name) for name, side in sides.items()))


def white_diversity(views: Sequence[View], suffixes: Sequence[str], sides: WhiteSides) -> list[Book]:
    """Return, class by class, how much white cells vary in the features of each view; `floor` is that of real ones.

    As many real cells as synthetic ones are cut; badly cut ones are left out on both sides. Where a view is
    standardised, so are these features, by the real white cells.
    """
    first, real, made = views[0], sides.held_out.images, sides.synthetic.images
    key = (
        "white-cells",
        *(part for view in views for part in (view.extractor.name, view.extractor.sha256)),
        real.fingerprint(),
    )
    of_real = first.cache.computed(key, lambda: _features(sides.held_out, views))
    of_made = _features(sides.synthetic, views)
    books: list[Book] = [{} for _ in range(first.n_classes)]
    for view, suffix in zip(views, suffixes, strict=True):
        x, y = of_real[view.extractor.name], of_made[view.extractor.name]
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


def _features(white: WhiteCells, views: Sequence[View]) -> Arrays:
    """Return the features of white cells by the name of each extractor, and "good", whether they were cut well."""
    cells, good = white.cut
    return {"good": good, **{view.extractor.name: view.extractor(cells)["features"] for view in views}}


def white_copies(sets: Sets, cache: RealCache, stages: Stages, sides: WhiteSides) -> list[Book]:
    """Return, class by class, how many synthetic white cells nearly equal one of a training image.

    White cells are cut out, put on an empty slide and moved to its middle; then `appearance` compares them as it does
    whole images. The threshold is that of held-out white cells of the same class. All training ones of a class are
    looked at, up to `MOST_TRAINING`.
    """
    n = len(sets.class_names)
    known = sets.training.counts(n)
    training = sets.training.select(np.flatnonzero(known[sets.training.labels] <= MOST_TRAINING))
    held_out, made = sides.held_out.images, sides.synthetic.images
    of_training = _kept(WhiteCells(training, stages, "training"), cache)
    of_held_out, of_made = _kept(sides.held_out, cache), _looks(sides.synthetic)
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


def _kept(white: WhiteCells, cache: RealCache) -> Arrays:
    """Return the looks of real white cells, computed once."""
    return cache.computed(("white-looks", white.images.fingerprint()), lambda: _looks(white))


def _looks(white: WhiteCells) -> Arrays:
    """Return the "looks" of white cells [n, 3, e, e], and "good" [n], whether they were cut well."""
    cells, good = white.cut
    return {"good": good, "looks": appearance(centred(cells))}


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
