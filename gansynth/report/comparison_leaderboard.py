"""The remedies ranked: how many cells of the rare classes each lets a classifier recognise, and what the others pay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gansynth.metrics.estimate import Estimate
from gansynth.report.blocks import Block, Cell, Drawing, Drawings, Grid, Row, Text
from gansynth.report.comparison_effects import WORSE
from gansynth.report.comparison_figures import ends, p_value, places, signed, signed_ends, value_of, width
from gansynth.report.comparison_folder import NONE, ComparisonResults
from gansynth.report.drawing import FAINT, GRID, REAL, as_svg, blank_figure, plain
from gansynth.report.numbers import listed
from gansynth.report.page import Section
from gansynth.studies.comparison_leaderboard import KEPT, LOST, MARGIN, UNCLEAR

_SAID = {KEPT: "no loss", UNCLEAR: "not sure", LOST: "a loss"}


def leaderboard(results: ComparisonResults) -> list[Section]:
    """Rank the arms of every classifier; nothing where fewer than two remedies were compared."""
    ranked = {name: _of(results, name) for name in results.classifiers}
    ranked = {name: entries for name, entries in ranked.items() if len(entries) > 2}
    if not ranked:
        return []
    text = (
        f"Ranked by the mean recall of the rare classes ({listed(results.rare)}); a remedy that takes from the other "
        "classes comes after all that do not. What is wrongly called rare is missing from the recall of the others, so "
        "the two columns tell all."
    )
    blocks: list[Block] = []
    for name, entries in ranked.items():
        caption = (
            "With 95% intervals. Left: the higher, the more rare cells are recognised. Right: left of the shaded band "
            "the other classes lose. Orange: a loss is shown."
        )
        if len(ranked) > 1:
            blocks.append(Text(name, strong=True))
        blocks += [Drawings([Drawing(_chart(entries), caption, "", 60)]), leaderboard_table(results, name)]
    return [Section("Which remedy?", [text], blocks=blocks)]


def leaderboard_chart(results: ComparisonResults, classifier: str) -> str:
    """Draw the ranked arms of a classifier as SVG: recall of the rare classes, and the change of the others."""
    return _chart(_of(results, classifier))


def leaderboard_table(results: ComparisonResults, classifier: str) -> Grid:
    """Compose the ranked arms of a classifier: mean recalls, differences from the original data, and the verdict."""
    entries = _of(results, classifier)
    best = next((e["arm"] for e in entries if e["verdict"] == KEPT), None)
    decimals = places(*(width(Estimate.from_json(e[where])) for e in entries for where in ("rare", "elsewhere")))
    rows = []
    for entry in entries:
        rare, elsewhere = (Estimate.from_json(entry[where]) for where in ("rare", "elsewhere"))
        arm = results.entry(entry["arm"], classifier)
        macro = None if arm is None else arm.metrics.get("macro-F1")
        cells = [_cell(rare, decimals, best=entry["arm"] == best), *_effect(entry["rare_effect"], decimals)]
        cells += [_cell(elsewhere, decimals), _effect(entry["elsewhere_effect"], decimals)[0], _cell(macro, decimals)]
        said = "" if entry["arm"] == NONE else _SAID[entry["verdict"]]
        rows.append(
            Row(
                f"{entry['rank']}. {_name(entry['arm'])}",
                [*cells, Cell(said, words=True)],
                "mean" if entry["arm"] == NONE else "",
            )
        )
    head = ["remedy", "rare classes", "difference", "p", "other classes", "difference", "macro F1", "other classes"]
    caption = (
        "Mean recalls; small figures: 95% intervals over test images, seeds and folds. Differences are from the "
        "original data; p is corrected (Holm) over the remedies. No loss: with its interval, the other classes' mean "
        f"recall falls by less than {MARGIN:g}; a loss: by that or more, and not by chance; not sure: both may be."
    )
    return Grid(head, rows, caption)


def _of(results: ComparisonResults, classifier: str) -> list[Mapping[str, Any]]:
    found = [e for e in results.facts.get("leaderboard") or [] if e["classifier"] == classifier]
    return sorted(found, key=lambda entry: int(entry["rank"]))


def _chart(entries: Sequence[Mapping[str, Any]]) -> str:
    figure, (row,) = blank_figure(8.4, 0.8 + 0.27 * len(entries), columns=2)
    left, right = row
    for y, entry in enumerate(entries):
        color = FAINT if entry["arm"] == NONE else WORSE if entry["verdict"] == LOST else REAL
        rare, gap = entry["rare"], entry["elsewhere_effect"]
        _mark(left, y, rare["value"], rare["interval"], color)
        if gap is not None:
            _mark(right, y, gap["value"], gap["interval"], color)
    base = next((e["rare"]["value"] for e in entries if e["arm"] == NONE), None)
    if base is not None:
        left.axvline(base, color=FAINT, linewidth=1.0, zorder=1)
    right.axvspan(-MARGIN, MARGIN, color=GRID, zorder=0)
    right.axvline(0, color=FAINT, linewidth=1.0, zorder=1)
    left.set_yticks(range(len(entries)), [plain(_name(entry["arm"])) for entry in entries])
    right.set_yticks(range(len(entries)), [""] * len(entries))
    left.set_xlabel("mean recall of the rare classes")
    right.set_xlabel("change in the mean recall of the others")
    for axes in (left, right):
        axes.set_ylim(len(entries) - 0.4, -0.6)
        axes.grid(axis="x", color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    return as_svg(figure)


def _mark(axes: Any, y: int, value: float | None, interval: Sequence[float] | None, color: str) -> None:
    if value is None:
        return
    if interval is not None:
        axes.plot(interval, [y, y], color=color, linewidth=1.8, solid_capstyle="butt", zorder=2)
    axes.plot(value, y, "o", color=color, markersize=6, zorder=3)


def _cell(found: Estimate | None, decimals: int, best: bool = False) -> Cell:
    return Cell(value_of(found, decimals), ends(found.interval, decimals) if found else "", best=best)


def _effect(found: Mapping[str, Any] | None, decimals: int) -> list[Cell]:
    """Return a difference and its corrected p."""
    if found is None:
        return [Cell("–"), Cell("–")]
    interval = None if found["interval"] is None else (found["interval"][0], found["interval"][1])
    return [Cell(signed(found["value"], decimals), signed_ends(interval, decimals)), Cell(p_value(found.get("p_holm")))]


def _name(arm: str) -> str:
    return "none (original)" if arm == NONE else arm
