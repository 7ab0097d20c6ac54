"""How the classifiers trained: accuracy, loss and macro F1 by optimizer step (hazra2022, figure 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gansynth.report.blocks import Drawing, Drawings
from gansynth.report.comparison_arms import arm_marks
from gansynth.report.comparison_folder import NONE, ComparisonResults
from gansynth.report.comparison_verdict import shown_pair
from gansynth.report.page import Section
from gansynth.report.recipe_curves import recipe_curves

_PARTS = {"train": ("training", ":"), "val": ("validation", "-")}


def training_curves(results: ComparisonResults) -> list[Section]:
    """Show accuracy and loss of the verdict's classifier in two arms, and the validation macro F1 of every arm."""
    shown = shown_pair(results)
    if shown is None:
        return []
    order = [shown[1], *(c for c in results.classifiers if c != shown[1])]
    arms = list(dict.fromkeys([NONE, shown[0], *results.main_arms]))
    for classifier in order:
        notes = {
            arm: [note["curve"] for note in results.notes(entry) if note.get("curve")]
            for arm in arms
            if (entry := results.entry(arm, classifier))
        }
        notes = {arm: curves for arm, curves in notes.items() if curves}
        if notes:
            return [_section(results, classifier, shown[0], notes)]
    return []


def _section(
    results: ComparisonResults, classifier: str, arm: str, notes: dict[str, list[list[dict[str, Any]]]]
) -> Section:
    two = {name: curves for name, curves in notes.items() if name in (NONE, arm)} or notes
    marks = dict(zip(notes, arm_marks(results, list(notes)), strict=True))
    drawings = []
    for key, title, ylabel in (("accuracy", "Accuracy", "accuracy"), ("loss", "Loss", "loss")):
        lines, styles = {}, {}
        for name, curves in two.items():
            for part, (word, dash) in _PARTS.items():
                found = [_line(curve, f"{part}_{key}") for curve in curves]
                if any(x for x, _ in found):
                    lines[f"{name}, {word}"] = found
                    styles[f"{name}, {word}"] = (marks[name].color, dash)
        if lines:
            drawn = recipe_curves(
                lines, xlabel="optimizer steps", ylabel=ylabel, percent=key == "accuracy", styles=styles
            )
            drawings.append(
                Drawing(drawn, "One line per fold and seed. Dotted: training; full: validation.", title, 38)
            )
    lines = {name: [_line(curve, "val_macro_f1") for curve in curves] for name, curves in notes.items()}
    if any(x for found in lines.values() for x, _ in found):
        styles = {name: (marks[name].color, "-") for name in lines}
        drawn = recipe_curves(lines, xlabel="optimizer steps", ylabel="macro F1", percent=False, styles=styles)
        caption = "Macro F1 on the validation images, every arm; the weights of the best epoch are kept."
        drawings.append(Drawing(drawn, caption, "Validation macro F1", 38))
    text = (
        f"As figure 8 of Hazra et al. 2022: {classifier}. Every arm takes the same number of optimizer steps; an arm "
        "with more training images sees each of them fewer times."
    )
    return Section("While they trained", [text], blocks=[Drawings(drawings)])


def _line(curve: Sequence[dict[str, Any]], key: str) -> tuple[list[float], list[float]]:
    points = [(float(p.get("step", p.get("epoch", i + 1))), p.get(key)) for i, p in enumerate(curve)]
    known = [(x, float(y)) for x, y in points if y is not None]
    return [x for x, _ in known], [y for _, y in known]
