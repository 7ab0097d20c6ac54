"""What judges of two families say of the same cells, with real ones beside them: as they are, as JPEG, blurred."""

from __future__ import annotations

from collections.abc import Mapping

from gansynth.metrics.catalogue import LITE, METRICS
from gansynth.metrics.estimate import Estimate
from gansynth.report.blocks import Block, Cell, Grid, Row
from gansynth.report.numbers import column_decimals, interval, number
from gansynth.report.page import Section
from gansynth.studies.quality.controls import TITLES
from gansynth.studies.quality.result import Quality

ALL = "all classes together"


def families_section(results: Quality) -> list[Section]:
    """Compose a table for each question that both families were asked; nothing where there are no controls."""
    if not results.controls:
        return []
    judges = [suffix for suffix in LITE if f"KD{suffix}" in results.metrics]
    recognised = (
        "Share given the class it was asked for, with 95% intervals: by the cell encoder, a small network that learned "
        "from cells as a GAN's players do, and by a linear classifier in features of networks pretrained on natural "
        "images, which see texture. A generator pleases judges of its own kind: believe the worse."
    )
    distance = (
        "Kernel distance from held-out real cells. A JPEG of quality 60 is hardly seen by a person: further away than "
        "that is far."
    )
    blocks: list[Block] = []
    for metrics, caption in (
        (["recall", *(f"recognised{suffix}" for suffix in judges)], recognised),
        (["KD-cell", *(f"KD{suffix}" for suffix in judges)], distance),
    ):
        there = [name for name in metrics if name in results.metrics and results.metrics[name].value is not None]
        if there:
            blocks.append(_table(results, there, caption))
    return [Section("Two families of judges", blocks=blocks)] if blocks else []


def _table(results: Quality, metrics: list[str], caption: str) -> Grid:
    heads = ["class"]
    for name in metrics:
        heads += [f"{METRICS[name].title}: synthetic", *TITLES.values()]
    rows_beside = [results.controls[row] for row in TITLES if row in results.controls]
    books: dict[str, list[Mapping[str, Estimate]]] = {
        c: [results.classes[c], *(row.classes.get(c, {}) for row in rows_beside)] for c in results.class_names
    }
    if len(results.class_names) > 1:
        books[ALL] = [results.metrics, *(row.metrics for row in rows_beside)]
    places = {name: column_decimals([v for row in books.values() if (v := _value(row[0], name))]) for name in metrics}
    rows = []
    for label, row in books.items():
        cells = []
        for name in metrics:
            first = row[0].get(name)
            sure = interval(name, first) if first is not None and first.interval else ""
            cells.append(Cell(_shown(row[0], name, places[name]), sure))
            cells += [Cell(_shown(book, name, places[name])) for book in row[1:]]
        rows.append(Row(label, cells))
    return Grid(heads, rows, caption)


def _value(book: Mapping[str, Estimate], name: str) -> float | None:
    return book[name].value if name in book else None


def _shown(book: Mapping[str, Estimate], name: str, places: int) -> str:
    value = _value(book, name)
    return "–" if value is None else number(name, value, decimals=places)
