"""Charts with a row per class: synthetic beside real, and which class is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gansynth.metrics.estimate import Estimate
from gansynth.report.drawing import (
    INK,
    REAL,
    SYNTHETIC,
    as_svg,
    blank_figure,
    name_rows,
    plain,
    row_height,
    short_lines,
)
from gansynth.report.judgement import floor_interval


def against_real_chart(
    metric: str, found: Sequence[tuple[str, Estimate]], *, xlabel: str, percent: bool = False
) -> str:
    """Draw a metric of every class, with its interval, beside what real cells of the class score.

    Parameters
    ----------
    metric : str
        Its name in the catalogue.
    found : sequence of (class name, Estimate)
        From top to bottom; a class without a value shows its real mark alone.
    xlabel : str
        What the axis counts, with its unit.
    percent : bool
        Whether it is a share 0..1 to be shown in percent.

    Returns
    -------
    str
        An SVG element.
    """
    rows = []
    for name, estimate in found:
        real = None
        if estimate.floor is not None:
            real = Estimate(estimate.floor, estimate.floor_n or 0, floor_interval(metric, estimate))
        rows.append((name, [real, estimate]))
    kinds = (Mark("real", REAL, "D"), Mark("synthetic", SYNTHETIC, "o"))
    return dodged_chart(rows, kinds, xlabel=xlabel, percent=percent, limits=None if percent else (0.0, None))


@dataclass(frozen=True)
class Mark:
    """How one kind of estimate is drawn and named."""

    name: str
    color: str
    shape: str = "o"


def dodged_chart(
    rows: Sequence[tuple[str, Sequence[Estimate | None]]],
    kinds: Sequence[Mark],
    *,
    xlabel: str,
    percent: bool = False,
    limits: tuple[float | None, float | None] | None = None,
    columns: int = 4,
    width: float = 4.8,
) -> str:
    """Draw estimates with their intervals, a row for each name and in it a mark for each kind.

    Parameters
    ----------
    rows : sequence of (name, estimates)
        From top to bottom; as many estimates as `kinds`, None where there is none.
    kinds : sequence of Mark
    xlabel : str
        What the axis counts, with its unit.
    percent : bool
        Whether it is a share 0..1 to be shown in percent, all of it.
    limits : (low, high) or None
        Of the axis, None where the marks decide.
    columns : int
        Kinds named side by side above the chart.
    width : float
        Inches.

    Returns
    -------
    str
        An SVG element.
    """
    from matplotlib.ticker import PercentFormatter

    step = min(0.32, 0.8 / max(len(kinds), 1))
    names = [plain(short_lines(mark.name)) for mark in kinds]
    fits = max(1, int(12 * width) // max(map(len, names), default=1))  # of letters of this size, 12 are an inch
    columns = min(columns, fits)
    legend = [max(name.count("\n") + 1 for name in names[k : k + columns]) for k in range(0, len(names), columns)]
    labels = [short_lines(name) for name, _ in rows]
    row = max(0.29, 0.115 * len(kinds), row_height(labels) if labels else 0)
    figure, axes = blank_figure(width, 0.75 + 0.19 * sum(legend) + row * len(rows))
    for y, (_, estimates) in enumerate(rows):
        for k, (mark, estimate) in enumerate(zip(kinds, estimates, strict=True)):
            if estimate is None or estimate.value is None:
                continue
            at = y + step * (k - (len(kinds) - 1) / 2)
            if estimate.interval is not None:
                axes.plot(estimate.interval, [at] * 2, color=mark.color, linewidth=1.6, solid_capstyle="butt")
            axes.plot(estimate.value, at, mark.shape, color=mark.color, markersize=4.8 if mark.shape == "D" else 5.6)
    name_rows(axes, labels)
    axes.set_xlabel(xlabel)
    if percent:
        axes.set_xlim(-0.02, 1.02)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    elif limits is not None:
        axes.set_xlim(*limits)
    marks = [axes.plot([], [], m.shape, color=m.color, markersize=4.8 if m.shape == "D" else 6)[0] for m in kinds]
    figure.legend(marks, names, loc="outside upper left", ncols=columns, frameon=False, fontsize=9)
    return as_svg(figure)


def confusion_chart(counts: ArrayLike, names: Sequence[str], rows: str = "asked for") -> str:
    """Draw which class (column) the images of each class (row) are taken for, as shares of the row.

    Parameters
    ----------
    counts : int array, shape [C, C] or wider
        Images asked for as the row's class and put into the column's. Further columns are classes that the classifier
        knows and the images do not have; they are drawn as one where any image is put there.
    names : sequence of C str
    rows : str
        What a row is: the class asked for, or of real images the class that they are.

    Returns
    -------
    str
        An SVG element.
    """
    table, c = np.asarray(counts, dtype=float), len(names)
    labels = [plain(name) for name in names]
    across = labels if not table[:, c:].any() else [*labels, "another class"]
    if table.shape[1] > c:
        table = np.column_stack([table[:, :c], table[:, c:].sum(axis=1)])[:, : len(across)]
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    side = 1.6 + 0.42 * c
    figure, axes = blank_figure(side, side * 0.94)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.15, aspect="equal")
    for row, column in np.argwhere(shares >= 0.005):
        share = shares[row, column]
        tone = "white" if share > 0.6 else INK
        axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=8.5, color=tone)
    axes.set_xticks(range(len(across)), across, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(c), labels)
    axes.set_xticks(np.arange(len(across) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(c + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.2)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("taken for")
    axes.set_ylabel(rows)
    return as_svg(figure)
