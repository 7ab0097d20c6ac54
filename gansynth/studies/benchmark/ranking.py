"""Which generator is best, and whether the seeds let one say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from gansynth.files.json_object import JsonObject
from gansynth.metrics.catalogue import METRICS, Question, answering
from gansynth.metrics.estimate import Estimate, mean_of_known

PRIMARY = ("KID", "KD-worse", "KD-cell")
"""The one metric that decides between two generators; the first that there is."""


@dataclass(frozen=True)
class Spread(JsonObject):
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
        return {"mean": self.mean, "sd": self.sd, **super().to_json()}


@dataclass(frozen=True)
class Place(JsonObject):
    """A recipe in the ranking: `ranks` by metric (1 is best, ties share), and their mean."""

    recipe: str
    mean_rank: float | None
    ranks: dict[str, float]


@dataclass(frozen=True)
class Lead(JsonObject):
    """The best recipe by one metric, its value, the recipe after it, and whether it is clearly better than that one."""

    recipe: str
    metric: str
    value: float
    second: str | None
    clear: bool


def spread(estimates: Sequence[Estimate]) -> Spread | None:
    """Gather one metric's estimates, one for each seed; None where none has a value."""
    there = [(one.value, one.interval or (one.value, one.value)) for one in estimates if one.value is not None]
    if not there:
        return None
    first = next(one for one in estimates if one.value is not None)
    return Spread(
        values=tuple(float(value) for value, _ in there),
        low=float(min(low for _, (low, _) in there)),
        high=float(max(high for _, (_, high) in there)),
        floor=mean_of_known([one.floor for one in estimates if one.value is not None]),
        class_mean=mean_of_known([one.class_mean for one in estimates if one.value is not None]),
        n=first.n,
    )


def badness(metric: str, found: Spread) -> float:
    """Return a number that is the larger the worse, whichever way the metric goes."""
    return _badness(metric, found.mean, found.floor)


def clearly_better(metric: str, first: Spread, second: Spread) -> bool:
    """Whether every seed's interval of `first` lies on the better side of every seed's interval of `second`.

    Never where one of them has a single seed: how far another training would differ is then unknown.
    """
    if min(len(first.values), len(second.values)) < 2:
        return False
    better = METRICS[metric].better
    if better == "nearer":
        floor = first.floor if first.floor is not None else second.floor
        if floor is None:
            return False
        return _furthest(first, floor) < _nearest(second, floor)
    return first.high < second.low if better == "lower" else first.low > second.high


def has_not_learned(found: Mapping[str, Spread]) -> bool:
    """Whether a recipe's generators have not learned their classes yet, so that no rank says anything of the method.

    So it is where fewer than half as many of their cells as of real ones are recognised for what they were asked for;
    where nothing recognises them, where a distance is more than 20 times that of real images.
    """
    recall = found.get("recall")
    if recall is not None and recall.floor is not None:
        return recall.mean < 0.5 * recall.floor
    distances = [found[m] for m in (*PRIMARY, "FID", "FD-cell") if m in found]
    return any(one.floor is not None and one.floor > 0 and one.mean > 20 * one.floor for one in distances)


def ranked_metrics(summary: Mapping[str, Mapping[str, Spread]]) -> list[str]:
    """Return the metric that answers each `Question`: the first that every recipe has.

    Where judges of two families answer (small networks that learned from cells, and one pretrained on natural images),
    the worse of the two counts in each class (`gansynth.studies.quality.families.worse_of_both`): a generator pleases
    judges of its own kind.
    """
    found = []
    for question in Question:
        there = [m for m in answering(question) if summary and all(m in of for of in summary.values())]
        found += there[:1]
    return found


def rank(summary: Mapping[str, Mapping[str, Spread]]) -> list[Place]:
    """Rank recipes by their mean rank over the `ranked_metrics`, best first, and equal ones by the `primary_metric`.

    Parameters
    ----------
    summary : mapping of recipe to (mapping of metric to Spread)
    """
    recipes = list(summary)
    ranks: dict[str, dict[str, float]] = {recipe: {} for recipe in recipes}
    for metric in ranked_metrics(summary):
        order = rankdata([badness(metric, summary[recipe][metric]) for recipe in recipes], method="average")
        for recipe, place in zip(recipes, order, strict=True):
            ranks[recipe][metric] = float(place)
    places = [Place(recipe, mean_of_known(list(found.values())), found) for recipe, found in ranks.items()]
    primary = primary_metric(summary)

    def order_of(one: Place) -> tuple[bool, float, float, str]:
        first = 0.0 if primary is None else badness(primary, summary[one.recipe][primary])
        return one.mean_rank is None, one.mean_rank or 0.0, first, one.recipe

    return sorted(places, key=order_of)


def primary_metric(summary: Mapping[str, Mapping[str, Spread]]) -> str | None:
    """Return the metric that decides: the first of `PRIMARY` that every recipe has."""
    return next((m for m in PRIMARY if summary and all(m in found for found in summary.values())), None)


def best(metric: str, summary: Mapping[str, Mapping[str, Spread]]) -> Lead | None:
    """Return the best recipe by one metric and the one after it; None where no recipe has the metric."""
    there = sorted(
        (recipe for recipe in summary if metric in summary[recipe]),
        key=lambda recipe: badness(metric, summary[recipe][metric]),
    )
    if not there:
        return None
    first, second = there[0], there[1] if len(there) > 1 else None
    clear = second is not None and clearly_better(metric, summary[first][metric], summary[second][metric])
    return Lead(first, metric, summary[first][metric].mean, second, clear)


def _badness(metric: str, value: float, floor: float | None) -> float:
    better = METRICS[metric].better
    if better == "nearer":
        return abs(value - floor) if floor is not None else -value
    return value if better == "lower" else -value


def _furthest(found: Spread, floor: float) -> float:
    return max(abs(found.low - floor), abs(found.high - floor))


def _nearest(found: Spread, floor: float) -> float:
    return 0.0 if found.low <= floor <= found.high else min(abs(found.low - floor), abs(found.high - floor))
