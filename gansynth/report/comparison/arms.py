"""How arms are drawn and what of them a chart shows: one colour and shape for an arm on the whole page."""

from __future__ import annotations

from collections.abc import Sequence

from gansynth.remedies.arm import NONE
from gansynth.report.class_charts import Mark
from gansynth.report.drawing import REAL, SYNTHETIC
from gansynth.studies.comparison.result import Comparison

_PLAIN = ("#6f7a86", "#009e73", "#a1752b", "#56b4e9", "#7a5c00")
_MADE = (SYNTHETIC, "#7d3c98", "#d55e00", "#5b2c6f", "#e69f00")
_SHAPES = ("s", "^", "v", "P", "X")


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
