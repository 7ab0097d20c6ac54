"""Test cells with what they are taken for: misclassified, changed by a remedy, samples (hazra2022, fig. 7, 9, 10)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gansynth.data.dataset import CellDataset
from gansynth.metrics.estimate import Estimate
from gansynth.metrics.wording import places, width
from gansynth.remedies.arm import NONE
from gansynth.report.blocks import Cell, Grid, Guess, Guesses, Picture, Row
from gansynth.report.comparison.arms import estimate_cell
from gansynth.report.embedding import mosaic, picture_address, shrunk
from gansynth.report.page import Section
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.verdict import shown_pair

if TYPE_CHECKING:
    from gansynth.studies.comparison.record import Predictions

SHOWN, SHOWN_OF_RARE = 3, 6
"""Cells shown of a class, and of a rare one."""

_BARS = 3
"""Probabilities shown of a cell."""

_NO_PICTURES = "The images are no longer where they were when they were compared ({data}), so no cell is shown."


@dataclass(frozen=True)
class Shown:
    """What the pictures are made from: images, predictions before and after (the same rows), and what they are called.

    `rows` are the positions in `cells` of the predictions' images, -1 where an image is not there; `was`, `now` and
    `label` are classes of the same images.
    """

    cells: CellDataset
    rows: NDArray[np.int64]
    paths: list[str]
    label: NDArray[np.int64]
    was: NDArray[np.int64]
    now: NDArray[np.int64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    names: tuple[str, ...]
    rare: frozenset[str]
    arm: str
    classifier: str


def misclassified(results: Comparison) -> list[Section]:
    """Show cells that the classifier takes for another class, and those that a remedy changed."""
    shown = _shown(results)
    if shown is None:
        if shown_pair(results) is None:
            return []
        return [Section("Cells that were misclassified", [_NO_PICTURES.format(data=results.about.data)])]
    blocks = [wrong_cells(shown, results.by_rarity)]
    title = "Cells that were misclassified"
    sections = [Section(title, [_about(shown, "As figure 7 of Hazra et al. 2022. ")], blocks=blocks)]
    changed = changed_cells(shown, results.about.rare or results.class_names)
    if changed.rows:
        sections.append(Section("Cells that the remedy changed", blocks=[changed]))
    return sections


def samples(results: Comparison) -> list[Section]:
    """Show test cells of every class as they come, whether the classifier is right or not."""
    shown = _shown(results)
    if shown is None:
        return []
    random = np.random.default_rng(0)
    rows = []
    for c, name in ((shown.names.index(name), name) for name in results.by_rarity):
        rows.append((name, "", [_guess(shown, i) for i in _some(shown, shown.label == c, random, SHOWN)]))
    caption = (
        "Cells of each class drawn at random from the test images, none picked. In bold the class it is taken for, "
        "with its probability, and in brackets the class it is. Blue: the true class."
    )
    text = _about(shown, "As figures 9 and 10 of Hazra et al. 2022. ")
    return [Section("Classified samples", [text], blocks=[Guesses([r for r in rows if r[2]], caption)])]


def wrong_cells(shown: Shown, classes: Iterable[str]) -> Guesses:
    """Compose a row per class of cells taken for another, drawn at random."""
    random = np.random.default_rng(1)
    rows = []
    for name in classes:
        of_class = shown.label == shown.names.index(name)
        wrong, before = of_class & (shown.now != shown.label), of_class & (shown.was != shown.label)
        if of_class.any():
            note = (
                f"{int(wrong.sum()):,} of {int(of_class.sum()):,} wrong; {int(before.sum()):,} with the original data"
            )
            most = SHOWN_OF_RARE if name in shown.rare else SHOWN
            rows.append((name, note, [_guess(shown, i) for i in _some(shown, wrong, random, most)]))
    caption = (
        "Test cells taken for another class, drawn at random of all such. In bold the class it is taken for, with its "
        "probability, and in brackets the class it is. Blue: the true class; orange: others."
    )
    return Guesses(rows, caption)


def changed_cells(shown: Shown, classes: Iterable[str]) -> Guesses:
    """Compose rows of cells that are recognised with the remedy only, and of those recognised without it only."""
    random = np.random.default_rng(2)
    was, now = shown.was == shown.label, shown.now == shown.label
    rows = []
    for name in classes:
        of_class = shown.label == shown.names.index(name)
        for title, which in (("recognised now", of_class & now & ~was), ("no longer", of_class & was & ~now)):
            chosen = [_change(shown, i) for i in _some(shown, which, random, SHOWN_OF_RARE)]
            if chosen:
                rows.append((name, f"{title}: {int(which.sum()):,} of {int(of_class.sum()):,}", chosen))
    caption = (
        f"Cells whose class {shown.classifier} recognises with {shown.arm} and not with the original data, or the "
        "other way round, drawn at random. Bars: the class it is taken for with the original data, then with "
        f"{shown.arm}, each with its probability. Training again from another seed changes cells too: only the tests "
        "above say whether there is more to it."
    )
    return Guesses(rows, caption)


def _shown(results: Comparison) -> Shown | None:
    arms = shown_pair(results)
    if arms is None:
        return None
    entries = results.entry(NONE, arms[1]), results.entry(*arms)
    before, after = (None if entry is None else results.predictions(entry) for entry in entries)
    cells = None if before is None or after is None else results.cells()
    if before is None or after is None or cells is None:
        return None
    # The same test images in both arms; with the paper's protocol each arm has its own.
    first, last = _rows_of(before), _rows_of(after)
    both = sorted(first.keys() & last.keys())
    here, there = np.array([first[p] for p in both], int), np.array([last[p] for p in both], int)
    at = {path: i for i, path in enumerate(cells.records["path"])}
    rows = np.array([at.get(path, -1) for path in both], dtype=np.int64)
    if not (rows >= 0).any():
        return None
    return Shown(
        cells,
        rows,
        both,
        after.labels[there],
        before.predicted[here],
        after.predicted[there],
        before.probabilities[here],
        after.probabilities[there],
        results.class_names,
        frozenset(results.about.rare),
        *arms,
    )


def _rows_of(found: Predictions) -> dict[str, int]:
    return {path: i for i, path in enumerate(found.paths)}


def _some(shown: Shown, mask: NDArray[np.bool_], random: np.random.Generator, most: int) -> list[int]:
    index = np.flatnonzero(mask & (shown.rows >= 0))
    return sorted(random.permutation(index)[:most].tolist())


def _guess(shown: Shown, i: int) -> Guess:
    shares, label, taken = shown.after[i], int(shown.label[i]), int(shown.now[i])
    order = [int(c) for c in np.argsort(-shares, kind="stable")[:_BARS]]
    if label not in order:
        order[-1] = label
    bars = [(shown.names[c], float(shares[c]), c == label) for c in order]
    text = f"{shown.names[taken]} {shares[taken]:.0%} ({shown.names[label]})"
    return Guess(_picture(shown, i), text, label == taken, bars)


def _change(shown: Shown, i: int) -> Guess:
    label = int(shown.label[i])
    pairs = ((int(shown.was[i]), shown.before[i]), (int(shown.now[i]), shown.after[i]))
    bars = [(shown.names[taken], float(shares[taken]), taken == label) for taken, shares in pairs]
    return Guess(_picture(shown, i), f"original, then {shown.arm}", int(shown.now[i]) == label, bars)


def _picture(shown: Shown, i: int) -> Picture:
    row = int(shown.rows[i])
    image = shrunk(np.ascontiguousarray(shown.cells.images[row : row + 1]), 96)
    alt = f"{shown.names[int(shown.label[i])]}, {shown.paths[i]}"
    return Picture(picture_address(mosaic(image, 1)), alt, 80, "real")


def _about(shown: Shown, start: str) -> str:
    drawn = " These cells are drawings of the phantom." if (shown.cells.records["origin"] == "phantom").all() else ""
    return f"{start}{shown.classifier} trained with {shown.arm}, first seed, test images of all folds.{drawn}"


def recognition(results: Comparison) -> list[Section]:
    """Show for each GAN and class how many images its independent classifier recognises, beside real test images."""
    of = {(one.gan, one.class_name): one.recognised for one in results.recognition}
    if not of:
        return []
    gans = list(dict.fromkeys(gan for gan, _ in of))
    text = (
        "A synthetic image that looks like another class is a wrong label, and teaches it. For every GAN a classifier "
        "that took no part in its game, and saw training images only, looks at its images; what it recognises of real "
        "test images shows what can be attained."
    )
    rows = []
    for name in results.by_rarity:
        if any((gan, name) in of for gan in gans):
            rows.append(Row(name, [cell for gan in gans for cell in _cells(of.get((gan, name)))]))
    head = ["class", *(column for gan in gans for column in (gan, "real images"))]
    caption = "Share of images recognised as their class, with 95% intervals; classes of few training images first."
    return [Section("Are the synthetic images recognised?", [text], blocks=[Grid(head, rows, caption)])]


def _cells(found: Estimate | None) -> list[Cell]:
    if found is None:
        return [Cell("–"), Cell("–")]
    decimals = places(width(found))
    real = Cell("–") if found.floor is None else Cell(f"{found.floor:.{decimals}f}", f"n = {found.floor_n:,}")
    return [estimate_cell(found, decimals), real]
