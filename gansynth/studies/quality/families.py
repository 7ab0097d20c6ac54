"""Judges of two families: small networks that learned from cells, and networks pretrained on natural images.

A generator pleases judges of its own kind. So the same questions are asked of both families, with the same real cells
beside the answer: held-out ones as they are, as JPEG, and blurred.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansynth.metrics.classifier_scores import classifier_scores
from gansynth.metrics.estimate import Estimate, too_few
from gansynth.metrics.kernel_distance import FEWEST, kernel_distance
from gansynth.metrics.linear_head import LinearHead, Standardisation, fit_linear_head
from gansynth.studies.quality.controls import CONTROLS, TITLES
from gansynth.studies.quality.distances import Book, distances
from gansynth.studies.quality.features import synthetic_features
from gansynth.studies.quality.real_cache import Arrays
from gansynth.studies.quality.sets import Rows
from gansynth.studies.quality.similarity import diversity
from gansynth.studies.quality.views import View

MOST_SPOILED = 100
"""Real cells of a class that are spoiled as a control: the same ones, however many synthetic cells there are."""

ONE_CLASS = "there is one class: nothing to distinguish"

Assign = Callable[[Mapping[str, NDArray[np.float32]]], NDArray[np.int64]]
"""A view's arrays to the class of each image, 0..C-1, or C for a class outside the comparison."""

Books = tuple[Book, list[Book]]
"""Numbers over all classes, and of each."""


def cell_judge(names: Sequence[str], encoder_names: Sequence[str]) -> Assign | None:
    """Return what the cell encoder's classifier says; None where there is one class.

    A class outside the comparison is a wrong answer, whichever it is.
    """
    if len(names) < 2:
        return None
    column = np.array([list(names).index(name) if name in names else len(names) for name in encoder_names])
    return lambda arrays: column[arrays["logits"].argmax(axis=1)]


def judged(view: View, suffix: str) -> tuple[Books, dict[str, Books]]:
    """Ask a pretrained judge everything about whole images: distances, shares recognised, diversity, and the same of
    spoiled real cells (see `controls`)."""
    head = linear_judge(view)
    overall, classes = recognised(view, head, suffix)
    overall |= distances(view, suffix)
    for c, book in enumerate(classes):
        book |= distances(view, suffix, c) | diversity(view, c, suffix)
    assign: Assign | None = None if head is None else lambda arrays: head(arrays["features"])
    rows = controls(view, assign, view.pool.judging, f"recognised{suffix}", f"KD{suffix}")
    return (overall, classes), rows


def linear_judge(view: View) -> LinearHead | None:
    """Return the linear classifier in a pretrained network's features, learned once for a real set; None where there
    is one class."""
    if view.n_classes < 2:
        return None
    learned = view.pool.learned

    def learn() -> Arrays:
        head = fit_linear_head(view.real["features"][learned], view.pool.images.labels[learned], view.n_classes)
        return {**vars(head.standardise), "weight": head.weight, "bias": head.bias}

    key = ("linear-head", len(learned), len(view.pool.judging), *view.key)
    held = view.cache.computed(key, learn)
    return LinearHead(Standardisation(held["mean"], held["scale"]), held["weight"], held["bias"])


def recognised(view: View, head: LinearHead | None, suffix: str) -> Books:
    """Return the share of synthetic cells that the linear judge gives the class they were made for, beside that of the
    real cells that neither it nor the generator has learned from."""
    name = f"recognised{suffix}"
    if head is None:
        nothing = Estimate(None, 0, note=ONE_CLASS)
        return {name: nothing}, [{name: nothing} for _ in range(view.n_classes)]
    judging = view.pool.judging
    scores = classifier_scores(
        head(view.synthetic["features"]),
        view.sets.synthetic.labels,
        head(view.real["features"][judging]),
        view.pool.images.labels[judging],
        view.n_classes,
        seed=view.seed,
    )
    return {name: scores.overall["recall"]}, [{name: book["recall"]} for book in scores.per_class]


def controls(view: View, assign: Assign | None, judging: Rows, recall: str, distance: str) -> dict[str, Books]:
    """Ask the same of real cells that were spoiled a little.

    Parameters
    ----------
    view : View
    assign : callable or None
        The judge's classes; None where there is one class.
    judging : int64 array
        Positions in the pool of the real cells that it is judged by.
    recall, distance : str
        What the two numbers are called.

    Returns
    -------
    dict of control to books
        Share recognised; and the kernel distance of spoiled training images from held-out ones. Of each class at most
        `MOST_SPOILED`: the kernel distance is unbiased at any number.
    """
    images, n = view.pool.images, np.full(view.n_classes, MOST_SPOILED)
    shown, others, held_out = (
        part[images.select(part).draw(n, view.seed)] for part in (judging, view.pool.others, view.pool.held_out)
    )
    found = {}
    for control in CONTROLS:
        spoiled = _spoiled(view, control, np.union1d(shown, others))
        of_shown, of_others = (np.searchsorted(np.union1d(shown, others), part) for part in (shown, others))
        overall, classes = _kernel(view, control, spoiled["features"], of_others, others, held_out, distance)
        if assign is not None:
            assigned = assign({name: values[of_shown] for name, values in spoiled.items()})
            scores = classifier_scores(
                assigned, images.labels[shown], assigned, images.labels[shown], view.n_classes, seed=view.seed
            )
            overall[recall] = replace(scores.overall["recall"], floor=None, floor_n=None)
            for book, one in zip(classes, scores.per_class, strict=True):
                book[recall] = replace(one["recall"], floor=None, floor_n=None)
        found[control] = overall, classes
    return found


