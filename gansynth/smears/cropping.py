"""Smear fields to single-cell images: find, score against annotations, cut, and write down where each came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from gansynth.data.folders import Unreadable, shown
from gansynth.data.npz import write_png
from gansynth.data.opening import METADATA_FILE, refuse_inside
from gansynth.data.picture import read_image
from gansynth.errors import InputError
from gansynth.files import table_text
from gansynth.files.atomic import refuse_used, whole_folder, write_json, write_text
from gansynth.smears.boxes import RED_CELL, WHITE_CELL, CellBox, DetectionScore, overlay, score_boxes
from gansynth.smears.cut import Surround, cut_cell
from gansynth.smears.diameter import red_cell_diameter
from gansynth.smears.field import refuse_large
from gansynth.smears.finding import Finder, find_cells
from gansynth.smears.folder import FieldFile, list_fields
from gansynth.smears.report import SmearReport
from gansynth.smears.upscale import SuperResolution, open_super_resolution
from gansynth.smears.voc import VocFile, kind_of, read_voc, write_voc

if TYPE_CHECKING:
    from gansynth.smears.detector import CellDetector

FIELDS_MEASURED = 24
"""The diameter of a red cell is measured in so many fields at most, evenly spread over the list."""

_BOX_COLUMNS = (
    "file_name", "class", "xmin", "ymin", "xmax", "ymax", "score", "at_border", "image", "scale",
)  # fmt: skip


@dataclass(frozen=True)
class CropSettings:
    """How cells are cut out.

    Attributes
    ----------
    size : int
        Edge length of a cell's image in pixels.
    red_frame, white_frame : float
        How many red cells' diameters fit side by side into the image of a red and of a white cell. pasupa2020's
        expected diameter is `size / red_frame`. A cell that does not fit is enlarged less.
    surround : Surround
    whole_only : bool
        Cells cut by the field's border get no image.
    cut_from : str
        "found" or "drawn": whose boxes are cut.
    finder : Finder
        Who finds them.
    detector : path-like, optional
        Folder or name of another learned finder than the one that ships.
    min_overlap : float
        Least intersection over union of a hit when found boxes are scored.
    """

    size: int = 224
    red_frame: float = 1.5
    white_frame: float = 3.0
    surround: Surround = Surround.SMEAR
    whole_only: bool = False
    cut_from: str = "found"
    finder: Finder = Finder.LEARNED
    detector: str | Path | None = None
    min_overlap: float = 0.5

    def frame(self, name: str) -> float:
        """Return the frame of a class, in diameters of a red cell."""
        return self.white_frame if kind_of(name) == WHITE_CELL else self.red_frame


def crop_smears(
    smears: str | Path,
    out: str | Path,
    settings: CropSettings | None = None,
    *,
    cell_diameter: float | None = None,
    annotations: str | Path | None = None,
    super_resolution: str | Path | None = None,
    device: str = "auto",
    on_field: Callable[[int, int], None] | None = None,
) -> SmearReport:
    """Cut the cells of smear fields into images of one size.

    Parameters
    ----------
    smears : path-like
        An image, or a folder of images of one magnification.
    out : path-like
        A folder that does not exist or is empty. It appears whole or not at all.
    settings : CropSettings, optional
    cell_diameter : float, optional
        Of a usual red cell, in pixels of the fields; measured where it is not given.
    annotations : path-like, optional
        See `list_fields`.
    super_resolution : path-like, optional
        Weight file of a network that enlarges.
    device : {"auto", "cpu", "cuda"}
        Where networks run.
    on_field : callable, optional
        Called with the number of fields done and of all.

    Returns
    -------
    SmearReport

    Raises
    ------
    InputError
        If nothing can be read, no diameter can be measured, cutting from drawn boxes is asked for and there are none,
        a detector is not a cell detector or has nothing to find, or `out` is in use.
    """
    settings = settings or CropSettings()
    out = Path(out)
    refuse_used(out)
    refuse_inside(smears, out)
    fields = list_fields(smears, annotations)
    drawn = {one.name: read_voc(one.annotation) for one in fields if one.annotation is not None}
    if settings.cut_from == "drawn" and not drawn:
        raise InputError(f"{shown(smears)}: no Pascal VOC file beside any field; say where they are with --annotations")
    network = None if super_resolution is None else open_super_resolution(super_resolution, device)
    detector = _detector(settings, device)
    diameter = cell_diameter if cell_diameter is not None else _measured(fields, smears)
    who = "people" if settings.cut_from == "drawn" else settings.finder.value
    report = SmearReport(out, diameter, cell_diameter is None, settings.cut_from, who, settings.min_overlap)
    if drawn and settings.cut_from == "found":
        report.score = {name: DetectionScore(0, 0, 0) for name in (WHITE_CELL, RED_CELL)}
    with whole_folder(out) as folder:
        work = _Work(folder, settings, diameter, network, detector, report)
        for done, one in enumerate(fields, 1):
            work.add(one, drawn.get(one.name))
            if on_field is not None:
                on_field(done, len(fields))
        if not report.fields:
            bad = report.unreadable[0]
            raise InputError(f"{shown(smears)}: no field can be read ({bad.path}: {bad.reason}); give smear images")
        if settings.cut_from == "drawn" and len(report.unfit) == len(drawn):
            bad = report.unfit[0]
            raise InputError(f"{shown(smears)}: no annotation fits its field ({bad.path}: {bad.reason})")
        work.finish()
    return report


def _detector(settings: CropSettings, device: str) -> CellDetector | None:
    if settings.cut_from == "drawn" or settings.finder is Finder.CLASSICAL:
        if settings.detector is not None:
            who = "boxes that people drew are cut" if settings.cut_from == "drawn" else "the classical finder is asked"
            raise InputError(f"--detector {settings.detector}: has nothing to find where {who}; leave out one of them")
        return None
    from gansynth.smears.detector import SHIPPED, open_detector  # brings torch along

    return open_detector(SHIPPED if settings.detector is None else settings.detector, device)


def _measured(fields: Sequence[FieldFile], smears: str | Path) -> float:
    """Return the diameter of a red cell, measured in some of the fields."""
    picked = np.unique(np.linspace(0, len(fields) - 1, min(FIELDS_MEASURED, len(fields))).round().astype(int))
    images, unread = [], ""
    for position in picked:
        try:
            image = read_image(fields[position].path)
            refuse_large(image.shape[0], image.shape[1])
            images.append(image)
        except InputError as error:  # named in the report when its turn comes
            unread = unread or f"{fields[position].relative}: {error}"
    if not images:
        raise InputError(f"{shown(smears)}: no field can be read ({unread}); give smear images")
    diameter = red_cell_diameter(images)
    if diameter is None:
        raise InputError(
            f"{shown(smears)}: no red cell lies alone in any field, so their size cannot be measured; "
            "give their diameter in pixels with --cell-diameter"
        )
    return diameter


@dataclass
class _Work:
    """The folder being written and what is known so far."""

    folder: Path
    settings: CropSettings
    diameter: float
    network: SuperResolution | None
    detector: CellDetector | None
    report: SmearReport
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, one: FieldFile, drawn: VocFile | None) -> None:
        """Find, score, cut and write the cells of one field."""
        try:
            image = read_image(one.path)
            refuse_large(image.shape[0], image.shape[1], self.diameter)
        except InputError as error:
            self.report.unreadable.append(Unreadable(one.relative, str(error)))
            return
        height, width = image.shape[:2]
        self.report.fields += 1
        if drawn is not None:
            try:
                drawn = drawn.fitted(height, width)
                self.report.broken += drawn.broken
            except InputError as error:
                self.report.unfit.append(Unreadable(one.relative, str(error)))
                drawn = None
        truth = [] if drawn is None else drawn.boxes
        found: list[CellBox] = []
        if self.settings.cut_from == "found":
            by = find_cells if self.detector is None else self.detector.find_cells
            found = by(image, self.diameter)
            if drawn is not None:
                self._score(found, truth)
                self.report.taught += self.detector is not None and self.detector.learned_from(one.path)
        boxes = truth if self.settings.cut_from == "drawn" else found
        self.report.empty += not boxes
        for number, box in enumerate(boxes, 1):
            self._cut(image, box, one, number)
        write_voc(self.folder / "annotations" / f"{one.name}.xml", boxes, one.path.name, height, width)
        self._draw(image, boxes, [] if boxes is truth else truth, one.name)

    def finish(self) -> None:
        """Write the tables and the report."""
        table = pd.DataFrame(self.rows, columns=list(_BOX_COLUMNS))
        counts = Counter(table["class"])
        self.report.counts = {name: counts[name] for name in sorted(counts)}
        write_text(self.folder / "boxes.csv", table_text(table))
        images = table[table["image"] != ""]
        # The field is the group: cells of one field share stain and focus, and never straddle a split.
        metadata = pd.DataFrame(
            {
                "file_name": images["image"].str.removeprefix("cells/"),
                "class": images["class"],
                "source": "smear",
                "group": images["file_name"],
                "origin": "real",
                "scale": images["scale"],
            }
        )
        (self.folder / "cells").mkdir(exist_ok=True)
        write_text(self.folder / "cells" / METADATA_FILE, table_text(metadata))
        write_json(self.folder / "report.json", self.report.to_json())

    def _score(self, found: Sequence[CellBox], drawn: Sequence[CellBox]) -> None:
        self.report.scored += 1
        for name in self.report.score:
            self.report.score[name] += score_boxes(
                [box for box in found if box.name == name],
                [box for box in drawn if kind_of(box.name) == name],
                self.settings.min_overlap,
            )
        others = Counter(box.name for box in drawn if kind_of(box.name) is None)
        known = self.report.other_names
        known.update({name: known.get(name, 0) + n for name, n in others.items()})

    def _cut(self, image: NDArray[np.uint8], box: CellBox, one: FieldFile, number: int) -> None:
        height, width = image.shape[:2]
        at_border = box.touches_border(height, width)
        self.report.at_border += at_border
        row = {
            "file_name": one.relative,
            "class": box.name,
            "xmin": round(box.left, 1),
            "ymin": round(box.top, 1),
            "xmax": round(box.right, 1),
            "ymax": round(box.bottom, 1),
            "score": round(box.score, 3),
            "at_border": int(at_border),
            "image": "",
            "scale": "",
        }
        self.rows.append(row)
        if at_border and self.settings.whole_only:
            self.report.without_image += 1
            return
        scale = self.settings.size / (self.settings.frame(box.name) * self.diameter)
        cut = cut_cell(image, box, self.settings.size, scale, self.settings.surround, self.network)
        place = f"cells/{_folder_name(box.name)}/{one.name}_{number:04d}.png"
        (self.folder / place).parent.mkdir(parents=True, exist_ok=True)
        write_png(cut.pixels, self.folder / place)
        row |= {"image": place, "scale": round(cut.scale, 4)}

    def _draw(self, image: NDArray[np.uint8], boxes: list[CellBox], drawn: list[CellBox], name: str) -> None:
        place = self.folder / "overlays" / f"{name}.jpg"
        place.parent.mkdir(exist_ok=True)
        Image.fromarray(overlay(image, boxes, drawn)).save(place, format="JPEG", quality=90)


def _folder_name(name: str) -> str:
    """Return a name from an annotation as a folder's name: it was written by somebody else."""
    plain = "".join("_" if letter in '/\\:*?"<>|' or ord(letter) < 32 else letter for letter in name)
    return plain.strip(" .") or "cell"
