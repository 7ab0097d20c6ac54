"""The same test cells as other laboratories would show them: which arms hold there?"""

from __future__ import annotations

from gansynth.cells.spoiling import SPOILINGS
from gansynth.metrics.estimate import Estimate
from gansynth.metrics.wording import ends, p_value, places, signed, value_of, width
from gansynth.remedies.arm import NONE
from gansynth.report.blocks import Block, Cell, Grid, Row
from gansynth.report.page import Section
from gansynth.studies.comparison.entries import ArmEffect, Endpoint
from gansynth.studies.comparison.result import AnyLevel, Comparison


def robustness(results: Comparison) -> list[Section]:
    """Show every arm on the cells as they are and in each condition; nothing where that was not asked for."""
    if not results.conditions:
        return []
    text = (
        "Every classifier also predicted the same test cells as other laboratories might show them. Nothing was "
        "trained for it. Small under each value: how far the arm is from the original data in that condition, with "
        "p corrected (Holm) over the arms of one classifier; bold where a difference is shown."
    )
    blocks: list[Block] = [_table(results, endpoint) for endpoint in results.about.endpoints]
    return [Section("On other pictures of the same cells", [text], blocks=blocks)]


def _table(results: Comparison, endpoint: Endpoint) -> Grid:
    levels: dict[str, AnyLevel] = {"as they are": results}
    levels |= {SPOILINGS[name].title: level for name, level in results.conditions.items()}
    rows = []
    for classifier in results.classifiers:
        if len(results.classifiers) > 1:
            rows.append(Row(classifier, kind="group"))
        for arm in results.arm_names:
            if any(level.entry(arm, classifier) for level in levels.values()):
                cells = [_cell(level, arm, classifier, endpoint) for level in levels.values()]
                rows.append(Row("none (original)" if arm == NONE else arm, cells))
    caption = f"{endpoint.title}, over {sum(results.about.test_counts.values()):,} test cells."
    return Grid(["remedy", *levels], rows, caption)


def _cell(level: AnyLevel, arm: str, classifier: str, endpoint: Endpoint) -> Cell:
    entry = level.entry(arm, classifier)
    found = None if entry is None else entry.estimate(endpoint)
    return beside_none(found, level.effect(arm, classifier, endpoint))


def beside_none(found: Estimate | None, effect: ArmEffect | None) -> Cell:
    """Write a value, and under it how far it is from the original data's; its interval where that was not tested."""
    decimals = places(width(found), width(effect))
    if effect is None:
        return Cell(value_of(found, decimals), ends(found.interval, decimals) if found else "")
    gap = f"{signed(effect.value, decimals)}, p {p_value(effect.p_holm)}"
    return Cell(value_of(found, decimals), gap, best=effect.shown)
