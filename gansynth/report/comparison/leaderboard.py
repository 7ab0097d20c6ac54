"""The remedies ranked: how many cells of the rare classes each lets a classifier recognise, at no loss elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from gansynth.metrics.wording import p_value, places, width
from gansynth.remedies.arm import NONE
from gansynth.report.blocks import Block, Cell, Drawing, Drawings, Grid, Row, RowKind, Text
from gansynth.report.comparison.arms import arm_name, effect_cell, estimate_cell
from gansynth.report.drawing import (
    FAINT,
    GRID,
    INK,
    REAL,
    SERIES,
    as_svg,
    blank_figure,
    name_rows,
    row_height,
    short_lines,
)
from gansynth.report.numbers import listed
from gansynth.report.page import Section
from gansynth.studies.comparison.entries import Standing
from gansynth.studies.comparison.leaderboard import LOSSES, MARGIN
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.verdict import shown_pair

_DRAWN = 4
"""Arms whose curves are drawn in colours of their own."""

_CAPTION = (
    f"Left: mean recall of the rare classes where the mean recall of the others is {MARGIN:g} below that of the "
    "original data, with 95% intervals; an arm without a mark loses more than that elsewhere even where it calls no "
    "cell rare. Right: what more of the others' recall buys. A dot stands where an arm is as trained."
)


def leaderboard(results: Comparison) -> list[Section]:
    """Rank the arms of every classifier, that of the verdict first; nothing where fewer than two were compared."""
    ranked = {name: entries for name in results.classifiers if len(entries := results.standings(name)) > 2}
    if not ranked:
        return []
    text = (
        f"Ranked by the mean recall of the rare classes ({listed(results.about.rare)}) at no loss elsewhere. Whoever "
        "calls more cells rare recognises more of them, and takes them from the other classes; so all remedies are "
        "looked at where the others' recall is the same, by multiplying the probabilities of the rare classes by one "
        "factor, as sensitivity is compared at equal specificity. The original data get the factor, too: it costs "
        "nothing."
    )
    pair = shown_pair(results)
    first = pair[1] if pair is not None else ""
    sections: list[Section] = []
    for name in sorted(ranked, key=lambda one: one != first):
        blocks: list[Block] = [Text(f"With {name}", strong=True)] if len(ranked) > 1 else []
        blocks.append(leaderboard_table(results, name))
        blocks.append(Drawings([Drawing(leaderboard_chart(results, name), _CAPTION, "", 60)]))
        title = f"Which remedy? With {name}" if sections else "Which remedy?"
        sections.append(Section(title, () if sections else [text], blocks=blocks))
    return sections


def leaderboard_table(results: Comparison, classifier: str) -> Grid:
    """Compose the ranked arms of a classifier: mean recalls at no loss and as trained, and differences from none."""
    entries = results.standings(classifier)
    decimals = places(*(width(one) for e in entries for one in (e.at_no_loss, e.rare, e.elsewhere)))
    rows = []
    for entry in entries:
        arm = results.entry(entry.arm, classifier)
        cells = [
            estimate_cell(entry.at_no_loss, decimals, best=entry.rank == 1),
            effect_cell(entry.at_no_loss_effect, decimals),
            Cell(p_value(entry.p_holm)),
            estimate_cell(entry.rare, decimals),
            effect_cell(entry.elsewhere_effect, decimals),
            estimate_cell(None if arm is None else arm.of("macro-F1"), decimals),
        ]
        kind: RowKind = "mean" if entry.arm == NONE else ""
        rows.append(Row(f"{entry.rank}. {arm_name(entry.arm)}", cells, kind))
    head = ["remedy", "rare, at no loss", "difference", "p", "rare", "others", "macro F1"]
    under = [
        "",
        f"others {MARGIN:g} lower",
        "from the original",
        "corrected",
        "as trained",
        "difference, as trained",
        "",
    ]
    caption = (
        "Mean recalls of the rare and of the other classes; small numbers: 95% intervals over test images, trainings "
        "and folds. Differences are from the original data at the same loss, p is corrected (Holm) over the remedies. "
        "A dash: more is lost elsewhere even where no cell is called rare."
    )
    return Grid(head, rows, caption, under=under)


def leaderboard_chart(results: Comparison, classifier: str) -> str:
    """Draw the ranked arms of a classifier as SVG: rare classes at no loss, and the curves of gain and loss."""
    from matplotlib.ticker import MaxNLocator

    entries = results.standings(classifier)
    colors = _colors(entries)
    labels = [short_lines(arm_name(entry.arm)) for entry in entries]
    figure, ((left, right),) = blank_figure(9.6, max(3.4, 0.8 + row_height(labels) * len(entries)), columns=2)
    base = next((e.at_no_loss.value for e in entries if e.arm == NONE and e.at_no_loss), None)
    if base is not None:
        left.axvline(base, color=FAINT, linewidth=1.0, zorder=1)
    for y, entry in enumerate(entries):
        color, found, gap = colors.get(entry.arm, FAINT), entry.at_no_loss, entry.elsewhere_effect
        if found is not None and found.value is not None:
            if found.interval is not None:
                left.plot(found.interval, [y, y], color=color, linewidth=1.8, solid_capstyle="butt", zorder=2)
            left.plot(found.value, y, "o", color=color, markersize=6, zorder=3)
        points = [(loss, value) for loss, value in zip(LOSSES, entry.trade_off, strict=True) if value is not None]
        own = entry.arm in colors
        if points:
            right.plot(*zip(*points, strict=True), color=color if own else GRID, linewidth=1.8 if own else 1.2,
                       zorder=3 if own else 2)  # fmt: skip
        if own and gap is not None and gap.value is not None and -gap.value <= LOSSES[-1]:
            right.plot(-gap.value, entry.rare.value, "o", color=color, zorder=4)
    name_rows(left, labels)
    for label, entry in zip(left.get_yticklabels(), entries, strict=True):
        label.set_color(colors.get(entry.arm, INK))
    left.set_xlabel("mean recall of the rare classes\nat no loss elsewhere")
    right.axvline(MARGIN, color=FAINT, linewidth=1.0, linestyle=":", zorder=1)
    right.set_xlabel("loss in the mean recall\nof the other classes")
    right.set_ylabel("mean recall of the rare classes")
    right.xaxis.set_major_locator(MaxNLocator(4))
    right.grid(axis="x", color=GRID, linewidth=0.8)
    right.set_axisbelow(True)
    return as_svg(figure)


def _colors(entries: Sequence[Standing]) -> dict[str, str]:
    """Return the colours of the arms whose curves are named: the original data and the best remedies."""
    best = [entry.arm for entry in entries if entry.arm != NONE][:_DRAWN]
    return {NONE: INK, **dict(zip(best, (REAL, *SERIES[1:]), strict=False))}
