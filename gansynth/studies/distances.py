"""Distances and manifold metrics of one extractor, over all classes and class by class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansynth.metrics.estimate import Estimate
from gansynth.metrics.frechet import frechet_distance, frechet_estimate
from gansynth.metrics.inception_score import inception_score_estimate
from gansynth.metrics.kernel_distance import kernel_estimate
from gansynth.metrics.manifold import manifold_estimates
from gansynth.studies.views import FloatArray, View

Book = dict[str, Estimate]


def distances(view: View, suffix: str, only: int | None = None) -> Book:
    """Return the distances of synthetic to real images, by name.

    Parameters
    ----------
    view : View
    suffix : str
        "" for Inception's features (FID, KID), else "-cell" or "-dinobloom" (FD, KD).
    only : int, optional
        One class; default: all, with equally many images of each class on both sides.
    """
    first, second = ("FID", "KID") if not suffix else (f"FD{suffix}", f"KD{suffix}")
    made, real = view.pairs(only)
    found = {
        second: kernel_estimate(made, real, seed=view.seed, name=second),
        first: frechet_estimate(made, real, seed=view.seed, name=first),
    }
    floors = {
        second: lambda a, b: kernel_estimate(a, b, seed=view.seed, resamples=0, name=second).value,
        first: lambda a, b: frechet_distance(a, b) if len(a) > 1 else None,
    }
    return {name: _with_floor(view, name, one, only, floors[name]) for name, one in found.items()}


def inception_score(view: View) -> Book:
    """Return IS of the synthetic images, with that of as many real ones as its floor."""
    made, _ = view.pairs(array="logits")
    found = inception_score_estimate(made, seed=view.seed)
    return {
        "IS": _with_floor(
            view, "IS", found, None, lambda a, b: inception_score_estimate(b, seed=view.seed).value, array="logits"
        )
    }


def manifold(view: View, suffix: str, only: int | None = None, most: int = 1000) -> Book:
    """Return improved precision and recall, density and coverage, by name."""
    made, real = (_capped(part, most) for part in view.pairs(only))
    found = manifold_estimates(made, real, seed=view.seed)

    def real_scores(a: FloatArray, b: FloatArray) -> dict[str, Any]:
        scores = manifold_estimates(_capped(a, most), _capped(b, most), seed=view.seed, resamples=0)
        return {name: one.to_json()["value"] for name, one in scores.items()}

    floor = view.floor("manifold", only, real_scores, "features")
    n = min(int(view.floor_counts()[only] if only is not None else view.floor_counts().sum()), most)
    return {
        f"{name}{suffix}": replace(one, floor=floor.get(name), floor_n=n) if one.value is not None else one
        for name, one in found.items()
    }


def _with_floor(
    view: View,
    name: str,
    found: Estimate,
    only: int | None,
    compute: Callable[[FloatArray, FloatArray], float | None],
    array: str = "features",
) -> Estimate:
    if found.value is None:
        return found
    counts = view.floor_counts()
    n = int(counts.sum() if only is None else counts[only])
    return replace(found, floor=view.floor(name, only, compute, array), floor_n=n) if n > 1 else found


def _capped(features: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """Return a regular sample of at most `most` rows: classes keep their shares, and memory does not grow."""
    if len(features) <= most:
        return np.asarray(features)
    return np.asarray(features[np.linspace(0, len(features) - 1, most).round().astype(np.int64)])
