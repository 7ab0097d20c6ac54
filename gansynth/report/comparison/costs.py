"""What an arm learned from and what it took: images, steps, time; and synthetic images alone, tested on real ones."""

from __future__ import annotations

from collections.abc import Sequence

from gansynth.errors import InputError
from gansynth.files import read_json
from gansynth.metrics.estimate import Estimate
from gansynth.remedies.arm import NONE
from gansynth.report.blocks import Block, Cell, Grid, Row
from gansynth.report.comparison.arms import estimate_cell
from gansynth.report.numbers import duration
from gansynth.report.page import Section
from gansynth.studies.comparison.entries import Swap
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.verdict import several, shown_pair


def swaps(results: Comparison) -> list[Section]:
    """Show what synthetic images are worth by themselves: as training images, and as test images."""
    if not results.swap:
        return []
    text = (
        "A classifier that learned from synthetic images alone shows on real ones how much of the cells they hold "
        "(trained on synthetic, tested on real: TSTR). One that learned from real images shows on synthetic ones "
        "whether they look like their class (TRTS): near its value on real ones is good, far above it means images "
        "more typical than cells are."
    )
    rows = []
    for gan, classifier in dict.fromkeys((s.gan, s.classifier) for s in results.swap):
        real = results.entry(NONE, classifier)
        found = [real.metrics.get("macro-F1") if real else None]
        found += [_macro(_of(results.swap, gan, classifier, way)) for way in ("TSTR", "TRTS")]
        rows.append(Row(classifier, [estimate_cell(one) for one in found], small=gan))
    caption = "Macro F1 with 95% intervals. The same number of optimizer steps in each."
    head = ["classifier", "real, tested on real", "synthetic, tested on real", "real, tested on synthetic"]
    blocks: list[Block] = [Grid(head, rows, caption, under=["", "", "TSTR", "TRTS"])]
    blocks += _swap_classes(results)
    return [Section("Synthetic images alone", [text], blocks=blocks)]


def costs(results: Comparison) -> list[Section]:
    """Show what each arm learned from and how long it took."""
    rows = []
    for classifier in results.classifiers:
        rows.append(Row(classifier, kind="group"))
        for arm in results.arm_names:
            entry = results.entry(arm, classifier)
            if entry is None:
                continue
            made, learned = sum(entry.synthetic_counts.values()), sum(entry.training_counts.values())
            least = min(entry.training_counts.items(), key=lambda item: item[1], default=None)
            smallest = "" if least is None else f"fewest: {least[1]:,} {several(least[0])}"
            cells = [Cell(f"{learned:,}", smallest), Cell(f"{made:,}" if made else "–")]
            cells += [Cell(f"{entry.steps:,}" if entry.steps else "–"), Cell(duration(entry.seconds))]
            rows.append(Row(arm, [*cells, Cell(str(len(entry.runs)))]))
    caption = (
        "Images that make one epoch, those of them that are synthetic, optimizer steps and wall time of one training "
        "(mean), and trainings (folds times seeds). Images repeated by over-sampling count each time."
    )
    head = ["arm", "training images", "synthetic", "steps", "time to train", "trainings"]
    blocks: list[Block] = [Grid(head, rows, caption)]
    gans = _gans(results)
    if gans is not None:
        blocks.append(gans)
    return [Section("What it costs", blocks=blocks)]


def _gans(results: Comparison) -> Grid | None:
    """What the GANs took, from their runs."""
    rows = []
    for path in sorted(results.folder.glob("fold*/gans/*/run.json")) if results.folder else ():
        try:
            found = read_json(path)
        except InputError:
            continue
        seconds, images = found.get("seconds"), found.get("images")
        cells = [Cell(f"{images:,}" if isinstance(images, int) else "–")]
        cells.append(Cell(duration(seconds) if isinstance(seconds, (int, float)) else "–"))
        rows.append(Row(path.parent.name, cells, small=path.parts[-4]))
    if not rows:
        return None
    caption = "The GANs, trained once in each fold on its training images alone, and shared by every arm and seed."
    return Grid(["GAN", "real images seen", "time to train"], rows, caption)


def _swap_classes(results: Comparison) -> list[Block]:
    shown = shown_pair(results)
    mine = [s for s in results.swap if shown and s.classifier == shown[1] and s.classes]
    real = results.entry(NONE, mine[0].classifier) if mine else None
    if not mine or real is None:
        return []
    rows = []
    for name in results.by_rarity:
        found = [real.classes.get(name, {}).get("recall"), *(s.classes.get(name, {}).get("recall") for s in mine)]
        rows.append(Row(name, [estimate_cell(one) for one in found]))
    head = ["class", "real, tested on real", *(f"{s.direction}, {s.gan}" for s in mine)]
    return [Grid(head, rows, f"Recall of every class by {mine[0].classifier}, with 95% intervals.")]


def _macro(swap: Swap | None) -> Estimate | None:
    return None if swap is None else swap.metrics.get("macro-F1")


def _of(found: Sequence[Swap], gan: str, classifier: str, direction: str) -> Swap | None:
    asked = (gan, classifier, direction)
    return next((s for s in found if (s.gan, s.classifier, s.direction) == asked), None)
