"""Metrics that compute themselves: those of other packages, and any that needs no pass of its own over the images."""

from __future__ import annotations

from dataclasses import replace

from gansynth.errors import InputError
from gansynth.metrics.catalogue import Metric, TwoSets
from gansynth.metrics.estimate import Estimate, too_few
from gansynth.studies.quality.distances import Book
from gansynth.studies.quality.views import View


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
