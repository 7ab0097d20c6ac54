"""The figures of a classifier: what each means, which way is better, and how a page writes them."""

from __future__ import annotations

import math

from gansynth.metrics.estimate import Estimate
from gansynth.report.blocks import Definitions
from gansynth.report.comparison_entries import EffectResult, Endpoint
from gansynth.report.numbers import NONE as NO_VALUE

TITLES = {
    "macro-F1": "Macro F1",
    "balanced-accuracy": "Recall",
    "accuracy": "Accuracy",
    "macro-precision": "Precision",
    "macro-specificity": "Specificity",
    "kappa": "Kappa",
    "MCC": "MCC",
    "ROC-AUC": "ROC AUC",
    "average-precision": "Average precision",
    "Brier": "Brier score",
    "MSE": "MSE",
    "calibration-error": "Calibration error",
    "recall": "Recall",
    "specificity": "Specificity",
    "precision": "Precision",
    "F1": "F1",
}
"""What a table prints for a figure's name; over all classes they are means of the classes (macro)."""

LOWER_IS_BETTER = {"Brier", "MSE", "calibration-error"}

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
    "95% interval": "Where the figure would lie if other cells of the same kind had been tested and the classifiers "
    "had been trained again from other seeds.",
    "p": "How often a difference at least as large would arise if the two arms were the same; corrected (Holm) over "
    "the arms that were compared. Below 0.05 the page speaks of a difference, else of none shown.",
    "Dose": "Share of the way to balance: at 100% every class has as many images as the largest, at 0% none is added.",
}


def title_of(endpoint: Endpoint) -> str:
    """Name an endpoint as a heading.

    Examples
    --------
    >>> title_of(Endpoint("recall", "promyelocyte")), title_of(Endpoint("macro-F1"))
    ('Recall of promyelocyte', 'Macro F1')
    """
    title = TITLES.get(endpoint.metric, endpoint.metric)
    if endpoint.metric == "balanced-accuracy":
        title = "Balanced accuracy"
    return title if endpoint.class_name is None else f"{title} of {endpoint.class_name}"


def inside(title: str) -> str:
    """Write a heading as it stands inside a sentence.

    Examples
    --------
    >>> inside("Macro F1"), inside("Recall of basophil"), inside("F1"), inside("ROC AUC")
    ('macro F1', 'recall of basophil', 'F1', 'ROC AUC')
    """
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def meanings() -> Definitions:
    """Say in a line what each figure means."""
    return Definitions(list(_MEANINGS.items()))


def places(*widths: float | None) -> int:
    """Return the decimals that an uncertainty leaves: three where the narrowest interval is below 0.05, else two."""
    known = [abs(width) for width in widths if width is not None and math.isfinite(width)]
    return 3 if known and min(known) < 0.05 else 2


def width(found: Estimate | EffectResult | None) -> float | None:
    """How wide an interval is."""
    return None if found is None or found.interval is None else found.interval[1] - found.interval[0]


def share(value: float | None, decimals: int = 3) -> str:
    """Write a figure; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:.{decimals}f}"
    return text.replace("-", "−") if any(digit in text for digit in "123456789") else text.replace("-", "")


def value_of(found: Estimate | None, decimals: int = 3) -> str:
    """Write an estimate's value, or that it has none."""
    if found is None:
        return "–"
    return NO_VALUE if found.value is None else share(found.value, decimals)


def ends(interval: tuple[float, float] | None, decimals: int = 3) -> str:
    """Write an interval as "low to high", nothing where there is none."""
    return "" if interval is None else f"{share(interval[0], decimals)} to {share(interval[1], decimals)}"


def signed(value: float | None, decimals: int = 3) -> str:
    """Write a difference with its sign.

    Examples
    --------
    >>> signed(0.113, 2), signed(-0.0001, 2), signed(None)
    ('+0.11', '0.00', '–')
    """
    text = share(value, decimals)
    return f"+{text}" if value and value > 0 and any(digit in text for digit in "123456789") else text


def signed_ends(interval: tuple[float, float] | None, decimals: int = 3) -> str:
    """Write the interval of a difference with its signs."""
    return "" if interval is None else f"{signed(interval[0], decimals)} to {signed(interval[1], decimals)}"


def p_value(p: float | None) -> str:
    """Write p so that it never rounds across 0.05.

    Examples
    --------
    >>> [p_value(p) for p in (0.00001, 0.0123, 0.0499, 0.4, 1.0, None)]
    ['< 0.001', '0.012', '0.0499', '0.40', '1', '–']
    """
    if p is None or not math.isfinite(p):
        return "–"
    if p < 0.001:
        return "< 0.001"
    if p >= 0.995:
        return "1"
    if 0.0495 <= p < 0.05:
        return f"{math.floor(1e4 * p) / 1e4:.4f}"
    return f"{p:.2f}" if p >= 0.095 else f"{p:.3f}"


def p_words(p: float | None) -> str:
    """Write p as a sentence does: "p = 0.01", "p < 0.001"."""
    text = p_value(p)
    return "no p" if text == "–" else f"p {text}" if text.startswith("<") else f"p = {text}"
