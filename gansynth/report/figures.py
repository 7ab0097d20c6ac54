"""Figures of a report: charts as SVG. Numbers in, pictures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from gansynth.report.drawing import GRID, INK, REAL, SYNTHETIC, as_svg, blank_figure


def counts_chart(real: Mapping[str, int], synthetic: Mapping[str, int], *, real_name: str = "real") -> str:
    """Draw the images per class, before and after balancing, as stacked bars.

    Parameters
    ----------
    real, synthetic : mapping of str to int
        Images per class; a class absent from `synthetic` got none.
    real_name : str
        What the first kind is called: "real", or "phantom" for drawn cells.

    Returns
    -------
    str
        An SVG element.
    """
    names = sorted(real, key=lambda name: (-real[name], name))
    first = np.array([real[name] for name in names])
    second = np.array([synthetic.get(name, 0) for name in names])
    figure, axes = blank_figure(5.8, 0.9 + 0.24 * len(names))
    position = np.arange(len(names))
    axes.barh(position, first, color=REAL, height=0.68, label=real_name)
    axes.barh(position, second, left=first, color=SYNTHETIC, height=0.68, label="synthetic")
    widest = int((first + second).max())
    for y, (a, b) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        text = f"{a:,} + {b:,}" if b else f"{a:,}"
        axes.text(a + b + widest * 0.012, y, text, va="center", fontsize=8, color=INK)
    axes.set_yticks(position, names)
    axes.invert_yaxis()
    axes.set_xlim(0, widest * 1.16)
    axes.set_xlabel("training images")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=9, handlelength=1.2)
    return as_svg(figure)


def curves_chart(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    xlabel: str,
    ylabel: str,
    percent: bool = False,
    emphasis: Sequence[str] = (),
) -> str:
    """Draw curves over training, each named at its right end.

    Parameters
    ----------
    curves : mapping of str to (x, y)
        Finite x and y of equal length.
    xlabel, ylabel : str
        Names of the axes, with units.
    percent : bool
        Whether y is a share 0..1 to be shown in percent.
    emphasis : sequence of str
        Curves drawn strongly; the others stand back. Empty: all alike.

    Returns
    -------
    str
        An SVG element.
    """
    from matplotlib.ticker import PercentFormatter

    figure, axes = blank_figure(5.8, 2.7)
    palette = (REAL, SYNTHETIC, "#5d8a4f", "#a1752b", "#6a5a9c", "#3d8f8f")
    strong = list(emphasis) or list(curves)
    ends: list[tuple[float, str, str]] = []
    for name, (x, y) in curves.items():
        at, value = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        is_strong = name in strong
        color = palette[strong.index(name) % len(palette)] if is_strong else "#c9ced4"
        line = {"color": color, "linewidth": 1.8 if is_strong else 1.0, "zorder": 3 if is_strong else 2}
        axes.plot(at, value, marker="o" if len(value) == 1 else "", clip_on=len(value) > 1, **line)
        if is_strong and len(value):
            ends.append((float(value[-1]), name, color))
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    if percent:
        axes.set_ylim(-0.02, 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.margins(x=0.0)
    if all(
        len(np.atleast_1d(x)) < 2 for x, _ in curves.values()
    ):  # a point alone has no width: begin with the training
        axes.set_xlim(left=0)
    low, high = axes.get_ylim()
    for height, (_, name, color) in zip(
        spread_labels([end[0] for end in sorted(ends)], low, high), sorted(ends), strict=True
    ):
        where = {"xy": (1.01, (height - low) / (high - low)), "xycoords": "axes fraction"}
        axes.annotate(name, **where, color=color, fontsize=8.5, va="center", annotation_clip=False)
    return as_svg(figure)


def spread_labels(heights: Sequence[float], low: float, high: float) -> list[float]:
    """Push rising label positions apart until none overlaps, then back inside the axes."""
    step = (high - low) * 0.085
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + step) if placed else height)
    for i in reversed(range(len(placed))):
        top = high if i == len(placed) - 1 else placed[i + 1] - step
        placed[i] = min(placed[i], top)
    return placed
