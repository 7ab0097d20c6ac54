"""Class by class: figures 4 and 5 of hazra2022, original beside balanced, and which class is taken for which."""

from __future__ import annotations

from gansynth.metrics.wording import TITLES, inside, places, signed, value_of, width
from gansynth.remedies.arm import NONE
from gansynth.report.blocks import Block, Cell, Drawing, Drawings, Grid, Row
from gansynth.report.class_charts import confusion_chart, dodged_chart
from gansynth.report.comparison.arms import arm_marks, arm_name, estimate_cell
from gansynth.report.page import Section
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.verdict import shown_pair

_BARS = {
    "recall": "Recall (sensitivity): the share of the class that is recognised.",
    "specificity": "Specificity: the share of the other classes that is not taken for it.",
    "accuracy": "Accuracy: the share of all images for which it is said rightly whether they are of the class.",
    "F1": "F1: harmonic mean of precision and recall.",
}


def classes(results: Comparison) -> list[Section]:
    """Show every class with the original data and with the arm of the verdict, then with every arm."""
    shown = shown_pair(results)
    if shown is None:
        return []
    arm, classifier = shown
    charts = []
    for metric, meaning in _BARS.items():
        drawn = class_chart(results, metric, arm, classifier)
        if drawn is not None:
            charts.append(Drawing(drawn, f"{meaning} With 95% intervals; rare classes first.", TITLES[metric], 34))
    if not charts:
        return []
    text = (
        f"As figures 4 and 5 of Hazra et al. 2022: {classifier} on the original data (figure 5) and with {arm} "
        "(figure 4). Axes begin where the figures do."
    )
    blocks: list[Block] = [Drawings(charts), recall_table(results, classifier)]
    return [Section("Class by class", [text], blocks=blocks)]


def class_chart(results: Comparison, metric: str, arm: str, classifier: str) -> str | None:
    """Draw a metric of every class with the original data and with an arm, as SVG; None where it was not measured."""
    pair = [results.entry(NONE, classifier), results.entry(arm, classifier)]
    rows = []
    for name in results.by_rarity:
        found = [None if e is None else e.classes.get(name, {}).get(metric) for e in pair]
        if any(found):
            rows.append((name, found))
    if not rows:
        return None
    return dodged_chart(rows, arm_marks(results, [NONE, arm]), xlabel=inside(TITLES[metric]), columns=2)


def recall_table(results: Comparison, classifier: str) -> Grid:
    """Compose a table of classes by arms: the recall, and how far it is from that with the original data."""
    arms = [arm for arm in results.main_arms if results.entry(arm, classifier)]
    base = results.entry(NONE, classifier)
    rows = []
    for name in results.by_rarity:
        cells = []
        first = base.classes.get(name, {}).get("recall") if base else None
        for arm in arms:
            entry = results.entry(arm, classifier)
            found = entry.classes.get(name, {}).get("recall") if entry else None
            decimals = places(width(found))
            if arm == NONE or first is None or found is None or None in (first.value, found.value):
                cells.append(estimate_cell(found))
                continue
            gap = (found.value or 0.0) - (first.value or 0.0)
            cells.append(Cell(value_of(found, decimals), signed(gap, decimals), shade=min(max(gap, 0) / 0.25, 1.0)))
        rows.append(Row(name, cells, small=_sizes(results, name)))
    caption = (
        f"Recall of every class by {classifier}: small numbers, the 95% interval with the original data, and the "
        "difference from it in the other arms, darker the more it gained. Of these only the classes named before the "
        "run were tested."
    )
    return Grid(["class", *map(arm_name, arms)], rows, caption)


def confusion(results: Comparison) -> list[Section]:
    """Show which class is taken for which, before and after."""
    shown = shown_pair(results)
    items = []
    for title, arm in (("Original data", NONE), (shown[0], shown[0])) if shown else ():
        entry = results.entry(arm, shown[1]) if shown else None
        if entry is not None and entry.confusion.size:
            caption = (
                f"{entry.classifier}, {title}: percent of the test images of a class (rows) that are taken for each "
                "class (columns); mean of the seeds, folds pooled. Shares below half a percent are left out."
            )
            drawn = confusion_chart(entry.confusion, results.class_names, "true class")
            items.append(Drawing(drawn, caption, title, 12 + 2.2 * len(results.class_names)))
    return [Section("What is taken for what", blocks=[Drawings(items)])] if items else []


def _sizes(results: Comparison, name: str) -> str:
    return f"{results.about.training_counts[name]:,} to learn from, {results.about.test_counts[name]:,} tested"
