"""How much is enough: values against the dose of a remedy, the share of the way to balance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gansynth.metrics.wording import inside
from gansynth.report.blocks import Block, Cell, Drawing, Drawings, Grid, Row
from gansynth.report.drawing import GRID, SERIES, SYNTHETIC, as_svg, blank_figure, plain
from gansynth.report.figures import spread_labels
from gansynth.report.numbers import listed
from gansynth.report.page import Section
from gansynth.studies.comparison.entries import DoseCurve
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.verdict import shown_pair

Points = Sequence[tuple[float, float, float | None, float | None]]


def doses(results: Comparison) -> list[Section]:
    """Show every endpoint against the dose, then the recall of every other class, and the dose that helps most."""
    known = [dose for dose in results.doses if len(dose.known) > 1]
    if not known:
        return []
    remedies = list(dict.fromkeys(dose.remedy for dose in known))
    main = [dose for dose in known if dose.endpoint in results.about.endpoints]
    drawings = []
    for endpoint in dict.fromkeys(dose.endpoint for dose in main):
        lines = {_name(d, remedies): d.known for d in main if d.endpoint == endpoint}
        drawn = dose_chart(lines, inside(endpoint.title))
        caption = "With 95% intervals. 0%: without the remedy; 100%: balance."
        drawings.append(Drawing(drawn, caption, endpoint.title, 34))
    blocks: list[Block] = [Drawings(drawings)] if drawings else []
    blocks += _every_class(results, [dose for dose in known if dose not in main])
    table = _best(results)
    if table is not None:
        blocks.append(table)
    text = (
        f"{listed(remedies)}: the same classifiers after so much of the way to balance. "
        "The useful dose is often below full balance."
    )
    return [Section("How much is enough", [text], blocks=blocks)]


def dose_chart(lines: Mapping[str, Points], ylabel: str) -> str:
    """Draw metrics against the dose, each named at its right end.

    Parameters
    ----------
    lines : mapping of str to sequence of (dose, value, low, high)
        Doses rising; low and high None where there is no interval.
    ylabel : str

    Returns
    -------
    str
        An SVG element.
    """
    figure, axes = blank_figure(5.0, 3.0)
    for i, (points, color) in enumerate(zip(lines.values(), _colors(len(lines)), strict=True)):
        # Bands of more than two lines hide each other; bars beside each other do not.
        _draw(axes, points, color, None if len(lines) < 3 else 0.012 * (i - (len(lines) - 1) / 2))
    _percent_axis(axes)
    axes.set_ylabel(ylabel)
    low, high = axes.get_ylim()
    ends = sorted(
        (points[-1][1], name, color) for (name, points), color in zip(lines.items(), _colors(len(lines)), strict=True)
    )
    for height, (_, name, color) in zip(spread_labels([e[0] for e in ends], low, high), ends, strict=True):
        where = (1.02, (height - low) / (high - low))
        style = {"xycoords": "axes fraction", "va": "center", "annotation_clip": False}
        axes.annotate(plain(name), xy=where, color=color, fontsize=8.5, **style)
    return as_svg(figure)


def class_doses(found: Mapping[str, Points], columns: int = 4) -> str:
    """Draw one small chart per class, all with the same axes: recall against the dose."""
    columns = min(columns, len(found))
    rows = -(-len(found) // columns)
    figure, panels = blank_figure(max(columns * 1.75, 2.6), rows * 1.35 + 0.3, rows, columns, shared=True)
    flat = np.atleast_1d(np.asarray(panels, dtype=object)).ravel()
    for axes, (name, points) in zip(flat, found.items(), strict=False):
        _draw(axes, points, SYNTHETIC)
        axes.set_title(plain(name), fontsize=9)
        _percent_axis(axes, "")
    for axes in flat[len(found) :]:
        axes.set_visible(False)
    figure.supxlabel("dose", fontsize=9)
    figure.supylabel("recall", fontsize=9)
    return as_svg(figure)


def _every_class(results: Comparison, found: Sequence[DoseCurve]) -> list[Block]:
    shown = shown_pair(results)
    classifier = shown[1] if shown else None
    mine = [d for d in found if d.endpoint.metric == "recall" and d.endpoint.class_name and d.classifier == classifier]
    charts = []
    for remedy in dict.fromkeys(d.remedy for d in mine):
        of_class = {str(d.endpoint.class_name): d.known for d in mine if d.remedy == remedy}
        ordered = {name: of_class[name] for name in results.by_rarity if name in of_class}
        if ordered:
            caption = f"Recall of the other classes by {classifier}; bands: 95% intervals."
            charts.append(Drawing(class_doses(ordered), caption, f"The other classes, {remedy}", 48))
    return [Drawings(charts)] if charts else []


def _best(results: Comparison) -> Grid | None:
    by_row: dict[tuple[str, str], dict[str, str]] = {}
    for one in results.best_dose:
        by_row.setdefault((one.remedy, one.classifier), {})[one.endpoint.title] = f"{one.dose:.0%}"
    heads = list(dict.fromkeys(title for found in by_row.values() for title in found))
    rows = [
        Row(remedy, [Cell(found.get(head, "–")) for head in heads], small=classifier)
        for (remedy, classifier), found in by_row.items()
    ]
    caption = (
        "The dose with the highest figure. Where the bands of neighbouring doses overlap, the next comparison may "
        "find another; a dose chosen on these test images needs others to confirm it."
    )
    return Grid(["remedy", *heads], rows, caption) if rows else None


def _name(dose: DoseCurve, remedies: Sequence[str]) -> str:
    return dose.classifier if len(remedies) == 1 else f"{dose.remedy}, {dose.classifier}"


def _colors(n: int) -> list[str]:
    return [SERIES[i % len(SERIES)] for i in range(n)]


def _draw(axes: Any, points: Points, color: str, aside: float | None = None) -> None:
    """Draw a line with its band, or where `aside` is given with bars, moved so much of the width to the side."""
    span = (points[-1][0] - points[0][0]) or 1.0
    x, y = [p[0] + span * (aside or 0.0) for p in points], [p[1] for p in points]
    ends = [(at, p[2], p[3]) for at, p in zip(x, points, strict=True) if p[2] is not None and p[3] is not None]
    if ends and aside is None:
        axes.fill_between(*(list(part) for part in zip(*ends, strict=True)), color=color, alpha=0.13, linewidth=0)
    for at, low, high in ends if aside is not None else ():
        axes.plot([at, at], [low, high], color=color, linewidth=1.0, alpha=0.55)
    axes.plot(x, y, "-o", color=color, linewidth=1.6, markersize=4.4)


def _percent_axis(axes: Any, label: str = "dose: share of the way to balance") -> None:
    from matplotlib.ticker import PercentFormatter

    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel(label)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
