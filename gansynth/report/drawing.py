"""What every figure of a report shares: its colours, its axes, and how it becomes SVG."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

# Real is the azure, synthetic the eosin of a Romanowsky stain; a colour-blind reader distinguishes them by lightness.
REAL = "#2b5c8a"
SYNTHETIC = "#d2789f"
INK = "#22272e"
FAINT = "#8b939c"
GRID = "#e6e9ec"

# Okabe and Ito's colours without the yellow, which vanishes on white; distinct in every kind of colour vision.
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#22272e", "#7a5c00")

# Paul Tol's "muted" colours and four more, for classes; the figures name classes beside the colour as well.
CLASSES = (
    *("#332288", "#88ccee", "#44aa99", "#117733", "#999933", "#ddcc77", "#cc6677", "#882255", "#aa4499"),
    *("#e07b39", "#1f78d1", "#6b6b6b", "#a5c400"),
)


def blank_figure(width: float, height: float, rows: int = 1, columns: int = 1, shared: bool = False) -> tuple[Any, Any]:
    """Start a figure in the report's style.

    Parameters
    ----------
    width, height : float
        Inches.
    rows, columns : int
        Panels; with more than one, the second value returned is an array of axes, shape [rows, columns].
    shared : bool
        Whether all panels have the same axes.

    Returns
    -------
    tuple of (matplotlib.figure.Figure, Axes or array of Axes)
    """
    from matplotlib.figure import Figure

    # No pyplot: it keeps global state and looks for a display.
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharex=shared, sharey=shared)
    for axes in panels.flat:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(FAINT)
        axes.tick_params(colors=INK, labelsize=8.5, color=FAINT)
        axes.xaxis.label.set(color=INK, fontsize=9)
        axes.yaxis.label.set(color=INK, fontsize=9)
    return figure, panels if rows * columns > 1 else panels[0, 0]


def name_rows(axes: Any, labels: Sequence[str]) -> None:
    """Name the rows of a chart from top to bottom, with lines across them in place of an axis on the left."""
    axes.set_yticks(range(len(labels)), [plain(label) for label in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def as_svg(figure: Any) -> str:
    """Return a matplotlib figure as one SVG element, the same text at every call."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.StringIO()
    # Letters as outlines: the chart looks the same on a machine without the font. A fixed salt keeps the file
    # the same from run to run.
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "gansynth"}):
        # savefig would draw everything once for the layout alone, which asks only how large things are.
        if (engine := figure.get_layout_engine()) is not None:
            FigureCanvasSVG(figure)
            figure.dpi = 72
            engine.execute(figure)
            figure.set_layout_engine(None)
        figure.savefig(buffer, format="svg", transparent=True, dpi=144, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return re.sub(r"\s*<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)


def opaque(svg: str) -> str:
    """Return a chart on white: charts are transparent, and the dark page of a reader would hide their letters."""
    return svg.replace(">", '><rect width="100%" height="100%" fill="#fff"/>', 1)


def short_lines(name: str, width: int = 36) -> str:
    """Return the name of an arm as it stands beside a chart: folders by their last name, over several lines if long.

    Examples
    --------
    >>> short_lines("augmentation+runs/my-cells+supplement:finish=0.2+logit-adjustment")
    'augmentation+my-cells+\\nsupplement:finish=0.2+logit-adjustment'
    """
    lines = [""]
    for part in re.split(r"(?<=\+)", re.sub(r"[^+]*/(?=[^+/])", "", name)):
        if lines[-1] and len(lines[-1]) + len(part) > width + 2:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def row_height(labels: Sequence[str]) -> float:
    """Return the inches of a chart's row that has room for the label with most lines."""
    return max(0.26, 0.06 + 0.14 * max(label.count("\n") + 1 for label in labels))


def plain(text: str) -> str:
    """Return `text` so that matplotlib draws it letter by letter: a pair of dollar signs would start a formula."""
    return text.replace("$", r"\$")
