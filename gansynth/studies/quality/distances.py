"""Distances and manifold metrics of one extractor, over all classes and class by class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gansynth.errors import InputError
from gansynth.metrics.catalogue import Metric, TwoSets
from gansynth.metrics.estimate import Estimate, too_few
from gansynth.metrics.frechet import FEWEST as FEWEST_FD
from gansynth.metrics.frechet import frechet_distance, frechet_estimate
from gansynth.metrics.inception_score import inception_score, inception_score_estimate, splits_for
from gansynth.metrics.kernel_distance import FEWEST as FEWEST_KD
from gansynth.metrics.kernel_distance import kernel_distance, kernel_estimate
from gansynth.metrics.manifold import MOST, manifold_estimates, manifold_values
from gansynth.studies.quality.views import FloatArray, View

PUBLISHED_UP_TO = 500
"""Images up to which FID and KID are rounded as torch-fidelity rounds them; beyond, both agree to 1e-7 anyway."""

Book = dict[str, Estimate]
"""Numbers by the names of `gansynth.metrics.catalogue.METRICS`."""


def distances(view: View, suffix: str, only: int | None = None) -> Book:
    """Return the distances of synthetic to real images.

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
    # On few images torch-fidelity's own rounding shows in the sixth digit, and others compare with its FID and KID.
    published = not suffix and only is None and len(made) <= PUBLISHED_UP_TO
    kernel = kernel_estimate(made, real, name=second, as_published=published)
    frechet = frechet_estimate(made, real, name=first, as_published=published)
    return {
        second: _beside_real(view, kernel, only, kernel_distance, FEWEST_KD),
        first: _beside_real(view, frechet, only, frechet_distance, FEWEST_FD),
    }


def inception_score_of(view: View) -> Book:
    """Return IS of the synthetic images, with that of as many held-out real ones as its floor."""
    made, _ = view.pairs(array="logits")

    def of_real(_: FloatArray, held_out: FloatArray) -> float:
        return inception_score(held_out, splits=min(splits_for(len(made)), splits_for(len(held_out))))

    return {"IS": _beside_real(view, inception_score_estimate(made), None, of_real, FEWEST_KD, "logits")}


def manifold_of(view: View, suffix: str, only: int | None = None) -> Book:
    """Return improved precision and recall, density and coverage."""
    made, real = view.pairs(only)
    found = manifold_estimates(made, real)
    floor: dict[str, Any] = view.floor("manifold", only, lambda a, b: manifold_values(a, b), "features")
    n = min(MOST, _floor_n(view, only))
    return {
        f"{name}{suffix}": replace(one, floor=floor[name], floor_n=n) if one.value is not None and floor else one
        for name, one in found.items()
    }


def _beside_real(
    view: View,
    found: Estimate,
    only: int | None,
    compute: Callable[[FloatArray, FloatArray], float],
    fewest: int,
    array: str = "features",
) -> Estimate:
    """Add what real images score; it is computed once for a real set."""
    n = _floor_n(view, only)
    if found.value is None or n < fewest:
        return found
    return replace(found, floor=view.floor(compute.__name__, only, compute, array), floor_n=n)


def _floor_n(view: View, only: int | None) -> int:
    counts = view.floor_counts()
    return int(np.sum(counts) if only is None else counts[only])


def computed(view: View, metric: Metric, only: int | None = None) -> Book:
    """Compute a metric from its own function, beside what other real images score in place of the synthetic ones.

    Parameters
    ----------
    view : View
        In the features of the cell encoder.
    metric : Metric
        With `compute`.
    only : int, optional
        One class; default: all, with equally many images of each class on both sides.

    Raises
    ------
    InputError
        If the metric's function gives neither a number nor an `Estimate`.
    """
    made, real = view.two_sets(only), view.floor_sets(only)
    n, floor_n = len(made.images), len(real.images)
    if n < metric.fewest:
        return {metric.name: too_few(n, metric.fewest, metric.name)}
    found = _estimate(metric, made)
    if found.floor is None and found.value is not None and floor_n >= metric.fewest:
        found = replace(found, floor=_estimate(metric, real).value, floor_n=floor_n)
    return {metric.name: found}


def _estimate(metric: Metric, sets: TwoSets) -> Estimate:
    assert metric.compute is not None
    found = metric.compute(sets)
    if isinstance(found, Estimate):
        return found
    try:
        return Estimate(float(found), len(sets.images))
    except (TypeError, ValueError):
        raise InputError(
            f"metric '{metric.name}': its function gives {type(found).__name__}, neither a number nor an Estimate"
        ) from None
