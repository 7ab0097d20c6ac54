"""What the quality page says in words, for a reader who knows cells and no statistics."""

from __future__ import annotations

from gansynth.metrics.catalogue import DIVERSITIES, LEADING, SECOND_JUDGES
from gansynth.metrics.estimate import Estimate
from gansynth.report.judgement import first_of, is_worse_than_real
from gansynth.report.numbers import interval, listed, number
from gansynth.studies.quality.result import Quality

_REASONS = {
    ("recall", False): "are recognised less often",
    ("recognised", False): "lack the texture that a pretrained network looks for",
    ("recognised", True): "are more typical to a pretrained network, too",
    ("recall", True): "are more typical",
    ("distance", True): "lie apart in their features",
    ("variety", False): "vary less",
    ("variety", True): "vary more",
    ("copies", True): "hold copies of training images",
}
"""What can be wrong with an aspect of the images, below or above what real ones score."""


def verdict(results: Quality) -> str:
    """Say in a few sentences how the synthetic images compare with real ones, and no more than the intervals allow."""
    if not spoken(results):
        return "Nothing could be measured here; the notes under the table say what is missing."
    return " ".join([_summary(results), *_recognised(results)])


def findings(results: Quality) -> list[str]:
    """Return what the verdict rests on, a sentence each: weak classes, distance, diversity, copies, where measured."""
    return [*_behind(results), *_distance(results), *_diversity(results), *_copies(results)]


def key_figures(results: Quality) -> list[tuple[str, str]]:
    """Return the few numbers a reader takes away, each with the question that it answers, then its name."""
    return [*_recognised_tiles(results), *_distance_tile(results), *_variety_tile(results), *_copies_tile(results)]


def _recognised_tiles(results: Quality) -> list[tuple[str, str]]:
    tiles, recall = [], _measured(results, "recall")
    if recall:
        real = "" if recall.floor is None else f"; of real cells {number('recall', recall.floor)}"
        sure = f" ({interval('recall', recall)})" if recall.interval else ""
        what = f"recognised as their class, of {recall.n:,} synthetic cells{sure}{real}"
        tiles.append((number("recall", recall.value), what))
    second = first_of(SECOND_JUDGES, results.metrics)
    if second:
        seen, worse = results.metrics[second], _measured(results, "recognised-worse")
        what = "recognised by a network pretrained on photographs"
        what += "" if seen.floor is None else f"; of real cells {number(second, seen.floor)}"
        if worse:
            what += f"; of each class the worse of both judges, as a share of real: {worse.value:.0%}"
        tiles.append((number(second, seen.value), what))
    return tiles


def _distance_tile(results: Quality) -> list[tuple[str, str]]:
    leading = first_of(LEADING, results.metrics)
    if not leading:
        return []
    distance = results.metrics[leading]
    beside = (distance.value, *(distance.interval or ()))
    what = "how far from real cells"
    what += "" if distance.floor is None else f"; real ones from each other {number(leading, distance.floor, *beside)}"
    what += f" ({leading})"
    if min(distance.value or 0.0, distance.floor or 0.0) < 0:
        what += "; below zero is chance around zero, for this distance is unbiased"
    return [(number(leading, *beside), what)]


def _variety_tile(results: Quality) -> list[tuple[str, str]]:
    name = first_of(DIVERSITIES, results.metrics)
    if not name or not results.metrics[name].floor:
        return []
    return [(f"{_ratio(results.metrics[name]):.0%}", f"as varied as real cells of one class ({name})")]


def _copies_tile(results: Quality) -> list[tuple[str, str]]:
    copies = _measured(results, "copies")
    if not copies:
        return []
    others = "" if copies.floor is None else f"; among as many real ones {number('copies', copies.floor)}"
    what = f"copies of training images among {copies.n:,} synthetic ones{others}"
    return [(number("copies", copies.value), what)]


def weak_classes(results: Quality) -> list[str]:
    """Return the classes recognised less often than real ones, the furthest behind first.

    Only those whose 95% interval lies wholly below the share of real cells of the class.
    """
    behind = []
    for name in results.class_names:
        recall = results.classes[name].get("recall")
        if recall is None or recall.value is None or recall.floor is None:
            continue
        if is_worse_than_real("recall", recall) and recall.value < recall.floor:
            behind.append((recall.value - recall.floor, name))
    return [name for _, name in sorted(behind)]


def spoken(results: Quality) -> list[str]:
    """Return the metrics that the verdict and its findings speak of."""
    leading, variety = first_of(LEADING, results.metrics), first_of(DIVERSITIES, results.metrics)
    second = first_of(SECOND_JUDGES, results.metrics)
    return [name for name in ("recall", second, leading, variety, "copies") if name and _measured(results, name)]


