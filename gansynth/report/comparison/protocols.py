"""What the paper's protocol is worth: the same arms on the same data, split before and after balancing."""

from __future__ import annotations

from gansynth.metrics.wording import TITLES, places, signed, width
from gansynth.report.blocks import Cell, Grid, Row
from gansynth.report.comparison.arms import estimate_cell
from gansynth.report.page import Section
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.verdict import PAPER_FLAW

_METRICS = ("accuracy", "balanced-accuracy", "macro-F1")


def protocols(results: Comparison, clean: Comparison | None) -> list[Section]:
    """Show the paper's protocol beside the clean one; nothing where there is only one of them."""
    if clean is None or not results.is_paper or clean.is_paper:
        return []
    return [Section("What the protocol adds", [PAPER_FLAW], blocks=[protocol_table(results, clean)])]


def protocol_table(paper: Comparison, clean: Comparison) -> Grid:
    """Compose a table of every arm that both comparisons have: the paper's protocol, the clean one, the difference."""
    rows = []
    for classifier in paper.classifiers:
        rows.append(Row(classifier, kind="group"))
        for arm in paper.arm_names:
            first, last = clean.entry(arm, classifier), paper.entry(arm, classifier)
            if first is None or last is None:
                continue
            cells = []
            for metric in _METRICS:
                pair = (last.metrics.get(metric), first.metrics.get(metric))
                decimals = places(*(width(one) for one in pair))
                cells += [estimate_cell(one, decimals) for one in pair]
                values = [one.value for one in pair if one is not None and one.value is not None]
                cells.append(Cell(signed(values[0] - values[1], decimals) if len(values) == 2 else "–"))
            rows.append(Row(arm, cells))
    head, under = ["arm"], [""]
    for metric in _METRICS:
        head += ["", TITLES[metric], ""]
        under += ["paper's protocol", "clean", "difference"]
    caption = "The same arms on the same data; the difference is what testing on synthetic and seen images adds."
    return Grid(head, rows, caption, under=under)
