"""Figures 10 and 13 of pasupa2020 as SVG; figures 11 and 12 are those of a comparison's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sklearn.metrics import roc_curve

from gansynth.remedies.arm import NONE
from gansynth.report.drawing import CLASSES, FAINT, GRID, SERIES, as_svg, blank_figure, plain
from gansynth.report.sweep.charts import RHO
from gansynth.studies.comparison.result import Comparison

DASHES = ("--", "-")


def roc_chart(results: Comparison, classifier: str, arms: Sequence[str]) -> str | None:
    """Draw the receiver operating characteristic of every class with two arms, the first dashed (figure 10).

    Of every seed a line; the legend says the class's ROC AUC in each arm.

    Returns
    -------
    str or None
        An SVG element; None where no arm was carried out.
    """
    figure, axes = blank_figure(4.6, 3.6 + 0.2 * len(results.class_names))
    marks, names = [], []
    for c, class_name in enumerate(results.class_names):
        said = []
        for arm, dash in zip(arms, DASHES, strict=True):
            entry = results.entry(arm, classifier)
            if entry is None:
                continue
            for seed in dict.fromkeys(run.seed for run in entry.runs):
                found = results.predictions(entry, seed)
                if found is not None:
                    false, true, _ = roc_curve(found.labels == c, found.probabilities[:, c])
                    axes.plot(false, true, dash, color=CLASSES[c % len(CLASSES)], linewidth=1.1, alpha=0.8)
            auc = entry.classes[class_name]["ROC-AUC"].value
            said.append(f"{arm} {'-' if auc is None else f'{auc:.3f}'}")
        if said:
            marks.append(axes.plot([], [], color=CLASSES[c % len(CLASSES)], linewidth=2)[0])
            names.append(plain(f"{class_name}: {', '.join(said)}"))
    if not marks:
        return None
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8)
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    drawn = ", ".join(f"{arm} {word}" for arm, word in zip(arms, ("dashed", "full"), strict=True))
    title = f"{classifier}, ROC AUC of each class; {drawn}"
    figure.legend(
        marks, names, loc="outside lower center", frameon=False, fontsize=8, title=plain(title), title_fontsize=8
    )
    return as_svg(figure)


def improvement_chart(lines: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Draw relative improvements in percent over the imbalance ratio (figure 13).

    Parameters
    ----------
    lines : mapping of str to sequence of (rho, percent)
        Names that begin with "paper" are dotted.
    """
    figure, axes = blank_figure(5.4, 3.2)
    axes.axhline(0, color=FAINT, linewidth=1.0)
    colors: dict[str, str] = {}
    for name, points in lines.items():
        metric = name.rpartition(": ")[2]
        color = colors.setdefault(metric, SERIES[len(colors) % len(SERIES)])
        dash = ":o" if name.startswith("paper") else "-o"
        axes.plot(*zip(*points, strict=True), dash, color=color, label=plain(name), linewidth=1.5, markersize=4)
    axes.set_xscale("log")
    ticks = sorted({rho for points in lines.values() for rho, _ in points})
    axes.set_xticks(ticks, [f"{rho:.3g}" for rho in ticks], fontsize=7.5)
    axes.set_xticks([], minor=True)
    axes.set_xlabel(RHO)
    axes.set_ylabel(f"with focal loss, percent of {NONE}")
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper left", ncols=3, frameon=False, fontsize=8)
    return as_svg(figure)