def _spoiled(view: View, control: str, positions: Rows) -> Arrays:
    """Return the features of spoiled real cells, computed once."""
    images = view.pool.images.select(positions)

    def altered(pixels: NDArray[np.uint8]) -> Arrays:
        return view.extractor(CONTROLS[control].alter(pixels))

    def compute() -> Arrays:
        with view.stages(f"{view.extractor.name} features of {TITLES[control]}", len(images)) as tick:
            return synthetic_features(images, altered, tick)

    key = ("control", control, view.extractor.name, view.extractor.sha256, images.fingerprint())
    held = view.cache.computed(key, compute)
    if view.standardise is None:
        return held
    return {**held, "features": view.standardise(held["features"])}


def _kernel(
    view: View,
    control: str,
    spoiled: NDArray[np.float32],
    of_others: Rows,
    others: Rows,
    held_out: Rows,
    name: str,
) -> Books:
    labels = view.pool.images.labels

    def distances_of_each() -> list[list[Any]]:
        rows = []
        for only in (None, *range(view.n_classes)):
            mine, theirs = (part if only is None else part[labels[part] == only] for part in (others, held_out))
            x = spoiled[of_others if only is None else of_others[labels[others] == only]]
            enough = min(len(mine), len(theirs)) >= FEWEST
            rows.append([kernel_distance(x, view.real["features"][theirs]) if enough else None, len(mine)])
        return rows

    key = ("control-kernel", control, MOST_SPOILED, *view.key)
    found = [
        Estimate(value, n) if value is not None else too_few(n, FEWEST, name)
        for value, n in view.cache.numbers(key, distances_of_each)
    ]
    return {name: found[0]}, [{name: one} for one in found[1:]]


def worse_of_both(classes: Sequence[Book], jpeg: Sequence[Book], pretrained: str) -> list[Book]:
    """Return, class by class, the worse of the two families on each question, in units that both share.

    * "recognised-worse" and "diversity-worse": as a share of what real cells score, at most 1.
    * "KD-worse": as a multiple of the distance of real cells saved as JPEG of quality 60, which a person hardly sees.

    Parameters
    ----------
    classes : sequence of Book
        The numbers of each class.
    jpeg : sequence of Book
        Those of real cells as JPEG (`controls`).
    pretrained : str
        What the names of the second family end with, such as "-lite2".
    """
    found = []
    for book, spoiled in zip(classes, jpeg, strict=True):
        recall = [_share(book.get(name)) for name in ("recall", f"recognised{pretrained}")]
        variety = [_share(book.get(name)) for name in ("diversity-white-cell", f"diversity-white{pretrained}")]
        distance = [_multiple(book.get(name), spoiled.get(name)) for name in ("KD-cell", f"KD{pretrained}")]
        found.append(
            {
                "recognised-worse": _worse(recall, min),
                "diversity-worse": _worse(variety, min),
                "KD-worse": _worse(distance, max),
            }
        )
    return found


def _worse(pair: Sequence[Estimate], choose: Callable[..., Estimate]) -> Estimate:
    unknown = [one for one in pair if one.value is None]
    return unknown[0] if unknown else choose(pair, key=lambda one: one.value)


def _multiple(found: Estimate | None, spoiled: Estimate | None) -> Estimate:
    if found is None or found.value is None or spoiled is None or spoiled.value is None or spoiled.value <= 0:
        why = found.note if found is not None and found.note else "there is no distance of real cells as JPEG beside it"
        return Estimate(None, 0 if found is None else found.n, note=why)
    ends = found.interval and (found.interval[0] / spoiled.value, found.interval[1] / spoiled.value)
    floor = None if found.floor is None else found.floor / spoiled.value
    return Estimate(found.value / spoiled.value, found.n, ends, floor=floor, floor_n=found.floor_n)


def _share(found: Estimate | None) -> Estimate:
    if found is None or found.value is None or not found.floor:
        why = found.note if found is not None and found.note else "real cells score nothing to compare with"
        return Estimate(None, 0 if found is None else found.n, note=why)
    low, high = found.interval or (found.value, found.value)
    ends = (min(low / found.floor, 1.0), min(high / found.floor, 1.0))
    return Estimate(min(found.value / found.floor, 1.0), found.n, ends, floor=1.0, floor_n=found.floor_n)
