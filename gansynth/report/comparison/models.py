"""Classifiers side by side: tables 8 and 9 of hazra2022 with their differences, figure 6, and every other figure."""

from __future__ import annotations

from collections.abc import Sequence

from gansynth.metrics.wording import LOWER_IS_BETTER, TITLES, inside, signed, value_of
from gansynth.remedies.arm import NONE
from gansynth.report.blocks import Block, Cell, Definitions, Drawing, Drawings, Grid, Row, Text
from gansynth.report.class_charts import dodged_chart
from gansynth.report.comparison.arms import arm_marks, arm_name, estimate_cell
from gansynth.report.page import Section
from gansynth.studies.comparison.entries import ArmResult
from gansynth.studies.comparison.result import AnyLevel, Comparison
from gansynth.studies.comparison.verdict import shown_pair

_TOO_GOOD = " The paper's protocol: these numbers are too good."

PAPER_TABLE = ("balanced-accuracy", "macro-F1", "macro-specificity", "macro-precision")
"""The columns of tables 8 and 9 of hazra2022: recall, F1, specificity, precision."""

FURTHER = ("accuracy", "kappa", "MCC", "ROC-AUC", "average-precision", "Brier", "MSE", "calibration-error")

_MEANINGS = {
    "Recall (sensitivity)": "Of the cells that are of a class, the share that the classifier recognises. The mean "
    "over the classes is the balanced accuracy: a rare class counts as much as a frequent one.",
    "Specificity": "Of the cells that are of other classes, the share that it does not take for this one. Near 1 for "
    "every class of many, so that small differences count.",
    "Precision": "Of the cells that it takes for a class, the share that are of it.",
    "F1": "Harmonic mean of precision and recall. Macro F1: the mean over the classes.",
    "Accuracy": "Share of all cells classified rightly: frequent classes decide it. Of one class: the share of all "
    "cells for which it says rightly whether they are of the class.",
    "Kappa": "Agreement beyond what the class frequencies alone would give; 1 is perfect, 0 is chance.",
    "MCC": "Matthews correlation between true and predicted classes; 1 is perfect, 0 is chance.",
    "ROC AUC": "How often a cell of the class gets a higher probability for it than a cell of another class; 0.5 is "
    "chance. One class against the rest, mean of the classes.",
    "Average precision": "Area under precision against recall; what chance gives is the share of the class.",
    "Brier score": "Squared distance of the probabilities from the truth, summed over the classes; lower is better.",
    "MSE": "The same as a mean over the classes; lower is better.",
    "Calibration error": "How far the stated probability is from how often it is right; lower is better.",
    "95% interval": "Where the value would lie if other cells of the same kind had been tested and the classifiers "
    "had been trained again from other seeds.",
    "p": "How often a difference at least as large would arise if the two arms were the same; corrected (Holm) over "
    "the arms that were compared. Below 0.05 the page speaks of a difference, else of none shown.",
    "Dose": "Share of the way to balance: at 100% every class has as many images as the largest, at 0% none is added.",
}


def models(results: Comparison) -> list[Section]:
    """Show the classifiers on the original and on the balanced data."""
    shown = shown_pair(results)
    if shown is None:
        return []
    arm, _ = shown
    blocks: list[Block] = []
    table = balanced_table(results, arm)
    if table is not None:
        blocks.append(table)
    blocks.append(Drawings([_chart(results, "accuracy"), _chart(results, "macro-F1")]))
    blocks += [Text("Every arm", strong=True), every_arm(results, (*PAPER_TABLE, "accuracy"))]
    blocks += [Text("Agreement, ranking and probabilities", strong=True), every_arm(results, FURTHER[1:])]
    text = (
        "As tables 8 and 9 of Hazra et al. 2022: each classifier trained on the original data and on the data that "
        f"the remedy {arm} balances, tested on the same "
        f"{'images' if results.is_paper else 'real images'}. Numbers are means over the classes (macro)."
    )
    return [Section("Classifiers on original and balanced data", [text], blocks=blocks)]


