"""What each remedy changed: every comparison that was named before the run, as a forest plot and as a table."""

from __future__ import annotations

from collections.abc import Sequence

from gansynth.metrics.wording import (
    LOWER_IS_BETTER,
    inside,
    p_value,
    p_words,
    places,
    width,
)
from gansynth.remedies.arm import NONE, Arm
from gansynth.report.blocks import Block, Cell, Drawing, Drawings, Grid, Row, Text
from gansynth.report.comparison.arms import effect_cell, estimate_cell
from gansynth.report.drawing import FAINT, INK, REAL, as_svg, blank_figure, name_rows, row_height, short_lines
from gansynth.report.metric_tables import Footnotes
from gansynth.report.numbers import sentence
from gansynth.report.page import Section
from gansynth.studies.comparison.entries import ArmEffect, Endpoint, each_pair_once
from gansynth.studies.comparison.result import AnyLevel, Comparison

BETTER, WORSE, UNSHOWN = REAL, "#b3541e", "#7b848e"
"""Colours of a difference: shown to be better, shown to be worse, not shown."""

_MOST = 80
"""Rows of a table beyond which the further doses are left out."""

_METHODS = {
    "nadeau-bengio": "over folds, with the variance corrected for training parts that overlap (Nadeau and Bengio 2003)",
    "test images and seeds": "over test images that both arms classified and over trainings from several seeds",
    "test images, seeds and folds (nadeau-bengio)": "over test images, trainings from several seeds, and folds, whose "
    "overlap is corrected for (Nadeau and Bengio 2003)",
    "test images only": "over test images that both arms classified; one training, so that its noise is not in it",
}


def effects(results: Comparison) -> list[Section]:
    """Show every difference with its interval, against the original data first."""
    sections = []
    once = each_pair_once(sorted(results.effects, key=lambda e: e.against != NONE))
    for against in dict.fromkeys([NONE, *(e.against for e in once)]):
        mine = [e for e in once if e.against == against]
        if not mine:
            continue
        first = against == NONE
        title = "What each remedy changed" if first else f"The same against {Arm.parse(against).noun}"
        text = (
            "Each line is one comparison with the original data: the same classifier, test images, seeds and number "
            "of optimizer steps. Right of the zero line the remedy is better."
            if first
            else f"What a remedy adds to {Arm.parse(against).noun}, which needs no generator."
        )
        blocks: list[Block] = [Drawings(_forests(results, mine))]
        blocks += _table(results, mine) if first else [Text("The numbers are in effects.csv beside this page.")]
        sections.append(Section(title, [text], blocks=blocks))
    return sections


def forest_chart(found: Sequence[tuple[str, ArmEffect | None]], *, xlabel: str, limit: float | None = None) -> str:
    """Draw differences with their intervals around zero; filled where the corrected test shows a difference.

    Parameters
    ----------
    found : sequence of (name, ArmEffect or None)
        From top to bottom; None makes the name a heading.
    xlabel : str
    limit : float or None
        The axis reaches from minus to plus this; None: as far as the intervals.

    Returns
    -------
    str
        An SVG element.
    """
    from matplotlib.ticker import MaxNLocator

    labels = [short_lines(name) for name, _ in found]
    figure, axes = blank_figure(4.9, 0.75 + row_height(labels) * len(found))
    limit = limit or _reach([effect for _, effect in found if effect is not None])
    axes.axvline(0, color=FAINT, linewidth=1.0, zorder=1)
    for y, (_, effect) in enumerate(found):
        if effect is None:
            continue
        color = _color(effect)
        if effect.interval is not None:
            axes.plot(effect.interval, [y, y], color=color, linewidth=1.8, solid_capstyle="butt", zorder=2)
        if effect.value is None:
            continue
        face = color if effect.shown else "white"
        axes.plot(effect.value, y, "o", color=color, markerfacecolor=face, markersize=6, markeredgewidth=1.5, zorder=3)
        text = p_words(effect.p_holm)
        weight = "bold" if effect.shown else "normal"
        axes.text(1.015, y, text, transform=axes.get_yaxis_transform(), va="center", fontsize=8, color=color,
                  fontweight=weight)  # fmt: skip
    name_rows(axes, labels)
    for label, (_, effect) in zip(axes.get_yticklabels(), found, strict=True):
        label.set_fontweight("bold" if effect is None else "normal")
    axes.set_xlim(-limit, limit)
    axes.xaxis.set_major_locator(MaxNLocator(5, symmetric=True))
    axes.set_xlabel(xlabel, color=INK)
    return as_svg(figure)


