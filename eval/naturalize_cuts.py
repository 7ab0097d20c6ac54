"""How well is a cell cut? Boxes around cut cells against boxes drawn by people, on smear fields with Pascal VOC files.

Every annotated white cell is framed as data sets of single cells frame it (in the middle, 2.6 times as wide as the
cell), cut by `segment_cell`, and the box around the cut is compared with the annotated one.

    python eval/naturalize_cuts.py FIELDS --out DIR

FIELDS holds JPEGImages/ and Annotations/, such as BCCD_Dataset (Shenggan, cosmicad; MIT).
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from gansynth.cells.segmentation import segment_cell
from gansynth.cells.stain import background_colour
from gansynth.data.picture import read_image
from gansynth.files.atomic import whole_file, write_text

Box = tuple[float, float, float, float]

FRAME = 2.6  # edge of the frame over that of the cell: what the median cell of PBC has
COLUMNS = ("field", "edge", "iou", "problem", "drawn", "found")


@dataclass(frozen=True)
class Cut:
    """One annotated white cell, cut: its field, the frame's edge, boxes (left, top, right, bottom), any problem."""

    field: str
    edge: int
    drawn: Box
    found: Box
    problem: str

    @property
    def iou(self) -> float:
        return box_iou(self.drawn, self.found)


def white_boxes(path: Path) -> list[tuple[int, int, int, int]]:
    """Return left, top, right, bottom of every box named WBC in a Pascal VOC file."""
    boxes = []
    for found in ElementTree.parse(path).iterfind("object"):
        if found.findtext("name") == "WBC":
            edges = (found.findtext(f"bndbox/{side}") or "0" for side in ("xmin", "ymin", "xmax", "ymax"))
            left, top, right, bottom = (round(float(edge)) for edge in edges)
            boxes.append((left, top, right, bottom))
    return boxes


def frame(image: NDArray[np.uint8], box: tuple[int, int, int, int]) -> tuple[NDArray[np.uint8], int, int] | None:
    """Cut the square around a box out of a field; None where the cell is cut off by the border or tiny.

    What would lie beyond the border of the field is filled with the colour of its slide.
    """
    height, width = image.shape[:2]
    left, top, right, bottom = box
    edge = round(FRAME * max(right - left, bottom - top))
    if left <= 1 or top <= 1 or right >= width - 1 or bottom >= height - 1 or edge < 40:
        return None
    x, y = round((left + right - edge) / 2), round((top + bottom - edge) / 2)
    part = np.empty((edge, edge, 3), dtype=np.uint8)
    part[:] = background_colour(image).round().astype(np.uint8)
    rows, columns = slice(max(0, -y), min(edge, height - y)), slice(max(0, -x), min(edge, width - x))
    part[rows, columns] = image[y + rows.start : y + rows.stop, x + columns.start : x + columns.stop]
    return part, x, y


def box_iou(a: Box, b: Box) -> float:
    """Return intersection over union of two boxes (left, top, right, bottom)."""
    inside = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inside
    return inside / area if area else 0.0


def measure(fields: Path) -> tuple[list[Cut], int]:
    """Cut every framed white cell; return the cuts, and how many cells could not be framed."""
    cuts, unframed = [], 0
    for annotation in sorted((fields / "Annotations").glob("*.xml")):
        picture = fields / "JPEGImages" / f"{annotation.stem}.jpg"
        if not picture.is_file():
            continue
        image = read_image(picture)
        for box in white_boxes(annotation):
            framed = frame(image, box)
            if framed is None:
                unframed += 1
                continue
            part, x, y = framed
            masks = segment_cell(np.ascontiguousarray(part.transpose(2, 0, 1)))
            found: Box = (0, 0, 0, 0)
            if masks.cell.any():
                rows, columns = np.nonzero(masks.cell)
                left, right = x + int(columns.min()), x + int(columns.max()) + 1
                found = (left, y + int(rows.min()), right, y + int(rows.max()) + 1)
            cuts.append(Cut(annotation.stem, part.shape[0], box, found, masks.problem or ""))
    return cuts, unframed


def room(cuts: list[Cut]) -> float:
    """Return how much longer the drawn boxes' edges are than those around the cuts: the median of both edges."""
    edges = [
        (c.drawn[i + 2] - c.drawn[i]) / (c.found[i + 2] - c.found[i]) for c in cuts if any(c.found) for i in (0, 1)
    ]
    return float(np.median(edges))


def grown(box: Box, factor: float) -> Box:
    """Return a box with longer edges around the same middle."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    half_x, half_y = factor * (box[2] - box[0]) / 2, factor * (box[3] - box[1]) / 2
    return x - half_x, y - half_y, x + half_x, y + half_y


def table(cuts: list[Cut], unframed: int) -> str:
    """Return the answer as a page."""

    def row(what: str, some: list[Cut], factor: float = 1.0) -> str:
        iou = np.array([box_iou(cut.drawn, grown(cut.found, factor)) for cut in some])
        if not len(iou):
            return f"| {what} | 0 | | | | |"
        shares = " | ".join(f"{(iou >= least).mean():.1%}" for least in (0.5, 0.7, 0.8))
        return f"| {what} | {len(iou)} | {np.median(iou):.3f} | {shares} |"

    good = [cut for cut in cuts if not cut.problem]
    fields = sorted({cut.field for cut in cuts})
    first = [cut for cut in good if cut.field in fields[::2]]
    second = [cut for cut in good if cut.field in fields[1::2]]
    factor = room(first)
    left_out = [cut for cut in cuts if cut.problem]
    reasons = sorted({cut.problem for cut in left_out})
    lines = [
        "# The cut of white cells against annotated boxes",
        "",
        f"{len(cuts)} annotated white cells that lie wholly in their field, each in a frame {FRAME} times as wide as "
        f"itself; {unframed} more are cut off by the border of their field.",
        "",
        "| | cells | median IoU of boxes | IoU >= 0.5 | >= 0.7 | >= 0.8 |",
        "|---|---|---|---|---|---|",
        row("all", cuts),
        row("called good by the inspection", good),
        row("left out by the inspection", left_out),
        row(f"good, on every second field, edges {factor:.2f} times as long", second, factor),
        "",
        f"People leave room around a cell: on the other half of the fields their boxes' edges are {factor:.2f} times "
        "as long as those of the cuts (median). The last row takes that out.",
        "",
        *(f"* {sum(cut.problem == reason for cut in cuts)} left out: {reason}" for reason in reasons),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fields", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    cuts, unframed = measure(given.fields)
    page = table(cuts, unframed)
    write_text(given.out / "cuts.md", page)
    with whole_file(given.out / "cuts.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for cut in cuts:
            boxes = (" ".join(map(str, box)) for box in (cut.drawn, cut.found))
            rows.writerow((cut.field, cut.edge, f"{cut.iou:.4f}", cut.problem, *boxes))
    print(page)


if __name__ == "__main__":
    main()
