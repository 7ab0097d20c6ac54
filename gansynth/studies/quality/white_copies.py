"""Copies of the white cell alone: a known cell in front of other red cells is a copy, too.

A generator of few images may keep the cells it has seen and vary what lies around them; whole images are then no
copies of any, and the white cells are.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gansynth.metrics.appearance import appearance, nearest_in_any_orientation
from gansynth.metrics.estimate import Estimate, too_few
from gansynth.metrics.memorisation import copy_threshold
from gansynth.studies.quality.copies import counted
from gansynth.studies.quality.distances import Book
from gansynth.studies.quality.real_cache import Arrays, RealCache
from gansynth.studies.quality.sets import Images, Sets
from gansynth.studies.quality.stages import Stages, Tick
from gansynth.studies.quality.white_cells import FEWEST, MOST, SLIDE, masked

MOST_TRAINING = 400
"""Training images of a class up to which its white cells are looked for: each takes some 30 ms to cut out, and what
is learned by heart is what there is little of."""


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
