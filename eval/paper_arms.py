"""What studies show of a comparison's arms: bars of every class, what is taken for what, tested differences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gansynth.files.atomic import write_text
from gansynth.metrics.wording import p_value, signed, signed_ends
from gansynth.report.class_charts import confusion_chart, dodged_chart
from gansynth.report.comparison.arms import arm_marks
from gansynth.report.drawing import opaque
from gansynth.studies.comparison.result import AnyLevel, Comparison
from paper_study import MISSING, figure, markdown


def class_bars(results: Comparison, metric: str, arms: Sequence[str], classifier: str, xlabel: str) -> str | None:
    """Draw a metric of every class with some arms, with 95% intervals, as SVG; None where it was not measured."""
    entries = [results.entry(arm, classifier) for arm in arms]
    rows = [(name, [figure(entry, metric, name) for entry in entries]) for name in results.by_rarity]
    rows = [(name, found) for name, found in rows if any(found)]
    return dodged_chart(rows, arm_marks(results, arms), xlabel=xlabel, columns=1) if rows else None


def confusion(results: AnyLevel, arm: str, classifier: str) -> str | None:
    """Draw which class (column) the test images of each class (row) are taken for, as SVG; None without the arm."""
    entry = results.entry(arm, classifier)
    if entry is None or not entry.confusion.size:
        return None
    return confusion_chart(entry.confusion, results.class_names, "true class")


def tested(results: Comparison, against: str) -> str:
    """Return how far each arm is from another one, as the comparison tested it, as Markdown.

    With one training of each arm nothing is known of how far two trainings differ, which is said below the table.
    """
    rows = []
    for effect in results.effects:
        if effect.against != against:
            continue
        ends = "" if effect.interval is None else f" ({signed_ends(effect.interval)})"
        p = MISSING if effect.p_holm is None else p_value(effect.p_holm)
        arm = effect.arm if len(results.classifiers) == 1 else f"{effect.arm}, {effect.classifier}"
        rows.append([arm, str(effect.endpoint), f"{signed(effect.value)}{ends}", p, "yes" if effect.shown else "no"])
    table = markdown(["arm", "endpoint", "difference (95%)", "p (Holm)", "shown"], rows)
    if len(results.about.seeds) > 1 or results.about.folds > 1:
        return table
    return (
        f"{table}\n\n**One training of each arm:** intervals and p are over test images only. Another training of the "
        "same arm would differ by more, so that nothing here is shown of a remedy; use --seeds 3 or more."
    )


def write_chart(path: Path, drawn: str | None) -> None:
    """Write a chart, if there is one, on white."""
    if drawn is not None:
        write_text(path, opaque(drawn))
