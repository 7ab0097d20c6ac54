"""The same arms once more: one level up, and on the same cells as other laboratories would show them.

A level up are granulocytes and agranulocytes, or a user's own superclasses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gansynth.cells.spoiling import SPOILINGS
from gansynth.metrics.estimate import Estimate
from gansynth.metrics.wording import TITLES, inside, p_value, places, signed, value_of, width
from gansynth.remedies.arm import NONE
from gansynth.report.blocks import Block, Cell, Drawing, Drawings, Grid, Row, Text
from gansynth.report.class_charts import Mark, confusion_chart, dodged_chart
from gansynth.report.comparison.arms import arm_name, estimate_cell
from gansynth.report.comparison.effects import effect_table
from gansynth.report.comparison.models import every_arm
from gansynth.report.drawing import FAINT, REAL
from gansynth.report.page import Section
from gansynth.studies.comparison.entries import ArmEffect, Endpoint
from gansynth.studies.comparison.result import AnyLevel, Comparison, Superclasses
from gansynth.studies.comparison.verdict import shown_pair

_METRICS = ("accuracy", "balanced-accuracy", "macro-F1", "kappa", "ROC-AUC", "MSE")
"""alkrimi2023, tables 3 to 9: numbers of a threshold, of agreement and ranking, and of probabilities."""

_BOTH = "{} at both levels, with 95% intervals. Fewer classes are harder to confuse: numbers rise with the level."


def levels(results: Comparison) -> list[Section]:
    """Show which classes a superclass holds, and the numbers, differences and mistakes at its level."""
    above = results.superclasses
    if above is None:
        return []
    text = (
        "Some mistakes are worse than others: here a prediction counts as right where its superclass is. Nothing was "
        "trained for this; the probability of a superclass is the sum over its classes, and the largest sum is what "
        "is predicted."
    )
    blocks: list[Block] = [_tree(above), Drawings(_charts(results, above))]
    blocks += [Text("Every arm, by superclass", strong=True), every_arm(above, _METRICS)]
    found = [effect for effect in above.effects if effect.against == NONE]
    if found:
        caption = (
            "A second look at the same predictions: p is corrected (Holm) over the arms of one classifier, not for "
            "looking twice."
        )
        blocks += [Text("Differences, by superclass", strong=True), effect_table(above, found, caption)]
    return [Section("One level up: superclasses", [text], blocks=blocks)]


def _tree(above: Superclasses) -> Grid:
    rows = []
    for superclass, members in above.tree.items():
        held = "a class by itself" if members == (superclass,) else ", ".join(members)
        numbers = [Cell(f"{n[superclass]:,}") for n in (above.about.training_counts, above.about.test_counts)]
        rows.append(Row(superclass, [Cell(held, words=True), *numbers]))
    return Grid(["superclass", "its classes", "to learn from", "tested"], rows, "Real images.")


def _charts(results: Comparison, above: Superclasses) -> list[Drawing]:
    shown = shown_pair(results)
    if shown is None:
        return []
    arm, classifier = shown
    rows = []
    for name in results.main_arms:
        pair = [one.entry(name, classifier) for one in (results, above)]
        if any(pair):
            found = [None if entry is None else entry.metrics.get("macro-F1") for entry in pair]
            rows.append((arm_name(name), found))
    marks = (Mark("classes", FAINT, "o"), Mark("superclasses", REAL, "D"))
    drawn = dodged_chart(rows, marks, xlabel=inside(TITLES["macro-F1"]), columns=2)
    charts = [Drawing(drawn, _BOTH.format(classifier), "Macro F1 at both levels", 34)]
    entry = above.entry(arm, classifier)
    if entry is not None and entry.confusion.size:
        caption = (
            f"{classifier}, {arm}: percent of the test images of a superclass (rows) that are taken for each "
            "superclass (columns); mean of the seeds, folds pooled."
        )
        drawn = confusion_chart(entry.confusion, above.class_names, "true superclass")
        charts.append(Drawing(drawn, caption, "What is taken for what", 12 + 2.2 * len(above.class_names)))
    return charts


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

    def cells(arm: str, classifier: str) -> list[Cell] | None:
        entries = [level.entry(arm, classifier) for level in levels.values()]
        if all(entry is None for entry in entries):
            return None
        return [
            beside_none(None if entry is None else entry.estimate(endpoint), level.effect(arm, classifier, endpoint))
            for level, entry in zip(levels.values(), entries, strict=True)
        ]

    caption = f"{endpoint.title}, over {sum(results.about.test_counts.values()):,} test cells."
    return arms_by_classifier(results, list(levels), cells, caption)


def arms_by_classifier(
    results: Comparison, heads: Sequence[str], cells: Callable[[str, str], list[Cell] | None], caption: str
) -> Grid:
    """Compose a table with a row for every arm that a classifier learned from, classifier by classifier.

    Parameters
    ----------
    results : Comparison
    heads : sequence of str
        Of the columns behind the arm's name.
    cells : callable of (arm, classifier)
        To the cells of its row; None where there is no such training.
    caption : str
    """
    rows = []
    for classifier in results.classifiers:
        if len(results.classifiers) > 1:
            rows.append(Row(classifier, kind="group"))
        for arm in results.arm_names:
            found = cells(arm, classifier)
            if found is not None:
                rows.append(Row(arm_name(arm), found))
    return Grid(["remedy", *heads], rows, caption)


def beside_none(found: Estimate | None, effect: ArmEffect | None) -> Cell:
    """Write a value, and under it how far it is from the original data's; its interval where that was not tested."""
    decimals = places(width(found), width(effect))
    if effect is None:
        return estimate_cell(found, decimals)
    gap = f"{signed(effect.value, decimals)}, p {p_value(effect.p_holm)}"
    return Cell(value_of(found, decimals), gap, best=effect.shown)