def _summary(results: Quality) -> str:
    found = spoken(results)
    reasons = [
        _REASONS[_aspect(name), _above(results.metrics[name])]
        for name in found
        if is_worse_than_real(name, results.metrics[name])
    ]
    if results.about.memorisation.alarm:
        reasons.append("lie too near to the training images")
    if reasons:
        return f"These synthetic cells can be distinguished from real ones: they {listed(reasons)}."
    if not any(results.metrics[name].interval and results.metrics[name].floor is not None for name in found):
        return "Whether these synthetic cells differ from real ones cannot be said: no number has an interval."
    return "With these numbers of images, no difference between the synthetic cells and real ones could be shown."


def _aspect(name: str) -> str:
    """The part that a metric plays in the verdict."""
    if name in LEADING:
        return "distance"
    if name in SECOND_JUDGES:
        return "recognised"
    return "variety" if name in DIVERSITIES else name


def _recognised(results: Quality) -> list[str]:
    recall = _measured(results, "recall")
    if recall is None:
        return []
    sure = f" (95% interval {interval('recall', recall)})" if recall.interval else ""
    said = (
        f"A classifier that learned from real cells only puts {number('recall', recall.value)} of them into the class "
        f"they were made for{sure}"
    )
    if recall.floor is None:
        return [said + "."]
    return [f"{said}; of real cells it has never seen, {number('recall', recall.floor)}.", *_by_second(results)]


def _by_second(results: Quality) -> list[str]:
    name = first_of(SECOND_JUDGES, results.metrics)
    if name is None:
        return []
    share = results.metrics[name]
    said = f"A network pretrained on natural images recognises {number(name, share.value)}"
    return [said + ("." if share.floor is None else f"; of real cells, {number(name, share.floor)}.")]


def _behind(results: Quality) -> list[str]:
    recall, said = _measured(results, "recall"), []
    if recall and recall.floor is not None and is_worse_than_real("recall", recall) and _above(recall):
        said.append("They are recognised more often than real cells: more typical than cells are.")
    weak = weak_classes(results)
    if weak:
        shares = [
            f"{name} ({number('recall', results.classes[name]['recall'].value)}, real "
            f"{number('recall', results.classes[name]['recall'].floor)})"
            for name in weak[:3]
        ]
        rest = f"; {len(weak) - 3} more are behind as well" if len(weak) > 3 else ""
        said.append(f"Recognised less often than real cells: {listed(shares)}{rest}.")
    return said


def _above(found: Estimate) -> bool:
    return found.value is not None and found.floor is not None and found.value > found.floor


def _distance(results: Quality) -> list[str]:
    name = first_of(LEADING, results.metrics)
    if name is None:
        return []
    distance = results.metrics[name]
    beside = (distance.value, *(distance.interval or ()))
    said = f"Their distance from real cells is {number(name, *beside)} ({name})"
    if distance.floor is None:
        return [said + "."]
    said += f", that of other real cells {number(name, distance.floor, *beside)}"
    if min(distance.value or 0.0, distance.floor) < 0:
        said += " (an unbiased estimate, which may fall below zero by chance)"
    if distance.interval is None:
        return [said + "."]
    chance = "more" if is_worse_than_real(name, distance) else "no more"
    return [f"{said}: {chance} than chance explains."]


def _diversity(results: Quality) -> list[str]:
    name = first_of(DIVERSITIES, results.metrics)
    if name is None or not results.metrics[name].floor:
        return []
    variety = results.metrics[name]
    said = f"Within a class they vary {_ratio(variety):.0%} as much as real cells do"
    if variety.interval is None:
        return [said + "."]
    if not is_worse_than_real(name, variety):
        return [said + ", which may be chance."]
    collapsed = [
        label
        for label in results.class_names
        if (found := results.classes[label].get(name)) and found.interval and found.floor
        # Half as varied as real cells, whatever the images drawn.
        if found.interval[1] < 0.5 * found.floor
    ]
    return [said + (f"; less than half as much in {listed(collapsed)}." if collapsed else ".")]


def _copies(results: Quality) -> list[str]:
    copies, said = _measured(results, "copies"), []
    if copies and copies.value:
        verb = "equals" if copies.value == 1 else "equal"
        words = f"{number('copies', copies.value)} of {copies.n:,} nearly {verb} a training image"
        if copies.floor is not None:
            words += f"; of as many fresh real cells {number('copies', copies.floor)} would"
        said.append(words + (": no more than chance explains." if _may_be_chance(copies) else "."))
    elif copies:
        said.append(f"No near-copy of a training image was found among {copies.n:,}.")
    if results.about.memorisation.alarm:
        said.append("They lie nearer to the training images than fresh real cells do: the generator may be memorising.")
    return said


def _may_be_chance(copies: Estimate) -> bool:
    known = copies.interval is not None and copies.floor is not None
    return known and not is_worse_than_real("copies", copies)


def _measured(results: Quality, name: str) -> Estimate | None:
    found = results.metrics.get(name)
    return None if found is None or found.value is None else found


def _ratio(variety: Estimate) -> float:
    assert variety.value is not None and variety.floor
    return variety.value / variety.floor
