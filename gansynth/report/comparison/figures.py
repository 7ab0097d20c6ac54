"""Which figures of a classifier the tables of a page show, and what each of them means."""

from __future__ import annotations

from gansynth.report.blocks import Definitions

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


def meanings() -> Definitions:
    """Say in a line what each number means."""
    return Definitions(list(_MEANINGS.items()))
