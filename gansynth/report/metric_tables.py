"""Tables of metrics: all of them over all classes, and some of them class by class."""

from __future__ import annotations

from collections.abc import Sequence

from gansynth.metrics.catalogue import METRICS, Group
from gansynth.metrics.estimate import Estimate
from gansynth.report.blocks import Cell, Definitions, Grid, Row
from gansynth.report.judgement import is_worse_than_real, shortfall
from gansynth.report.numbers import MISSING, NONE, column_decimals, interval, number, sentence, value_of
from gansynth.studies.quality.result import Missing, Quality


class Footnotes:
    """Notes numbered as they come; the same words get the same number."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def number(self, text: str) -> tuple[int, ...]:
        """Return the mark of `text`, none where it is empty."""
        if not text:
            return ()
        if text not in self.texts:
            self.texts.append(text)
        return (self.texts.index(text) + 1,)


def how_to_get(missing: Missing) -> str:
    """Say which file a missing metric needs, where it was looked for, and how to get it."""
    said = f"Missing: needs {missing.file}"
    said += f", looked for in {missing.looked_in}." if missing.looked_in else "."
    return f"{said} {sentence(missing.how) if missing.how else ''}".strip()


def metric_table(results: Quality) -> Grid:
    """Compose the table of every metric over all classes.

    A metric without weights is a row that says "missing", with a footnote; one with too few images says so.
    """
    notes, rows, missing = Footnotes(), [], {one.metric for one in results.missing}
    for group in Group:
        members = [n for n, m in METRICS.items() if m.group == group and (n in results.metrics or n in missing)]
        if members:
            rows.append(Row(group.value, kind="group"))
        rows += [_metric_row(results, name, notes) for name in members]
    caption = (
        "Small numbers: the 95% interval. Real against real: the same metric between real images and other real ones, "
        "what a perfect generator would score. n: synthetic images it was computed on."
    )
    if any(e.class_mean is not None for e in results.metrics.values()):
        caption += " Class mean: what the mean real image of each class scores, a blur."
    return Grid(["metric", "synthetic", "real against real", "n", "better"], rows, caption, notes.texts)


def class_table(results: Quality, metrics: Sequence[str], caption: str = "") -> Grid | None:
    """Compose a table of classes by metrics, shaded where the interval excludes what real images score.

    Parameters
    ----------
    results : Quality
    metrics : sequence of str
        Columns; those without a value in any class are left out.
    caption : str
        Said before how to read the shades.

    Returns
    -------
    Grid or None
        None where no class has a value of any of `metrics`.
    """
    columns = [m for m in metrics if any(_has(results.classes[c].get(m)) for c in results.class_names)]
    if not columns:
        return None
    notes = Footnotes()
    places = {
        m: column_decimals([v for c in results.class_names if (v := _value(results.classes[c].get(m)))])
        for m in columns
    }
    doses = {m: _doses(m, [results.classes[c].get(m) for c in results.class_names]) for m in columns}
    rows = []
    for i, name in enumerate(results.class_names):
        cells = [_class_cell(m, results.classes[name].get(m), doses[m][i], places[m], notes) for m in columns]
        rows.append(Row(name, cells, small=_count_note(results, name)))
    read = (
        "Shaded: the 95% interval excludes what real cells of the class score; the darker, the further from them. Not "
        "shaded: no difference from real cells can be shown."
    )
    head = ["class", *(METRICS[m].title for m in columns)]
    return Grid(head, rows, f"{caption} {read}".strip(), notes.texts, ["", *(METRICS[m].direction for m in columns)])


def meanings(names: Sequence[str]) -> Definitions:
    """Say in one line what each metric means, in the catalogue's order."""
    chosen = set(names)
    return Definitions(
        [
            (m.title, f"{m.meaning} {m.direction.capitalize()}.{f' ({m.source})' if m.source else ''}")
            for m in METRICS.values()
            if m.name in chosen
        ]
    )


def _metric_row(results: Quality, name: str, notes: Footnotes) -> Row:
    title, found = METRICS[name].title, results.metrics.get(name)
    way = Cell(METRICS[name].direction, words=True)
    missing = results.without(name)
    if not _has(found) and missing is not None:
        return Row(title, [Cell(MISSING, notes=notes.number(how_to_get(missing))), Cell(""), Cell(""), way])
    assert found is not None
    value = Cell(value_of(name, found), interval(name, found), notes.number(found.note))
    size = f"n = {found.floor_n:,}" if found.floor_n not in (None, found.n) else ""
    if found.class_mean is not None:
        size = "; ".join(filter(None, [size, f"class mean {number(name, found.class_mean, found.value)}"]))
    beside = (found.value, *(found.interval or ()))
    floor = Cell("" if found.floor is None else number(name, found.floor, *beside), size)
    return Row(title, [value, floor, Cell("" if found.value is None else f"{found.n:,}"), way])


def _class_cell(metric: str, found: Estimate | None, dose: float | None, places: int, notes: Footnotes) -> Cell:
    if found is None:
        return Cell("–", shade=0.0)
    if found.value is None:
        return Cell(NONE, notes=notes.number(found.note), shade=0.0)
    real = "" if found.floor is None else f"real {number(metric, found.floor, decimals=places)}"
    return Cell(number(metric, found.value, decimals=places), real, notes.number(found.note), shade=dose or 0.0)


def _doses(metric: str, found: Sequence[Estimate | None]) -> list[float | None]:
    """How dark each class is: by a fixed scale where the metric has one, else by the furthest class behind."""
    gaps = [shortfall(metric, e) if e is not None and is_worse_than_real(metric, e) else None for e in found]
    return [
        None if not gap else 0.15 + 0.85 * min(gap / width, 1.0)
        for gap, width in zip(gaps, _widths(metric, found, gaps), strict=True)
    ]


def _widths(metric: str, found: Sequence[Estimate | None], gaps: Sequence[float | None]) -> list[float]:
    darkest, widest = METRICS[metric].darkest, max((gap for gap in gaps if gap), default=1.0)
    if METRICS[metric].group is Group.DIVERSITY:  # half as varied as real images is as bad as can be
        return [0.5 * e.floor if e and e.floor else widest for e in found]
    return [widest if darkest is None else darkest] * len(gaps)


def _count_note(results: Quality, name: str) -> str:
    counts = results.about.counts.get(name)
    return f"{counts.synthetic:,} synthetic, {counts.held_out:,} real" if counts else ""


def _value(found: Estimate | None) -> float | None:
    return None if found is None else found.value


def _has(found: Estimate | None) -> bool:
    return found is not None and found.value is not None
