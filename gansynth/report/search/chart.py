"""The candidates of a search in the order in which they were tried, as SVG."""

from __future__ import annotations

from itertools import accumulate

from gansynth.report.drawing import FAINT, GRID, INK, REAL, SERIES, as_svg, blank_figure, plain, short_lines
from gansynth.report.figures import spread_labels
from gansynth.studies.search.result import CHOSEN_BY, RemedySearch


def trials_chart(search: RemedySearch) -> str:
    """Draw the score of every candidate whose folds are all finished, the best so far, and what stands beside them.

    A bar is the 95% interval of the difference from the first arm beside the search, drawn from that arm's line: one
    that does not meet the line shows a difference.

    Parameters
    ----------
    search : RemedySearch
        With at least one candidate whose folds are all finished.

    Returns
    -------
    str
        An SVG element.
    """
    from matplotlib.ticker import MaxNLocator

    figure, axes = blank_figure(5.2, 3.0)
    tried = [(k, row) for k, row in search.tried if row in search.whole]
    base = next((row for row in search.whole if row.arm == search.against), None)
    for k, row in tried:
        low, high = row.gain.interval
        if base is not None and low is not None and high is not None:
            axes.plot([k, k], [base.mean + low, base.mean + high], color=REAL, linewidth=1.4, alpha=0.5, zorder=2)
        best = search.best is not None and row.arm == search.best.arm
        axes.plot(k, row.mean, "o", color=REAL, markerfacecolor=REAL if best else "white", markersize=6, zorder=4)
    numbers, highest = [k for k, _ in tried], list(accumulate((row.mean for _, row in tried), max))
    axes.step([*numbers, numbers[-1] + 0.5], [*highest, highest[-1]], where="post", color=REAL, linewidth=1.2, zorder=3)
    ends = [(highest[-1], "best so far", REAL)]
    for row, color in zip((row for row in search.whole if not row.values), (INK, *SERIES[1:]), strict=False):
        axes.axhline(row.mean, color=color, linewidth=1.4, linestyle="--", zorder=1)
        ends.append((row.mean, short_lines(row.arm, 24), color))
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -0.02), min(high, 1.02))  # intervals of few folds reach beyond what a score can be
    axes.set_xlim(0.5, numbers[-1] + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(min(12, numbers[-1]), integer=True, min_n_ticks=1))
    axes.set_xlabel("trial")
    axes.set_ylabel(f"{CHOSEN_BY}, mean of the folds")
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", color=FAINT)
    low, high = axes.get_ylim()
    ends.sort()
    for height, (_, name, color) in zip(spread_labels([end[0] for end in ends], low, high), ends, strict=True):
        where = {"xy": (1.01, (height - low) / (high - low)), "xycoords": "axes fraction"}
        axes.annotate(plain(name), **where, color=color, fontsize=8.5, va="center", annotation_clip=False)
    return as_svg(figure)
