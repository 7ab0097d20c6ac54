"""What a rare class needs in use: how many of the cells called so are, where most are found; and its calibration."""

from __future__ import annotations

from gansynth.metrics.wording import TITLES
from gansynth.remedies.arm import NONE
from gansynth.report.blocks import Block, Cell, Grid
from gansynth.report.comparison.levels import arms_by_classifier, beside_none
from gansynth.report.page import Section
from gansynth.studies.comparison.result import Comparison

_MEANINGS = {
    "precision-at-recall": "where the threshold finds 90% of the class, the share of the cells called so that are",
    "calibration-error": "mean gap between the probability of the class and how often it is right; less is better",
}


def in_use(results: Comparison) -> list[Section]:
    """Show every arm at what was tested of rare classes beyond their recall; nothing where nothing was tested."""
    metrics = list(dict.fromkeys(one.endpoint.metric for one in results.in_use))
    if not metrics:
        return []
    text = (
        "Small under each value: how far the arm is from the original data, with p corrected (Holm) over the arms of "
        "one classifier; bold where a difference is shown. Named before the run."
    )
    blocks: list[Block] = [_table(results, metric) for metric in metrics]
    return [Section("What rare classes need in use", [text], blocks=blocks)]


def _table(results: Comparison, metric: str) -> Grid:
    effects = {(one.arm, one.classifier, one.endpoint): one for one in results.in_use if one.against == NONE}
    asked = list(dict.fromkeys(one.endpoint for one in results.in_use if one.endpoint.metric == metric))

    def cells(arm: str, classifier: str) -> list[Cell] | None:
        entry = results.entry(arm, classifier)
        if entry is None:
            return None
        return [beside_none(entry.estimate(one), effects.get((arm, classifier, one))) for one in asked]

    heads = [one.class_name or "" for one in asked]
    return arms_by_classifier(results, heads, cells, f"{TITLES[metric]}: {_MEANINGS[metric]}.")
