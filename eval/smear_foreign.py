"""Do the finders of cells work on smears of another laboratory? White cells in the middle of single-cell pictures.

    python eval/smear_foreign.py PICTURES --out DIR [--each 13]

PICTURES holds class folders of single-cell pictures whose middle is the cell and whose surround is smear, such as PBC's
at their original size (Acevedo et al. 2020). Counted is in how many pictures a white cell's box holds the middle: found
by the network alone, by nuclear stain alone (the classical finder), and by the learned finder, which adds the second to
the first. Folders of platelets are left out; erythroblasts have a nucleus and count as white here. Writes foreign.md.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gansynth.data.picture import read_image
from gansynth.errors import InputError
from gansynth.files.atomic import write_text
from gansynth.smears.boxes import WHITE_CELL, CellBox
from gansynth.smears.detector import CellDetector, candidates, network_input, open_detector
from gansynth.smears.diameter import red_cell_diameter
from gansynth.smears.field import working_field
from gansynth.smears.finding import find_cells

WAYS = ("network alone", "nuclear stain", "learned finder")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--each", type=int, default=13, help="pictures of each class, the first by name")
    options = parser.parse_args()
    folders = sorted(d for d in options.pictures.iterdir() if d.is_dir() and "platelet" not in d.name.lower())
    images = {d.name: [read_image(p) for p in sorted(d.iterdir())[: options.each]] for d in folders}
    diameter = red_cell_diameter(image for some in images.values() for image in some)
    if diameter is None:
        sys.exit(f"error: {InputError(f'{options.pictures}: no red cell lies alone in any picture')}")
    text = markdown(images, open_detector(), diameter)
    write_text(options.out / "foreign.md", text)
    print(text)


def markdown(images: dict[str, list[NDArray[np.uint8]]], detector: CellDetector, diameter: float) -> str:
    """Return the table: one row for each class, and all."""
    lines = [
        "# White cells in pictures of another laboratory",
        "",
        f"A red cell is {diameter:.0f} pixels wide (measured). Pictures in which a white cell's box holds the middle.",
        "",
        f"| class | pictures | {' | '.join(WAYS)} |",
        "|---" * (2 + len(WAYS)) + "|",
    ]
    total: Counter[str] = Counter()
    for name, some in images.items():
        hits = sum((Counter(found_in_the_middle(image, detector, diameter)) for image in some), Counter())
        total += hits + Counter({"pictures": len(some)})
        lines.append(f"| {name} | {len(some)} | {' | '.join(str(hits[way]) for way in WAYS)} |")
    lines.append(f"| all | {total['pictures']} | {' | '.join(str(total[way]) for way in WAYS)} |")
    return "\n".join(lines) + "\n"


def found_in_the_middle(image: NDArray[np.uint8], detector: CellDetector, diameter: float) -> list[str]:
    """Return which of `WAYS` find a white cell in the middle of a picture."""
    field = working_field(image, diameter)
    alone = [
        box for box in candidates(detector.network, network_input(field)) if box.score >= detector.thresholds[box.name]
    ]
    found = (
        (alone, field.pixels.shape[:2]),
        (find_cells(image, diameter), image.shape[:2]),
        (detector.find_cells(image, diameter), image.shape[:2]),
    )
    return [
        way for way, (boxes, (h, w)) in zip(WAYS, found, strict=True) if any(_holds(b, w / 2, h / 2) for b in boxes)
    ]


def _holds(box: CellBox, x: float, y: float) -> bool:
    return box.name == WHITE_CELL and box.left <= x <= box.right and box.top <= y <= box.bottom


if __name__ == "__main__":
    main()
