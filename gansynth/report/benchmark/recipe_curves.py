"""Curves over training: how often each recipe's cells are recognised, and how varied they stay."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from gansynth.report.blocks import Drawing, Drawings
from gansynth.report.drawing import GRID, INK, SERIES, as_svg, blank_figure, plain
from gansynth.report.figures import spread_labels
from gansynth.report.page import Section
from gansynth.studies.benchmark.result import Benchmark

_WATCHED = {"Recognised": "recognised, mean of classes", "Diversity": "diversity as a share of real, mean"}
_ALONG = {"images": "real images seen", "minutes": "minutes of training"}
_DASHES = ("-", "--", "-.", ":")


def curves(found: Benchmark) -> list[Section]:
    """Show recall and diversity of every run against images seen and against minutes."""
    charts = []
    for title, ylabel in _WATCHED.items():
        for along, xlabel in _ALONG.items():
            lines: dict[str, list[tuple[ArrayLike, ArrayLike]]] = {r: [] for r in found.ordered}
            known: list[float] = []
            for run in found.curves:
                x = run.images if along == "images" else run.minutes
                if x:
                    lines[run.recipe].append((x, _numbers(run.recall if title == "Recognised" else run.diversity)))
                    known += [v for v in run.real_recall if v is not None]
            if not any(lines.values()):
                continue
            # The watch gives diversity as a share of that of real cells.
            real = 1.0 if title == "Diversity" else sum(known) / len(known) if known else None
            drawn = recipe_curves(lines, xlabel=xlabel, ylabel=ylabel, real=real)
            caption = "One line per run." if real is None else "One line per run; dotted: real cells."
            charts.append(Drawing(drawn, caption, f"{title} against {xlabel}", 36))
    if not charts:
        return []
    text = (
        "At intervals during training an independent classifier looked at images of every class. As many images seen "
        "is not as much time: a GAN with more critic steps pays for each image."
    )
    return [Section("While they trained", [text], blocks=[Drawings(charts)])]


def recipe_curves(
    curves: Mapping[str, Sequence[tuple[ArrayLike, ArrayLike]]],
    *,
    xlabel: str,
    ylabel: str,
    real: float | None = None,
    percent: bool = True,
    styles: Mapping[str, tuple[str, str]] | None = None,
) -> str:
    """Draw one line per run, in the colour of its recipe, with the recipe's name at the end.

    Parameters
    ----------
    curves : mapping of recipe to sequence of (x, y)
        The runs of each recipe, y as a share; points that are not finite are left out.
    xlabel, ylabel : str
    real : float or None
        What real cells score, as a dotted line.
    percent : bool
        Whether y is a share 0..1 to be shown in percent, else any number from 0.
    styles : mapping of recipe to (colour, dash), or None
        How each is drawn; None: colours in turn.

    Returns
    -------
    str
        An SVG element.
    """
    from matplotlib.ticker import FuncFormatter, PercentFormatter

    figure, axes = blank_figure(5.4, 3.1)
    ends: list[tuple[float, str, str]] = []
    for r, (recipe, runs) in enumerate(curves.items()):
        color, dash = SERIES[r % len(SERIES)], _DASHES[r // len(SERIES) % len(_DASHES)]
        if styles is not None:
            color, dash = styles[recipe]
        last = []
        for x, y in runs:
            at, value = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
            known = np.isfinite(at) & np.isfinite(value)
            if known.any():
                axes.plot(at[known], value[known], dash, color=color, linewidth=1.4, alpha=0.85)
                last.append(float(value[known][-1]))
        if last:
            ends.append((float(np.mean(last)), recipe, color))
    furthest = max((float(np.max(line.get_xdata())) for line in axes.lines), default=1.0)
    if real is not None:
        axes.axhline(real, color=INK, linewidth=1.0, linestyle=(0, (1, 2)))
        ends.append((real, "real", INK))
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    if percent:
        axes.set_ylim(0, max(1.02, axes.get_ylim()[1]))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    else:
        axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
    axes.set_xlim(0, furthest)
    low, high = axes.get_ylim()
    ends.sort()
    for height, (_, name, color) in zip(spread_labels([e[0] for e in ends], low, high), ends, strict=True):
        where = (1.01, (height - low) / (high - low))
        style = {"xycoords": "axes fraction", "va": "center", "annotation_clip": False}
        axes.annotate(plain(name), xy=where, color=color, fontsize=8.5, **style)
    return as_svg(figure)


def _short(value: float) -> str:
    """1.2 M, 300 k, 50: as a tick."""
    for size, unit in ((1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [math.nan if value is None else value for value in values]