def balanced_table(results: Comparison, arm: str) -> Grid | None:
    """Compose tables 8 and 9 in one: a row per classifier, each metric before, after, and the difference.

    Parameters
    ----------
    results : Comparison
    arm : str
        The arm that stands for the balanced data, the same for every classifier.

    Returns
    -------
    Grid or None
        None where no classifier was trained in both arms.
    """
    rows = []
    for classifier in results.classifiers:
        before, after = results.entry(NONE, classifier), results.entry(arm, classifier)
        if before is None or after is None:
            continue
        cells = []
        for metric in PAPER_TABLE:
            first, last = before.metrics.get(metric), after.metrics.get(metric)
            known = None not in (first and first.value, last and last.value)
            gap = (last.value or 0.0) - (first.value or 0.0) if known and first and last else None
            cells += [Cell(value_of(first)), Cell(value_of(last)), Cell(signed(gap), shade=_shade(gap))]
        rows.append(Row(classifier, cells, small=_weights(before)))
    if not rows:
        return None
    head, under = ["classifier"], [""]
    for metric in PAPER_TABLE:
        head += ["", TITLES[metric].replace("Macro ", ""), ""]
        under += ["original", "balanced", "difference"]
    caption = (
        f"Original: the arm none (table 8); balanced: {arm} (table 9), the arm of the first sentence, for every "
        "classifier the same. Shaded: the value rose. Only the endpoints named before the run were tested, above; "
        "the differences here are shown as they are."
    )
    return Grid(head, rows, caption + (_TOO_GOOD if results.is_paper else ""), under=under)


def every_arm(results: AnyLevel, metrics: Sequence[str]) -> Grid:
    """Compose a table of every arm of every classifier, with intervals."""
    columns = [m for m in metrics if any(m in entry.metrics for entry in results.arms)]
    rows = []
    for classifier in results.classifiers:
        rows.append(Row(classifier, kind="group"))
        for arm in results.arm_names:
            entry = results.entry(arm, classifier)
            if entry is None:
                continue
            cells = [estimate_cell(entry.metrics.get(metric)) for metric in columns]
            rows.append(Row(arm_name(arm), cells, "mean" if arm == NONE else ""))
    under = ["", *("lower is better" if m in LOWER_IS_BETTER else "" for m in columns)]
    caption = "Mean over the seeds, folds pooled; small numbers: 95% intervals over test images and training seeds."
    head = ["arm", *(TITLES.get(m, m) for m in columns)]
    return Grid(head, rows, caption + (_TOO_GOOD if results.is_paper else ""), under=under if any(under) else ())


def model_chart(results: Comparison, metric: str) -> str:
    """Draw a metric of every classifier in every main arm, as SVG (figure 6 with "accuracy")."""
    arms = results.main_arms
    rows = []
    for classifier in results.classifiers:
        entries = [results.entry(arm, classifier) for arm in arms]
        rows.append((classifier, [None if e is None else e.metrics.get(metric) for e in entries]))
    return dodged_chart(rows, arm_marks(results, arms), xlabel=inside(TITLES[metric]), columns=2)


def _chart(results: Comparison, metric: str) -> Drawing:
    means = {
        "accuracy": "As figure 6: share of all test images classified rightly; frequent classes decide it.",
        "macro-F1": "The mean of the classes' F1: every class counts as much.",
    }
    return Drawing(model_chart(results, metric), f"{means[metric]} With 95% intervals.", TITLES[metric], 34)


def _shade(gap: float | None) -> float | None:
    """How dark a gain is; a loss stays white."""
    return None if gap is None else min(max(gap, 0.0) / 0.15, 1.0) * 0.8


def _weights(entry: ArmResult) -> str:
    return {"": "", "none": "trained from scratch"}.get(entry.weights, f"{entry.weights} weights")


def meanings() -> Definitions:
    """Say in a line what each number means."""
    return Definitions(list(_MEANINGS.items()))
