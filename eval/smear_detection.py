"""How well are the cells of real smear fields found? Against boxes that people drew.

    python eval/smear_detection.py SMEARS --out DIR [--detector FOLDER]

SMEARS is a folder of fields with Pascal VOC files, such as BCCD's (github.com/Shenggan/BCCD_Dataset, MIT).
Fields are sorted by name. The settings in `RedCellSettings` and `WhiteCellSettings` were chosen on those in even places
(the first, the third, ...), and the same fields taught the learned finder (eval/smear_detector.py); the others are the
test. The classical method itself was sketched while looking at fields of both parts, and mistakes of both were looked
at. Writes figures.json and table.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from gansynth.data.picture import read_image
from gansynth.errors import InputError
from gansynth.files.atomic import write_json, write_text
from gansynth.smears.boxes import RED_CELL, WHITE_CELL, CellBox, DetectionScore, score_boxes
from gansynth.smears.detector import SHIPPED, CellDetector, open_detector
from gansynth.smears.diameter import red_cell_diameter
from gansynth.smears.finding import Finder, find_cells
from gansynth.smears.folder import list_fields
from gansynth.smears.voc import kind_of, read_voc

OVERLAPS = (0.3, 0.4, 0.5, 0.6, 0.7)
KINDS = (WHITE_CELL, RED_CELL)
PARTS = {"test": slice(1, None, 2), "chosen on": slice(0, None, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("smears", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--detector", default=SHIPPED, help="folder of another learned finder")
    options = parser.parse_args()
    try:
        figures = measure(options.smears, open_detector(options.detector))
    except InputError as error:
        sys.exit(f"error: {error}")
    write_json(options.out / "figures.json", figures)
    text = markdown(figures)
    write_text(options.out / "table.md", text)
    print(text)


def measure(smears: Path, detector: CellDetector) -> dict[str, Any]:
    """Return counts of hits for every finder, kind, part and overlap, with intervals over fields."""
    fields = [field for field in list_fields(smears) if field.annotation is not None]
    if len(fields) < 4:
        raise InputError(f"{smears}: fewer than four fields with a Pascal VOC file; give a folder with more")
    leaked = [field.relative for field in fields[1::2] if detector.learned_from(field.path)]
    if leaked:
        raise InputError(f"{leaked[0]}: taught the detector and is a test field here; give the folder it was taught on")
    picked = np.unique(np.linspace(0, len(fields) - 1, 24).round().astype(int))
    diameter = red_cell_diameter(read_image(fields[place].path) for place in picked)
    if diameter is None:
        raise InputError(f"{smears}: no red cell lies alone in any field")
    finders = {Finder.LEARNED.value: detector.find_cells, Finder.CLASSICAL.value: find_cells}
    seconds: dict[str, list[float]] = {name: [] for name in finders}
    scores: dict[str, list[dict[tuple[str, float], DetectionScore]]] = {name: [] for name in finders}
    for field in fields:
        image, drawn = read_image(field.path), read_voc(field.annotation).boxes
        for name, find in finders.items():
            begun = time.process_time()
            found = find(image, diameter)
            seconds[name].append(time.process_time() - begun)
            scores[name].append(field_scores(found, drawn))
    return {
        "fields": len(fields),
        "cell_diameter": round(diameter, 2),
        "finders": {
            name: {
                "seconds_per_field": {"median": float(np.median(seconds[name])), "most": float(np.max(seconds[name]))},
                "parts": {part: part_figures(scores[name][place]) for part, place in PARTS.items()},
                "red_where_drawn": red_where_drawn(scores[name][PARTS["test"]]),
            }
            for name in finders
        },
    }


def part_figures(fields: list[dict[tuple[str, float], DetectionScore]]) -> dict[str, Any]:
    """Return the figures of some fields for every kind and overlap."""
    return {
        kind: {f"{least:g}": summary([scores[kind, least] for scores in fields]) for least in OVERLAPS}
        for kind in KINDS
    }


def red_where_drawn(fields: list[dict[tuple[str, float], DetectionScore]]) -> dict[str, Any]:
    """Return the figures of red cells on those fields in which somebody drew one, and how many others there are."""
    drawn = [scores[RED_CELL, 0.5] for scores in fields if scores[RED_CELL, 0.5].drawn]
    return summary(drawn) | {"fields_without": len(fields) - len(drawn)}


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
    speed = ", ".join(
        f"{one['seconds_per_field']['median']:.2f} s ({name})" for name, one in figures["finders"].items()
    )
    lines = [
        "# Cells found in smear fields",
        "",
        f"{figures['fields']} fields; a red cell is {figures['cell_diameter']:.0f} pixels wide (measured). "
        "A hit overlaps a drawn box by at least 0.5 (intersection over union), one to one. "
        f"Intervals: 95%, by resampling fields. One processor for a field, median: {speed}.",
        "",
        "| cells | finder | fields | F1 | precision | recall | found | drawn |",
        "|---|---|---|---|---|---|---|---|",
    ]
    every = [(kind, part, name) for kind in KINDS for part in PARTS for name in figures["finders"]]
    for kind, part, name in every:
        score = figures["finders"][name]["parts"][part][kind]["0.5"]
        low, high = score["f1_interval"]
        lines.append(
            f"| {kind} | {name} | {part} | {share(score['f1'])} ({low:.3f}-{high:.3f}) | {share(score['precision'])} "
            f"| {share(score['recall'])} | {score['found']:,} | {score['drawn']:,} |"
        )
    missing = [(name, one["red_where_drawn"]) for name, one in figures["finders"].items()]
    lines += [
        "",
        f"In {missing[0][1]['fields_without']} test fields nobody drew a red cell. F1 of red cells on the others:",
    ]
    lines += [f"{name} {share(score['f1'])} ({'-'.join(map(share, score['f1_interval']))})." for name, score in missing]
    lines += ["", "F1 on the test fields by the overlap that makes a hit:", ""]
    lines += ["| cells | finder | " + " | ".join(f"{least:g}" for least in OVERLAPS) + " |", "|---" * 7 + "|"]
    for kind in KINDS:
        for name, one in figures["finders"].items():
            cells = [share(one["parts"]["test"][kind][f"{least:g}"]["f1"]) for least in OVERLAPS]
            lines.append(f"| {kind} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def share(value: float | None) -> str:
    """Return a share with three places; a dash where nothing was found or nothing is drawn."""
    return "-" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()
