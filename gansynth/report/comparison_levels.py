"""The same arms one level up: what they say of granulocytes and agranulocytes, or of a user's own superclasses."""

from __future__ import annotations

from gansynth.report.blocks import Block, Cell, Drawing, Drawings, Grid, Row, Text
from gansynth.report.class_charts import Mark, confusion_chart, dodged_chart
from gansynth.report.comparison_effects import effect_table
from gansynth.report.comparison_figures import TITLES, inside
from gansynth.report.comparison_folder import NONE, ComparisonResults, comparison_of
from gansynth.report.comparison_models import every_arm
from gansynth.report.comparison_verdict import shown_pair
from gansynth.report.drawing import FAINT, REAL
from gansynth.report.page import Section

_METRICS = ("accuracy", "balanced-accuracy", "macro-F1", "kappa", "ROC-AUC", "MSE")
"""alkrimi2023, tables 3 to 9: figures of a threshold, of agreement and ranking, and of probabilities."""

_BOTH = "{} at both levels, with 95% intervals. Fewer classes are harder to confuse: figures rise with the level."


def superclass_results(results: ComparisonResults) -> ComparisonResults | None:
    """Return a comparison at the level of its superclasses; None where it has no label tree."""
    held = results.facts.get("superclasses")
    if not held:
        return None
    about = {key: results.about.get(key) for key in ("data", "size")} | held["about"]
    return comparison_of(results.folder, {**held, "about": about})


def levels(results: ComparisonResults) -> list[Section]:
    """Show which classes a superclass holds, and the figures, differences and mistakes at its level."""
    above = superclass_results(results)
    if above is None:
        return []
    text = (
        "Some mistakes are worse than others: here a prediction counts as right where its superclass is. Nothing was "
        "trained for this; the probability of a superclass is the sum over its classes, and the largest sum is what "
        "is predicted."
    )
    blocks: list[Block] = [_tree(results, above), Drawings(_charts(results, above))]
    blocks += [Text("Every arm, by superclass", strong=True), every_arm(above, _METRICS)]
    found = [effect for effect in above.effects if effect.against == NONE]
    if found:
        caption = (
            "A second look at the same predictions: p is corrected (Holm) over the arms of one classifier, not for "
            "looking twice."
        )
        blocks += [Text("Differences, by superclass", strong=True), effect_table(above, found, caption)]
    return [Section("One level up: superclasses", [text], blocks=blocks)]


def _tree(results: ComparisonResults, above: ComparisonResults) -> Grid:
    counts = above.about["counts"]
    rows = []
    for superclass, members in results.facts["superclasses"]["tree"].items():
        alone = list(members) == [superclass]
        held = "a class by itself" if alone else ", ".join(members)
        numbers = [Cell(f"{round(counts[part][superclass]):,}") for part in ("train", "test")]
        rows.append(Row(superclass, [Cell(held, words=True), *numbers]))
    return Grid(["superclass", "its classes", "to learn from", "tested"], rows, "Real images.")


def _charts(results: ComparisonResults, above: ComparisonResults) -> list[Drawing]:
    shown = shown_pair(results)
    if shown is None:
        return []
    arm, classifier = shown
    rows = []
    for name in results.main_arms:
        pair = [one.entry(name, classifier) for one in (results, above)]
        if any(pair):
            found = [None if entry is None else entry.metrics.get("macro-F1") for entry in pair]
            rows.append(("none (original)" if name == NONE else name, found))
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