def effect_table(results: AnyLevel, found: Sequence[ArmEffect], caption: str) -> Grid:
    """Compose a table of comparisons, grouped by endpoint."""
    rows, notes = [], Footnotes()
    for endpoint in _endpoints(found):
        rows.append(Row(endpoint.title, kind="group"))
        for effect in [e for e in found if e.endpoint == endpoint]:
            rows.append(Row(effect.arm, _cells(results, effect, notes), small=effect.classifier))
    against = Arm.parse(found[0].against).noun
    head = ["remedy", against, "with it", "difference", "p", "p, corrected", "test images", "verdict"]
    return Grid(head, rows, caption, notes.texts)


def _cells(results: AnyLevel, effect: ArmEffect, notes: Footnotes) -> list[Cell]:
    pair = [results.entry(arm, effect.classifier) for arm in (effect.against, effect.arm)]
    values = [None if one is None else one.estimate(effect.endpoint) for one in pair]
    decimals = places(*(width(one) for one in values), width(effect))
    cells = [estimate_cell(one, decimals) for one in values]
    cells.append(effect_cell(effect, decimals, best=effect.shown))
    mcnemar = f"McNemar {p_value(effect.mcnemar_p)}" if effect.mcnemar_p is not None else ""
    several = len({e.method for e in results.effects}) > 1
    how = f"Tested {_METHODS.get(effect.method, effect.method)}. " if several and effect.method else ""
    note = f"{how}{sentence(effect.note)}".strip() if effect.note else how.strip()
    cells.append(Cell(p_value(effect.p), mcnemar, notes.number(note)))
    cells += [Cell(p_value(effect.p_holm)), Cell(f"{effect.n:,}"), Cell(_judged(effect), words=True)]
    return cells


def _judged(effect: ArmEffect) -> str:
    if effect.p_holm is None:
        return "cannot be said"
    if not effect.shown:
        return "not shown"
    return "worse" if _is_worse(effect) else "better"


def _forests(results: Comparison, found: Sequence[ArmEffect]) -> list[Drawing]:
    limit, drawings = _reach(found), []
    for endpoint in _endpoints(found):
        rows: list[tuple[str, ArmEffect | None]] = []
        for classifier in results.classifiers:
            mine = [e for e in found if e.endpoint == endpoint and e.classifier == classifier]
            if mine and len(results.classifiers) > 1:
                rows.append((classifier, None))
            rows += [(e.arm, e) for e in mine]
        caption = "With 95% intervals; p corrected for the number of arms. "
        shown = any(e is not None and e.shown for _, e in rows)
        caption += "Filled: a difference is shown." if shown else "No difference is shown."
        drawn = forest_chart(rows, xlabel=f"difference in {inside(endpoint.title)}", limit=limit)
        drawings.append(Drawing(drawn, caption, endpoint.title, 34))
    return drawings


def _reach(found: Sequence[ArmEffect]) -> float:
    """How far the axis reaches on both sides of zero."""
    ends = [abs(v) for e in found for v in (e.gap, *(e.interval or ()))]
    return 1.06 * max(ends, default=0.0) or 0.1


def _table(results: Comparison, found: Sequence[ArmEffect]) -> list[Block]:
    kept = found if len(found) <= _MOST else [e for e in found if e.arm in results.main_arms]
    caption = (
        "Small numbers: 95% intervals, each of its comparison alone. p, corrected (Holm): over the arms of one "
        "classifier and endpoint; a difference is called better or worse where it is below 0.05."
    )
    methods = list(dict.fromkeys(e.method for e in found if e.method))
    if len(methods) == 1:
        caption += f" Tested {_METHODS.get(methods[0], methods[0])}."
    if any(e.mcnemar_p is not None for e in found):
        caption += " McNemar: exact, for comparison; it leaves out the noise of training."
    if len(kept) < len(found):
        caption += " One dose of each remedy; the others are in effects.csv beside this page."
    return [Text("The comparisons in numbers", strong=True), effect_table(results, kept, caption)]


def _endpoints(found: Sequence[ArmEffect]) -> list[Endpoint]:
    return list(dict.fromkeys(e.endpoint for e in found))


def _is_worse(effect: ArmEffect) -> bool:
    return (effect.gap < 0) != (effect.endpoint.metric in LOWER_IS_BETTER)


def _color(effect: ArmEffect) -> str:
    if not effect.shown:
        return UNSHOWN
    return WORSE if _is_worse(effect) else BETTER
