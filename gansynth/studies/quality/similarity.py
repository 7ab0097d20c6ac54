"""Matched similarity and diversity, class by class, and their means over the classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansynth.metrics.diversity import Diversity, mean_pairwise_distance
from gansynth.metrics.estimate import Estimate, mean_of_known, too_few
from gansynth.metrics.lpips_distance import Trunk, lpips_diversity
from gansynth.metrics.matched_similarity import matched_similarity
from gansynth.metrics.matching import Pairing
from gansynth.studies.quality.sets import Images
from gansynth.studies.quality.views import View

Book = dict[str, Estimate]

MOST_MATCHED = 200
"""Images on either side of one matching: its cost grows with the cube."""
MOST_READ = 1000
"""Images of a class that are looked at, drawn at random from more."""
MOST_DIVERSITY = 500


def similarity(view: View, only: int, pairing: Pairing, lpips: Trunk | None, lpips_sha256: str) -> Book:
    """Return LPIPS, PSNR, SSIM, MS-SSIM, l1, l2 of one class: matched by the view's features, beside real and mean
    images."""
    made = _of_class(view.sets.synthetic, only, view.seed)
    pool, images = view.pool, view.pool.images
    held_out = _positions(images, pool.held_out, only, view.seed)
    others = _positions(images, pool.others, only, view.seed)
    n = min(len(made), len(held_out), MOST_MATCHED)
    real, real_features = images.pixels(held_out), view.real["features"][held_out]
    nothing = np.zeros((0, *real.shape[1:]), np.uint8), np.zeros((0, real_features.shape[1]), np.float32)
    found = matched_similarity(
        view.sets.synthetic.pixels(made), real, nothing[0], view.synthetic["features"][made], real_features, nothing[1],
        pairing=pairing, most=n, seed=view.seed, lpips=lpips,
    )  # fmt: skip

    def real_side() -> dict[str, Any]:
        other, features = images.pixels(others), view.real["features"][others]
        scores = matched_similarity(
            other, real, other, features, real_features, features,
            pairing=pairing, most=n, seed=view.seed, lpips=lpips,
        )  # fmt: skip
        return {name: one.to_json() for name, one in scores.items()}

    key = ("similarity", only, n, pairing, lpips_sha256 if lpips is not None else "", *view.key)
    floor = view.cache.numbers(key, real_side)
    return {name: _beside(one, floor.get(name)) for name, one in found.items()}


def diversity(view: View, only: int, suffix: str = "-cell") -> Book:
    """Return the mean distance between two images of a class in the view's features; `floor` is that of real ones."""
    made = _of_class(view.sets.synthetic, only, view.seed, MOST_DIVERSITY)
    held_out = _positions(view.pool.images, view.pool.held_out, only, view.seed, MOST_DIVERSITY)
    found = mean_pairwise_distance(view.synthetic["features"][made])
    real = view.cache.numbers(
        ("diversity", only, *view.key),
        lambda: (
            mean_pairwise_distance(view.real["features"][held_out], resamples=0).value if len(held_out) > 1 else None
        ),
    )
    return {f"diversity{suffix}": _of_diversity(found, real, len(held_out))}


def perceptual_diversity(view: View, only: int, lpips: Trunk, lpips_sha256: str) -> Book:
    """Return the mean LPIPS between two images of a class; `floor` is that of real ones."""
    made = _of_class(view.sets.synthetic, only, view.seed, MOST_MATCHED)
    held_out = _positions(view.pool.images, view.pool.held_out, only, view.seed, MOST_MATCHED)

    def real_side() -> float | None:
        found = lpips_diversity(lpips(view.pool.images.pixels(held_out)), resamples=0)
        return found.value if np.isfinite(found.value) else None

    real = view.cache.numbers(("LPIPS-diversity", only, lpips_sha256, *view.key), real_side)
    found = lpips_diversity(lpips(view.sets.synthetic.pixels(made)))
    return {"LPIPS-diversity": _of_diversity(found, real, len(held_out))}


def mean_over_classes(books: Sequence[Book], names: Sequence[str]) -> Book:
    """Return the mean of each metric over the classes that have it; every class weighs the same.

    The interval takes the classes' errors as independent.
    """
    found: Book = {}
    for name in names:
        there = [book[name] for book in books if name in book and book[name].value is not None]
        if not there:
            why = next((book[name].note for book in books if name in book), "")
            found[name] = Estimate(None, 0, note=why) if why else too_few(0, 2, name)
            continue
        value = float(np.mean([one.value for one in there if one.value is not None]))
        half = [
            [max(0.0, (one.value or 0.0) - one.interval[0]), max(0.0, one.interval[1] - (one.value or 0.0))]
            for one in there
            if one.interval is not None
        ]
        below, above = np.sqrt(np.square(half).sum(axis=0)) / len(there) if len(half) == len(there) else (None, None)
        found[name] = Estimate(
            value,
            sum(one.n for one in there),
            None if below is None or above is None else (value - float(below), value + float(above)),
            floor=mean_of_known([one.floor for one in there]),
            floor_n=sum(one.floor_n or 0 for one in there),
            class_mean=mean_of_known([one.class_mean for one in there]),
            note="" if len(there) == len(books) else f"mean over {len(there)} of {len(books)} classes",
        )
    return found


def _of_diversity(found: Diversity, real: float | None, n: int) -> Estimate:
    if not np.isfinite(found.value):
        return too_few(found.n, 2, "diversity")
    known = np.isfinite(found.interval).all()
    return Estimate(found.value, found.n, found.interval if known else None, floor=real, floor_n=n)


def _beside(found: Estimate, real: dict[str, Any] | None) -> Estimate:
    if found.value is None or not real:
        return found
    return replace(found, floor=real["value"], floor_n=real["n"], class_mean=real.get("class_mean"))


def _of_class(images: Images, only: int, seed: int, most: int = MOST_READ) -> NDArray[np.int64]:
    counts = np.where(np.arange(only + 1) == only, most, 0)
    return images.draw(counts, seed)


def _positions(
    images: Images, positions: NDArray[np.int64], only: int, seed: int, most: int = MOST_READ
) -> NDArray[np.int64]:
    return positions[_of_class(images.select(positions), only, seed, most)]
