"""Maps of features in two dimensions: where real and synthetic cells lie. Points are pixels: many stay light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gansynth.report.drawing import CLASSES, INK, REAL, SYNTHETIC, as_svg, blank_figure, plain
from gansynth.studies.quality.shown import FeatureMap

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

    found = stretched(found)
    figure, axes = blank_figure(6.4, 4.9)
    for c, name in enumerate(names):
        color = CLASSES[c % len(CLASSES)]
        for is_real in (True, False):
            points = found.positions[_some(found, name, is_real)]
            style: dict[str, Any] = {"s": 7, "linewidths": 0, "alpha": 0.45}
            if not is_real:
                style = {"s": 17, "marker": "x", "linewidths": 0.9}
            axes.scatter(points[:, 0], points[:, 1], color=color, rasterized=True, **style)
    _bare(axes)
    halo = [patheffects.withStroke(linewidth=3, foreground="white")]
    known = [name for name in names if len(_some(found, name, True))]
    centres = [np.median(found.positions[_some(found, name, True)], axis=0) for name in known]
    places = np.clip(axes.transLimits.transform(centres), 0.0, 1.0) if known else []
    for name, (x, y) in zip(known, apart(places, [0.0125 * len(name) + 0.01 for name in known]), strict=True):
        style = {"transform": axes.transAxes, "ha": "center", "va": "center", "weight": "bold"}
        axes.text(x, y, plain(name), fontsize=8.5, color=INK, **style).set_path_effects(halo)
    dots = [
        axes.scatter([], [], s=14, color=INK, alpha=0.6, linewidths=0),
        axes.scatter([], [], s=20, marker="x", color=INK, linewidths=0.9),
    ]
    figure.legend(dots, ["real", "synthetic"], loc="outside upper left", ncols=2, frameon=False, fontsize=9)
    return as_svg(figure)


def apart(places: ArrayLike, widths: Sequence[float], height: float = 0.042) -> NDArray[np.float64]:
    """Push labels up and down until none covers another.

    Parameters
    ----------
    places : float array, shape [n, 2]
        Centres, as shares of the map.
    widths : sequence of n float
    height : float
        Of a label.

    Returns
    -------
    float64 array, shape [n, 2]
        Where no place was left within the map, labels still touch.
    """
    at = np.array(places, dtype=np.float64).reshape(-1, 2)
    for i, width in enumerate(widths):
        at[i, 0] = np.clip(at[i, 0], width / 2, 1 - width / 2)
    for _ in range(200):
        moved = False
        for i in range(len(at)):
            for j in range(i):
                gap = height - abs(at[i, 1] - at[j, 1])
                if gap > 1e-6 and abs(at[i, 0] - at[j, 0]) < (widths[i] + widths[j]) / 2:
                    up = i if (at[i, 1], i) > (at[j, 1], j) else j
                    at[up, 1] += gap / 2
                    at[i + j - up, 1] -= gap / 2
                    moved = True
        at[:, 1] = np.clip(at[:, 1], height / 2, 1 - height / 2)
        if not moved:
            break
    return at


def stretched(found: FeatureMap, like: FeatureMap | None = None) -> FeatureMap:
    """Open up crowded regions: each axis becomes mostly the rank among the real cells, in part the position itself.

    A few classes far from all others would leave the rest in one spot. The order along each axis stays. With
    `like`, by the ranks among its cells, so that two maps keep the same axes.
    """
    base = found if like is None else like
    real = base.positions[base.is_real] if base.is_real.any() else base.positions
    columns = []
    for axis in range(2):
        order = np.sort(real[:, axis])
        rank = np.interp(found.positions[:, axis], order, np.linspace(0, 1, len(order)))
        width = float(order[-1] - order[0]) or 1.0
        columns.append(0.8 * rank + 0.2 * (found.positions[:, axis] - order[0]) / width)
    return FeatureMap(np.column_stack(columns), found.classes, found.is_real)


def small_maps(found: FeatureMap, names: Sequence[str], columns: int = 4) -> str:
    """Draw one small map per class, all with the same axes: its real cells, its synthetic ones, all others in grey."""
    found = stretched(found)
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
    for axes, (source, raw) in zip(panels, maps.items(), strict=False):
        found = stretched(raw, next(iter(maps.values())))
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
