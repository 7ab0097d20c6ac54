"""Whether the synthetic images that were added are recognised as what they are labelled."""

from __future__ import annotations

from gansynth.metrics.estimate import Estimate
from gansynth.metrics.wording import ends, places, value_of, width
from gansynth.report.blocks import Cell, Grid, Row
from gansynth.report.page import Section
from gansynth.studies.comparison.result import Comparison


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
    return [Cell(value_of(found, decimals), ends(found.interval, decimals)), real]
