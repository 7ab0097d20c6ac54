"""What `crop_smears` found and wrote."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gansynth.data.folders import Unreadable
from gansynth.smears.boxes import DetectionScore


@dataclass
class SmearReport:
    """What was found in a folder of smear fields.

    Attributes
    ----------
    out : pathlib.Path
        `cells/` (a data set), `boxes.csv`, `annotations/`, `overlays/` and `report.json` are in it.
    cell_diameter : float
        Of a usual red cell, in pixels of the fields.
    measured : bool
        Whether the diameter was measured in the fields, not given.
    cut_from : str
        "found" or "drawn": which boxes were cut.
    finder : str
        "learned" or "classical": who found them; "people" where drawn boxes were cut.
    fields, empty : int
        Fields read, and those among them without a cell.
    counts : dict of str to int
        Cells per class.
    at_border : int
        Cells that the field's border cuts.
    without_image : int
        Those of them that were not cut out.
    score : dict of str to DetectionScore
        How found boxes meet drawn ones, over the `scored` fields that have an annotation.
    scored : int
    taught : int
        Those of the scored fields that the learned finder has learned from: on them its score flatters.
    min_overlap : float
        Least intersection over union of a hit.
    other_names : dict of str to int
        Drawn boxes that are neither red nor white cells.
    broken : int
        Drawn boxes left out because they are empty, outside their picture, too small to show a cell, or drawn twice.
    unfit : list of Unreadable
        Fields whose annotation was left out because it is of another picture.
    unreadable : list of Unreadable
    """

    out: Path
    cell_diameter: float
    measured: bool
    cut_from: str
    finder: str
    min_overlap: float
    fields: int = 0
    empty: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    at_border: int = 0
    without_image: int = 0
    score: dict[str, DetectionScore] = field(default_factory=dict)
    scored: int = 0
    taught: int = 0
    other_names: dict[str, int] = field(default_factory=dict)
    broken: int = 0
    unfit: list[Unreadable] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return {
            "out": str(self.out),
            "cell_diameter": self.cell_diameter,
            "measured": self.measured,
            "cut_from": self.cut_from,
            "finder": self.finder,
            "fields": self.fields,
            "empty": self.empty,
            "counts": self.counts,
            "at_border": self.at_border,
            "without_image": self.without_image,
            "min_overlap": self.min_overlap,
            "scored": self.scored,
            "taught": self.taught,
            "score": {name: score.to_json() for name, score in self.score.items()},
            "other_names": self.other_names,
            "broken": self.broken,
            "unfit": [{"file": bad.path, "reason": bad.reason} for bad in self.unfit],
            "unreadable": [{"file": bad.path, "reason": bad.reason} for bad in self.unreadable],
        }

    def to_text(self) -> str:
        """Return the report as readable lines."""
        how = "measured" if self.measured else "given"
        lines = [f"{self.fields:,} fields; a red cell is {self.cell_diameter:.0f} pixels wide ({how})"]
        lines += [f"{n:>7,}  {name}" for name, n in self.counts.items()]
        if self.at_border:
            kept = "left out" if self.without_image else "marked in boxes.csv"
            lines.append(f"{self.at_border:>7,}  of them cut by a field's border ({kept})")
        if self.empty:
            lines.append(f"{self.empty:,} fields show no cell")
        if self.score and self.scored:
            lines.append(f"against the boxes drawn in {self.scored:,} fields (a hit overlaps by {self.min_overlap:g}):")
            lines += [
                f"  {name}: F1 {_share(score.f1)}, precision {_share(score.precision)}, recall {_share(score.recall)} "
                f"({score.found:,} found, {score.drawn:,} drawn)"
                for name, score in self.score.items()
            ]
        if self.taught:
            lines.append(f"  {self.taught:,} of these fields taught the learned finder; its score on them flatters")
        if self.broken:
            lines.append(f"drawn boxes left out: {self.broken:,} (empty, outside the picture, too small, or twice)")
        if self.unfit:
            lines.append(f"annotations of another picture, left out: {len(self.unfit):,}")
            lines += [f"  {bad.path}: {bad.reason}" for bad in self.unfit[:10]]
            lines += [f"  ... and {len(self.unfit) - 10:,} more"] * (len(self.unfit) > 10)
        if self.unreadable:
            lines.append(f"unreadable fields, left out: {len(self.unreadable):,}")
            lines += [f"  {bad.path}: {bad.reason}" for bad in self.unreadable[:10]]
            lines += [f"  ... and {len(self.unreadable) - 10:,} more"] * (len(self.unreadable) > 10)
        return "\n".join(lines)


def _share(value: float) -> str:
    return "-" if value != value else f"{value:.3f}"
