"""What an estimate allows a page to claim: whether it is worse than real images score, and by how much."""

from __future__ import annotations

from collections.abc import Mapping

from gansynth.metrics.agreement import wilson_interval
from gansynth.metrics.catalogue import METRICS
from gansynth.metrics.estimate import Estimate


def first_of(names: tuple[str, ...], metrics: Mapping[str, Estimate]) -> str | None:
    """Return the first of `names` that has a value, or None."""
    return next((name for name in names if name in metrics and metrics[name].value is not None), None)


def shortfall(metric: str, estimate: Estimate) -> float | None:
    """Return how far the value is from that of real images, in the metric's bad direction; 0 where it is better.

    Parameters
    ----------
    metric : str
        A name of the catalogue, which says which direction is bad.
    estimate : Estimate

    Returns
    -------
    float or None
        In the metric's unit; None without a value or a floor.
    """
    if estimate.value is None or estimate.floor is None:
        return None
    return _beyond(metric, estimate.value, estimate.floor)


def is_worse_than_real(metric: str, estimate: Estimate) -> bool:
    """Say whether the 95% interval lies wholly on the bad side of what real images score.

    Without an interval, or without a floor, nothing is claimed. The floor of a share was itself counted on few
    images: its own interval must be cleared too.
    """
    if estimate.value is None or estimate.floor is None or estimate.interval is None:
        return False
    low, high = estimate.interval
    floor_low, floor_high = floor_interval(metric, estimate)
    if low <= floor_high and floor_low <= high:
        return False
    return _beyond(metric, estimate.value, estimate.floor) > 0


def floor_interval(metric: str, estimate: Estimate) -> tuple[float, float]:
    """Return the 95% Wilson interval of a share of real images, or the floor twice where it is not a simple share."""
    assert estimate.floor is not None
    if not METRICS[metric].counted_floor or not estimate.floor_n:
        return estimate.floor, estimate.floor
    low, high = wilson_interval(estimate.floor * estimate.floor_n, estimate.floor_n)
    return float(low), float(high)


def _beyond(metric: str, value: float, floor: float) -> float:
    better = METRICS[metric].better
    if better == "lower":
        return max(value - floor, 0.0)
    return max(floor - value, 0.0) if better == "higher" else abs(value - floor)
