"""Which generator is best, and whether the seeds let one say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from gansynth.metrics.estimate import mean_of_known
from gansynth.studies.catalogue import METRICS

RANKED = (
    ("KID",),
    ("FID",),
    ("KD-worse", "KD-cell"),
    ("recognised-worse", "F1"),
    ("coverage-cell",),
    ("diversity-worse", "diversity-cell"),
)
"""The questions whose ranks are averaged, each with the metrics that may answer it, the first that every recipe has:
distances, whether cells are what was asked for, and variety. Where judges of two families (small networks that learned
from cells, and one pretrained on natural images) answer, the worse of the two counts in each class
(`gansynth.studies.families.worse_of_both`): a generator pleases judges of its own kind. Similarity to paired images is
left out (blur wins it), and so is memorisation (noise wins it)."""

PRIMARY = ("KID", "KD-worse", "KD-cell")
"""The one metric that decides between two generators; the first that there is."""


@dataclass(frozen=True)
class Spread:
    """A metric over the seeds of one recipe.

    Attributes
    ----------
    values : tuple of float
        One for each seed.
    low, high : float
        From the lowest to the highest end of the seeds' intervals.
    floor, class_mean : float or None
        Means over the seeds of what real images, and the mean real image, score.
    n : int
        Images, for each seed.
    """

    values: tuple[float, ...]
    low: float
    high: float
    floor: float | None
    class_mean: float | None
    n: int

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return float(np.mean(self.values))

    @property
    def sd(self) -> float | None:
        """Standard deviation over the seeds; None with one seed."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else None

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON."""
        return {
            "mean": self.mean,
            "sd": self.sd,
            "values": list(self.values),
            "low": self.low,
            "high": self.high,
            "floor": self.floor,
            "class_mean": self.class_mean,
            "n": self.n,
        }


def spread(estimates: Sequence[Mapping[str, Any]]) -> Spread | None:
    """Gather one metric's estimates (as `Estimate.to_json` gives them), one for each seed; None where none has a
    value."""
    there = [one for one in estimates if one.get("value") is not None]
    if not there:
        return None
    ends = [one.get("interval") or [one["value"], one["value"]] for one in there]
    lows = [one["value"] if low is None else low for one, (low, _) in zip(there, ends, strict=True)]
    highs = [one["value"] if high is None else high for one, (_, high) in zip(there, ends, strict=True)]
    return Spread(
        values=tuple(float(one["value"]) for one in there),
        low=float(min(lows)),
        high=float(max(highs)),
        floor=mean_of_known([one.get("floor") for one in there]),
        class_mean=mean_of_known([one.get("class_mean") for one in there]),
        n=int(there[0]["n"]),
    )


def badness(metric: str, found: Spread) -> float:
    """Return a number that is the larger the worse, whichever way the metric goes."""
    return _badness(metric, found.mean, found.floor)


def clearly_better(metric: str, first: Spread, second: Spread) -> bool:
    """Whether every seed's interval of `first` lies on the better side of every seed's interval of `second`."""
    better = METRICS[metric].better
    if better == "nearer":
        floor = first.floor if first.floor is not None else second.floor
        if floor is None:
            return False
        return _furthest(first, floor) < _nearest(second, floor)
    return first.high < second.low if better == "lower" else first.low > second.high


def ranked_metrics(summary: Mapping[str, Mapping[str, Spread]]) -> list[str]:
    """Return the metric that answers each question of `RANKED`, where every recipe has one."""
    found = []
    for answers in RANKED:
        there = [m for m in answers if summary and all(m in of for of in summary.values())]
        found += there[:1]
    return found


def rank(summary: Mapping[str, Mapping[str, Spread]]) -> list[dict[str, Any]]:
    """Rank recipes by their mean rank over `RANKED`.

    Parameters
    ----------
    summary : mapping of recipe to (mapping of metric to Spread)

    Returns
    -------
    list of dict, best first
        "recipe", "mean_rank", "ranks" (metric to rank, 1 is best, ties share).
    """
    recipes = list(summary)
    ranks: dict[str, dict[str, float]] = {recipe: {} for recipe in recipes}
    for metric in ranked_metrics(summary):
        order = rankdata([badness(metric, summary[recipe][metric]) for recipe in recipes], method="average")
        for recipe, place in zip(recipes, order, strict=True):
            ranks[recipe][metric] = float(place)
    rows = [
        {"recipe": recipe, "mean_rank": mean_of_known(list(found.values())), "ranks": found}
        for recipe, found in ranks.items()
    ]
    return sorted(rows, key=lambda row: (row["mean_rank"] is None, row["mean_rank"], row["recipe"]))


def primary_metric(summary: Mapping[str, Mapping[str, Spread]]) -> str | None:
    """Return the metric that decides: the first of `PRIMARY` that every recipe has."""
    return next((m for m in PRIMARY if summary and all(m in found for found in summary.values())), None)


def best(metric: str, summary: Mapping[str, Mapping[str, Spread]]) -> dict[str, Any] | None:
    """Return the best recipe by one metric, the one after it, and whether the seeds tell them apart."""
    there = sorted(
        (recipe for recipe in summary if metric in summary[recipe]),
        key=lambda recipe: badness(metric, summary[recipe][metric]),
    )
    if not there:
        return None
    first, second = there[0], there[1] if len(there) > 1 else None
    return {
        "recipe": first,
        "metric": metric,
        "value": summary[first][metric].mean,
        "second": second,
        "clear": second is not None and clearly_better(metric, summary[first][metric], summary[second][metric]),
    }


def _badness(metric: str, value: float, floor: float | None) -> float:
    better = METRICS[metric].better
    if better == "nearer":
        return abs(value - floor) if floor is not None else -value
    return value if better == "lower" else -value


def _furthest(found: Spread, floor: float) -> float:
    return max(abs(found.low - floor), abs(found.high - floor))


def _nearest(found: Spread, floor: float) -> float:
    return 0.0 if found.low <= floor <= found.high else min(abs(found.low - floor), abs(found.high - floor))
