"""How arms are called, written and drawn: a short name, and one colour and shape on the whole page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from gansynth.metrics.classification_effects import Effect
from gansynth.metrics.estimate import Estimate
from gansynth.metrics.wording import ends, places, signed, signed_ends, value_of, width
from gansynth.remedies.arm import NONE, Arm
from gansynth.report.blocks import Cell
from gansynth.report.class_charts import Mark
from gansynth.report.drawing import REAL, SYNTHETIC
from gansynth.studies.comparison.result import Comparison

_PLAIN = ("#6f7a86", "#009e73", "#a1752b", "#56b4e9", "#7a5c00")
_MADE = (SYNTHETIC, "#7d3c98", "#d55e00", "#5b2c6f", "#e69f00")
_SHAPES = ("s", "^", "v", "P", "X")

_NAMED = ("arm", "against", "remedy", "gan", "remedies", "warnings", "use", "why", "error")
"""Keys of results.json whose texts name arms or what they are made of."""


def arm_name(arm: str) -> str:
    """Return what a table calls an arm."""
    return "none (original)" if arm == NONE else arm


def estimate_cell(found: Estimate | None, decimals: int | None = None, *, best: bool = False) -> Cell:
    """Write a value with its interval under it, with the decimals that the interval leaves unless others are given."""
    decimals = places(width(found)) if decimals is None else decimals
    return Cell(value_of(found, decimals), "" if found is None else ends(found.interval, decimals), best=best)


def effect_cell(found: Effect | None, decimals: int, *, best: bool = False) -> Cell:
    """Write a difference with its interval under it; a dash where there is none."""
    if found is None:
        return Cell("–")
    return Cell(signed(found.value, decimals), signed_ends(found.interval, decimals), best=best)


def arm_marks(results: Comparison, arms: Sequence[str] = ()) -> list[Mark]:
    """Return how each arm is drawn: the original data blue, arms with synthetic images in reds, others apart.

    Parameters
    ----------
    results : Comparison
    arms : sequence of str
        Which; empty: `results.main_arms`. An arm looks the same whatever the others.
    """
    made = [arm for arm in results.arm_names if results.has_images(arm)]
    made.sort(key=lambda arm: arm not in results.main_arms)
    others = [arm for arm in results.arm_names if arm not in made and arm != NONE]
    look = {NONE: Mark("none (original data)", REAL, "D")}
    look |= {arm: Mark(arm, _MADE[i % len(_MADE)], "o") for i, arm in enumerate(made)}
    look |= {arm: Mark(arm, _PLAIN[i % len(_PLAIN)], _SHAPES[i % len(_SHAPES)]) for i, arm in enumerate(others)}
    return [look[arm] for arm in arms or results.main_arms]


def shortened(results: Comparison) -> Comparison:
    """Return a comparison whose runs and folders are called by the last part of their paths where that is enough.

    Its command, and the one that is recommended, name them as they were given.
    """
    paths = {part.name for one in results.arms for part in Arm.parse(one.arm).parts if re.search(r"[/\\]", part.name)}
    last = {path: PurePath(path.replace("\\", "/")).name for path in paths}
    taken = Counter([*last.values(), *(part.name for one in results.arms for part in Arm.parse(one.arm).parts)])
    short = {path: name for path, name in last.items() if name and taken[name] == 1}
    if not short:
        return results
    # The longest first: one path may begin with another.
    longest = re.compile("|".join(re.escape(path) for path in sorted(short, key=len, reverse=True)))

    def named(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: named(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [named(one, key) for one in value]
        if isinstance(value, str) and key in _NAMED:
            return longest.sub(lambda found: short[found[0]], value)
        return value

    return replace(Comparison.from_json(named(results.to_json())), folder=results.folder)
