"""Maps of features in two dimensions: where real and synthetic cells lie. Points are pixels: many stay light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansynth.report.drawing import CLASSES, INK, REAL, SYNTHETIC, as_svg, blank_figure, plain
from gansynth.report.quality_folder import FeatureMap

MOST = 300
"""Points drawn of one class and origin."""


def class_map(found: FeatureMap, names: Sequence[str]) -> str:
    """Draw all classes in one map: colour by class, filled dots real, crosses synthetic.

    Parameters
    ----------
    found : FeatureMap
    names : sequence of str
        Classes, in the order of their colours. Each name stands at the median of its real cells.

    Returns
    -------
    str
        An SVG element; the points in it are a picture.
    """
    from matplotlib import patheffects

    figure, axes = blank_figure(6.4, 4.9)
    for c, name in enumerate(names):
        color = CLASSES[c % len(CLASSES)]
        for is_real in (True, False):
            points = found.positions[_some(found, name, is_real)]
            style: dict[str, Any] = {"s": 7, "linewidths": 0, "alpha": 0.45}
            if not is_real:
                style = {"s": 17, "marker": "x", "linewidths": 0.9}
            axes.scatter(points[:, 0], points[:, 1], color=color, rasterized=True, **style)
    halo = [patheffects.withStroke(linewidth=3, foreground="white")]
    for name in names:
        of_class = found.positions[_some(found, name, True)]
        if len(of_class):
            x, y = np.median(of_class, axis=0)
            text = axes.text(x, y, plain(name), fontsize=8.5, ha="center", va="center", color=INK, weight="bold")
            text.set_path_effects(halo)
    _bare(axes)
    dots = [
        axes.scatter([], [], s=14, color=INK, alpha=0.6, linewidths=0),
        axes.scatter([], [], s=20, marker="x", color=INK, linewidths=0.9),
    ]
    figure.legend(dots, ["real", "synthetic"], loc="outside upper left", ncols=2, frameon=False, fontsize=9)
    return as_svg(figure)


def small_maps(found: FeatureMap, names: Sequence[str], columns: int = 4) -> str:
    """Draw one small map per class, all with the same axes: its real cells, its synthetic ones, all others in grey."""
    figure, panels = _panels(len(names), columns)
    for axes, name in zip(panels, names, strict=False):
        other = found.positions[found.is_real & (found.classes != name)][:: max(1, len(found.positions) // 1500)]
        axes.scatter(other[:, 0], other[:, 1], s=3, color="#e3e6ea", linewidths=0, rasterized=True)
        for is_real, color, size in ((True, REAL, 7), (False, SYNTHETIC, 9)):
            points = found.positions[_some(found, name, is_real)]
            axes.scatter(points[:, 0], points[:, 1], s=size, color=color, alpha=0.55, linewidths=0, rasterized=True)
        axes.set_title(plain(name), fontsize=9, color=INK)
    _legend(figure, panels[0])
    return as_svg(figure)


def source_maps(maps: Mapping[str, FeatureMap], names: Sequence[str], columns: int = 3) -> str:
    """Draw one small map per generator, all with the same axes: synthetic cells by class on real ones in grey.

    Parameters
    ----------
    maps : mapping of str to FeatureMap
        By the generator's name; the real cells of each are drawn in grey.
    names : sequence of str
        Classes, in the order of their colours.
    columns : int
        Maps in a row.

    Returns
    -------
    str
        An SVG element; the points in it are pictures.
    """
    from matplotlib import patheffects

    figure, panels = _panels(len(maps), columns, 2.05)
    halo = [patheffects.withStroke(linewidth=2.2, foreground="white")]
    for axes, (source, found) in zip(panels, maps.items(), strict=False):
        real = found.positions[found.is_real][:: max(1, int(found.is_real.sum()) // 2000)]
        axes.scatter(real[:, 0], real[:, 1], s=4, color="#d5dae0", linewidths=0, rasterized=True)
        for c, name in enumerate(names):
            points = found.positions[_some(found, name, False, MOST // 3)]
            color = CLASSES[c % len(CLASSES)]
            axes.scatter(points[:, 0], points[:, 1], s=7, color=color, alpha=0.75, linewidths=0, rasterized=True)
        for c, name in enumerate(names):
            of_class = found.positions[_some(found, name, True)]
            if len(of_class):
                x, y = np.median(of_class, axis=0)
                text = axes.text(x, y, f"{c + 1}", fontsize=8, ha="center", va="center", color=INK, weight="bold")
                text.set_path_effects(halo)
        axes.set_title(plain(source), fontsize=9.5, color=INK)
    return as_svg(figure)


def _panels(n: int, columns: int, side: float = 1.62) -> tuple[Any, NDArray[Any]]:
    columns = min(columns, n)
    rows = -(-n // columns)
    figure, panels = blank_figure(
        max(columns * side, 2.6), rows * (side * 0.86 + 0.2) + 0.3, rows, columns, shared=True
    )
    flat = np.atleast_1d(np.asarray(panels, dtype=object)).ravel()
    for axes in flat:
        _bare(axes)
    for axes in flat[n:]:
        axes.set_visible(False)
    return figure, flat


def _bare(axes: Any) -> None:
    """Leave a frame only: the axes of a projection have no unit."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color("#cfd5db")


def _legend(figure: Any, axes: Any) -> None:
    marks = [axes.scatter([], [], s=16, color=color, linewidths=0) for color in (REAL, SYNTHETIC)]
    figure.legend(marks, ["real", "synthetic"], loc="outside upper left", ncols=2, frameon=False, fontsize=9)


def _some(found: FeatureMap, name: str, is_real: bool, most: int = MOST) -> NDArray[np.int64]:
    """At most `most` cells of a class and origin, evenly from the file's order."""
    index = np.flatnonzero((found.classes == name) & (found.is_real == is_real))
    return index if len(index) <= most else index[np.linspace(0, len(index) - 1, most).astype(int)]
