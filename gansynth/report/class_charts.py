"""Charts with a row per class: synthetic beside real, and which class is taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from gansynth.metrics.estimate import Estimate
from gansynth.report.drawing import GRID, INK, REAL, SYNTHETIC, as_svg, blank_figure, plain
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
    from matplotlib.ticker import PercentFormatter

    figure, axes = blank_figure(4.8, 0.95 + 0.29 * len(found))
    for y, (_, estimate) in enumerate(found):
        if estimate.floor is not None:
            low, high = floor_interval(metric, estimate)
            axes.plot([low, high], [y - 0.16] * 2, color=REAL, linewidth=1.6, solid_capstyle="butt")
            axes.plot(estimate.floor, y - 0.16, "D", color=REAL, markersize=4.8, label="_" if y else "real")
        if estimate.value is not None:
            if estimate.interval is not None:
                axes.plot(estimate.interval, [y + 0.16] * 2, color=SYNTHETIC, linewidth=1.6, solid_capstyle="butt")
            axes.plot(estimate.value, y + 0.16, "o", color=SYNTHETIC, markersize=5.6, label="_" if y else "synthetic")
    axes.set_yticks(range(len(found)), [plain(name) for name, _ in found])
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.set_xlabel(xlabel)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    if percent:
        axes.set_xlim(-0.02, 1.02)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    else:
        axes.set_xlim(left=0)
    marks = [axes.plot([], [], "D", color=REAL, markersize=4.8)[0], axes.plot([], [], "o", color=SYNTHETIC)[0]]
    figure.legend(marks, ["real", "synthetic"], loc="outside upper left", ncols=2, frameon=False, fontsize=9)
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
