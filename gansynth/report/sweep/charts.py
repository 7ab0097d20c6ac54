"""Metrics and differences over the imbalance ratio, as SVG (pasupa2020, table 3 and figure 13)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gansynth.remedies.arm import NONE
from gansynth.report.drawing import FAINT, GRID, INK, SERIES, as_svg, blank_figure, plain, short_lines
from gansynth.report.figures import spread_labels
from gansynth.studies.sweep.result import Point

RHO = "imbalance ratio ρ: largest class / smallest class"

_COLORS = tuple(color for color in SERIES if color != INK)
_DASHES = ("-", "--", "-.", ":")
_MOST_BARS, _MOST_NAMED = 6, 9
"""Lines beyond which intervals hide each other, and beyond which names no longer fit at the lines' ends."""
_PANEL, _LETTER = 2.2, 0.085
"""Inches: the width of one of several small charts, and of a letter of its title."""
_PLOT, _NAME = 3.2, 0.075
"""Inches: the width that a chart keeps beside the names of its lines, and of a letter of these."""


def ratio_chart(
    lines: Mapping[str, Sequence[Point]], ylabel: str, *, rare: str = "", images: Mapping[float, int] | None = None
) -> str:
    """Draw metrics over the imbalance ratio: ``none`` dark with its band, the others in colours.

    Parameters
    ----------
    lines : mapping of arm to sequence of Point
        Rising in rho.
    ylabel : str
    rare : str
        The class that becomes rare, where it is one.
    images : mapping of rho to int, optional
        Its training images, written below the ratios.

    Returns
    -------
    str
        An SVG element.
    """
    drawn = {name: points for name, points in lines.items() if points}
    named = len(drawn) <= _MOST_NAMED
    longest = max((len(_shown(name)) for name in drawn), default=0)
    figure, axes = blank_figure(max(5.4, _PLOT + _NAME * longest), 3.1 if named else 0.7 + 0.2 * len(drawn))
    looks = arm_looks(list(drawn))
    for i, (name, points) in enumerate(drawn.items()):
        color, dash = looks[name]
        aside = 1.0 + 0.02 * (i - (len(drawn) - 1) / 2)
        _draw(axes, points, color, dash, name == NONE, len(drawn), aside)
    _rho_axis(axes, [point.rho for points in drawn.values() for point in points], images)
    axes.set_xlabel(f"{RHO};\nbelow: training images of {plain(rare)}" if images else RHO)
    axes.set_ylabel(ylabel)
    if named:
        _names(axes, drawn, looks)
    else:
        marks = [axes.plot([], [], looks[name][1], color=looks[name][0])[0] for name in drawn]
        figure.legend(marks, [_shown(name) for name in drawn], loc="outside right upper", frameon=False, fontsize=8.5)
    return as_svg(figure)


def difference_chart(found: Mapping[str, Sequence[Point]], ylabel: str, columns: int = 3) -> str:
    """Draw one small chart per remedy, all with the same axes: how far it is from ``none`` over the ratio.

    Parameters
    ----------
    found : mapping of arm to sequence of Point
        Differences; filled where the corrected test shows one.
    ylabel : str
    columns : int

    Returns
    -------
    str
        An SVG element.
    """
    titles = {name: short_lines(plain(name), 26) for name in found}
    longest = max(len(line) for title in titles.values() for line in title.split("\n"))
    width = max(_PANEL, _LETTER * longest)
    columns = max(1, min(columns, len(found), int(3 * _PANEL / width)))
    rows = -(-len(found) // columns)
    height = 1.6 + 0.15 * max(title.count("\n") for title in titles.values())
    figure, panels = blank_figure(max(columns * width, 2.8), rows * height + 0.4, rows, columns, shared=True)
    flat = np.atleast_1d(np.asarray(panels, dtype=object)).ravel()
    looks = arm_looks([NONE, *found])
    rhos = [point.rho for points in found.values() for point in points]
    for axes, (name, points) in zip(flat, found.items(), strict=False):
        color = looks[name][0]
        axes.axhline(0, color=FAINT, linewidth=1.0, zorder=1)
        axes.plot([p.rho for p in points], [p.value for p in points], color=color, linewidth=1.2, alpha=0.6)
        for point in points:
            if point.interval is not None:
                axes.plot([point.rho] * 2, point.interval, color=color, linewidth=1.4)
            face = color if point.shown else "white"
            axes.plot(point.rho, point.value, "o", color=color, markerfacecolor=face, markersize=5)
        axes.set_title(titles[name], fontsize=9)
        _rho_axis(axes, rhos)
        axes.label_outer()
    for axes in flat[len(found) :]:
        axes.set_visible(False)
    figure.supxlabel("imbalance ratio ρ", fontsize=9)
    figure.supylabel(ylabel, fontsize=9)
    return as_svg(figure)


def arm_looks(arms: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return colour and dash of each arm: ``none`` dark, the others in turn."""
    others = [name for name in arms if name != NONE]
    looks = {
        name: (_COLORS[i % len(_COLORS)], _DASHES[i // len(_COLORS) % len(_DASHES)]) for i, name in enumerate(others)
    }
    return {NONE: (INK, "-"), **looks}


def _draw(axes: Any, points: Sequence[Point], color: str, dash: str, is_none: bool, n_lines: int, aside: float) -> None:
    ends = [(p.rho, *p.interval) for p in points if p.interval is not None]
    rhos = [p.rho for p in points]
    if ends and (is_none or n_lines <= 2):
        axes.fill_between(*(list(part) for part in zip(*ends, strict=True)), color=color, alpha=0.12, linewidth=0)
    elif n_lines <= _MOST_BARS:
        rhos = [rho * aside for rho in rhos]
        for rho, low, high in ends:
            axes.plot([rho * aside] * 2, [low, high], color=color, linewidth=1.0, alpha=0.55)
    axes.plot(
        rhos, [p.value for p in points], dash, marker="D" if is_none else "o", color=color,
        linewidth=2.0 if is_none else 1.5, markersize=4.2, zorder=3,
    )  # fmt: skip


def _rho_axis(axes: Any, rhos: Sequence[float], images: Mapping[float, int] | None = None) -> None:
    """Let equal steps stand for equal factors, with a tick at every ratio that there is room for."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    at = sorted(set(rhos))
    if at and at[-1] > at[0]:
        axes.set_xscale("log")
        room = math.log(at[-1] / at[0]) / 9
        ticks = [at[-1]]
        for rho in reversed(at[:-1]):
            if math.log(ticks[-1] / rho) >= room:
                ticks.append(rho)
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        ticks = at
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    below = {f"{rho:.3g}": f"\n{n:,}" for rho, n in (images or {}).items()}
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}{below.get(f'{value:.3g}', '')}"))
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def _names(axes: Any, drawn: Mapping[str, Sequence[Point]], looks: Mapping[str, tuple[str, str]]) -> None:
    low, high = axes.get_ylim()
    ends = sorted((points[-1].value, name) for name, points in drawn.items())
    for height, (_, name) in zip(spread_labels([end[0] for end in ends], low, high), ends, strict=True):
        where = (1.02, (height - low) / (high - low))
        style = {"xycoords": "axes fraction", "va": "center", "annotation_clip": False}
        axes.annotate(_shown(name), xy=where, color=looks[name][0], fontsize=8.5, **style)


def _shown(name: str) -> str:
    return "none (as they are)" if name == NONE else plain(name)
