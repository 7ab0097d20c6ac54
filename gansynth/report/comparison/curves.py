"""How the classifiers trained: accuracy, loss and macro F1 by optimizer step (hazra2022, figure 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from numpy.typing import ArrayLike

from gansynth.classifiers.curves import Epoch
from gansynth.remedies.arm import NONE
from gansynth.report.benchmark.recipe_curves import recipe_curves
from gansynth.report.blocks import Drawing, Drawings
from gansynth.report.comparison.arms import arm_marks
from gansynth.report.page import Section
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.verdict import shown_pair

Curves = Sequence[Sequence[Epoch]]

_PARTS = {"train": ("training", ":"), "val": ("validation", "-")}


def training_curves(results: Comparison) -> list[Section]:
    """Show accuracy and loss of the verdict's classifier in two arms, and the validation macro F1 of every arm."""
    shown = shown_pair(results)
    if shown is None:
        return []
    order = [shown[1], *(c for c in results.classifiers if c != shown[1])]
    arms = list(dict.fromkeys([NONE, shown[0], *results.main_arms]))
    for classifier in order:
        notes = curves_of(results, classifier, arms)
        if notes:
            return [_section(results, classifier, shown[0], notes)]
    return []


def _section(results: Comparison, classifier: str, arm: str, notes: dict[str, Curves]) -> Section:
    two = {name: curves for name, curves in notes.items() if name in (NONE, arm)} or notes
    marks = dict(zip(notes, arm_marks(results, list(notes)), strict=True))
    colors = {name: mark.color for name, mark in marks.items()}
    parts = "One line per fold and seed. Dotted: training; full: validation."
    charts = [
        ("Accuracy", parts, curve_chart(two, "accuracy", colors)),
        ("Loss", parts, curve_chart(two, "loss", colors)),
        (
            "Validation macro F1",
            "Of every arm; the best epoch's weights are kept.",
            curve_chart(notes, "macro_f1", colors),
        ),
    ]
    drawings = [Drawing(drawn, caption, title, 38) for title, caption, drawn in charts if drawn is not None]
    text = (
        f"As figure 8 of Hazra et al. 2022: {classifier}. Every arm takes the same number of optimizer steps; an arm "
        "with more training images sees each of them fewer times."
    )
    return Section("While they trained", [text], blocks=[Drawings(drawings)])


def curve_chart(notes: Mapping[str, Curves], key: str, colors: Mapping[str, str]) -> str | None:
    """Draw a metric by optimizer step, a line per fold and seed.

    Parameters
    ----------
    notes : mapping of arm to sequence of curves
        A curve is a sequence of epochs.
    key : str
        "accuracy", "loss" or "macro_f1".
    colors : mapping of arm to str

    Returns
    -------
    str or None
        An SVG element; None where no curve has the figure.
    """
    lines: dict[str, list[tuple[ArrayLike, ArrayLike]]] = {}
    styles = {}
    for name, curves in notes.items():
        for part, (word, dash) in _PARTS.items():
            found = [_line(curve, f"{part}_{key}") for curve in curves]
            if any(x for x, _ in found):
                title = name if key == "macro_f1" else f"{name}, {word}"
                lines[title] = list(found)
                styles[title] = (colors[name], dash)
    if not lines:
        return None
    ylabel = {"macro_f1": "macro F1"}.get(key, key)
    percent = key == "accuracy"
    return recipe_curves(lines, xlabel="optimizer steps", ylabel=ylabel, percent=percent, styles=styles)


def curves_of(results: Comparison, classifier: str, arms: Sequence[str]) -> dict[str, Curves]:
    """Return the curves of every run of some arms; an arm without any is left out."""
    found = {
        arm: [one.note.curve for one in results.records(entry) if one.has_note and one.note.curve]
        for arm in arms
        if (entry := results.entry(arm, classifier))
    }
    return {arm: curves for arm, curves in found.items() if curves}


def _line(curve: Sequence[Epoch], key: str) -> tuple[list[float], list[float]]:
    known = [(float(point.step), y) for point in curve if (y := point.value(key)) is not None]
    return [x for x, _ in known], [y for _, y in known]
