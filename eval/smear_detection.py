"""How well are the cells of real smear fields found? Against boxes that people drew.

    python eval/smear_detection.py SMEARS --out DIR

SMEARS is a folder of fields with Pascal VOC files, such as BCCD's (github.com/Shenggan/BCCD_Dataset, MIT).
Fields are sorted by name; the settings in `RedCellSettings` and `WhiteCellSettings` were chosen on those in even places
(the first, the third, ...); the others are the test. The method itself was sketched while looking
at fields of both parts, and mistakes of both were looked at. Writes figures.json and table.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from gansynth.atomic import write_json, write_text
from gansynth.data.boxes import RED_CELL, WHITE_CELL, CellBox, DetectionScore, score_boxes
from gansynth.data.picture import read_image
from gansynth.data.smear import find_cells
from gansynth.data.smear_diameter import red_cell_diameter
from gansynth.data.smear_folder import list_fields
from gansynth.data.voc import kind_of, read_voc
from gansynth.errors import InputError

OVERLAPS = (0.3, 0.4, 0.5, 0.6, 0.7)
KINDS = (WHITE_CELL, RED_CELL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("smears", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        figures = measure(options.smears)
    except InputError as error:
        sys.exit(f"error: {error}")
    write_json(options.out / "figures.json", figures)
    text = markdown(figures)
    write_text(options.out / "table.md", text)
    print(text)


def measure(smears: Path) -> dict[str, Any]:
    """Return counts of hits for every kind, part and overlap, with intervals over fields."""
    fields = [field for field in list_fields(smears) if field.annotation is not None]
    if len(fields) < 4:
        raise InputError(f"{smears}: fewer than four fields with a Pascal VOC file; give a folder with more")
    picked = np.unique(np.linspace(0, len(fields) - 1, 24).round().astype(int))
    diameter = red_cell_diameter(read_image(fields[place].path) for place in picked)
    if diameter is None:
        raise InputError(f"{smears}: no red cell lies alone in any field")
    seconds, rows = [], []
    for place, field in enumerate(fields):
        image, drawn = read_image(field.path), read_voc(field.annotation).boxes
        begun = time.process_time()
        found = find_cells(image, diameter)
        seconds.append(time.process_time() - begun)
        rows.append({"part": ("chosen on", "test")[place % 2], "scores": field_scores(found, drawn)})
    parts = {}
    for part in ("chosen on", "test", "all"):
        mine = [row["scores"] for row in rows if part in ("all", row["part"])]
        parts[part] = {
            kind: {f"{least:g}": summary([scores[kind, least] for scores in mine]) for least in OVERLAPS}
            for kind in KINDS
        }
    return {
        "fields": len(fields),
        "cell_diameter": round(diameter, 2),
        "seconds_per_field": {"median": float(np.median(seconds)), "most": float(np.max(seconds))},
        "parts": parts,
    }


def field_scores(found: list[CellBox], drawn: list[CellBox]) -> dict[tuple[str, float], DetectionScore]:
    """Return the score of one field for every kind and overlap."""
    return {
        (kind, least): score_boxes(
            [box for box in found if box.name == kind], [box for box in drawn if kind_of(box.name) == kind], least
        )
        for kind in KINDS
        for least in OVERLAPS
    }


def summary(scores: list[DetectionScore]) -> dict[str, Any]:
    """Return the score of all fields together, F1 with a 95% interval by resampling fields (2,000 times)."""
    counts = np.array([[score.hits, score.found, score.drawn] for score in scores])
    drawn = np.random.default_rng(0).integers(0, len(counts), (2000, len(counts)))
    hits, found, truth = counts[drawn].sum(axis=1).T
    low, high = np.percentile(2 * hits / np.maximum(found + truth, 1), (2.5, 97.5))
    return DetectionScore(*map(int, counts.sum(axis=0))).to_json() | {"f1_interval": [float(low), float(high)]}


def markdown(figures: dict[str, Any]) -> str:
    """Return the table of overlap 0.5, and F1 over the overlap."""
    lines = [
        "# Cells found in smear fields",
        "",
        f"{figures['fields']} fields; a red cell is {figures['cell_diameter']:.0f} pixels wide (measured); "
        f"{figures['seconds_per_field']['median']:.2f} s of one processor for a field (median). "
        "A hit overlaps a drawn box by at least 0.5 (intersection over union), one to one. "
        "Intervals: 95%, by resampling fields.",
        "",
        "| cells | fields | F1 | precision | recall | found | drawn |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in KINDS:
        for part, kinds in figures["parts"].items():
            score = kinds[kind]["0.5"]
            low, high = score["f1_interval"]
            lines.append(
                f"| {kind} | {part} | {score['f1']:.3f} ({low:.3f}-{high:.3f}) | {score['precision']:.3f} "
                f"| {score['recall']:.3f} | {score['found']:,} | {score['drawn']:,} |"
            )
    lines += ["", "F1 on the test fields by the overlap that makes a hit:", ""]
    lines += ["| cells | " + " | ".join(f"{least:g}" for least in OVERLAPS) + " |", "|---" * 6 + "|"]
    for kind in KINDS:
        scores = figures["parts"]["test"][kind]
        lines.append(f"| {kind} | " + " | ".join(f"{scores[f'{least:g}']['f1']:.3f}" for least in OVERLAPS) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
