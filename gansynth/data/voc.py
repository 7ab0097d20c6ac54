"""Pascal VOC files: the boxes of one field as most annotation tools write them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from gansynth.atomic import write_text
from gansynth.data.boxes import RED_CELL, WHITE_CELL, CellBox
from gansynth.data.folders import shown
from gansynth.errors import InputError

_EDGES = ("xmin", "ymin", "xmax", "ymax")
_MOST_BYTES = 20_000_000
# What published annotations call red and white cells; compared without case, "_" and "-" being blanks.
_KINDS = {
    RED_CELL: ("rbc", "rbcs", "red", "red cell", "red blood cell", "erythrocyte"),
    WHITE_CELL: (
        "wbc", "wbcs", "white", "white cell", "white blood cell", "leukocyte", "leucocyte", "neutrophil", "eosinophil",
        "basophil", "lymphocyte", "monocyte", "promyelocyte", "myelocyte", "metamyelocyte", "blast",
    ),
}  # fmt: skip
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names}


@dataclass(frozen=True)
class VocFile:
    """The boxes of one field.

    Attributes
    ----------
    boxes : list of CellBox
        In the file's order; names as written there.
    broken : int
        Objects left out because their box is empty, upside down or no numbers.
    """

    boxes: list[CellBox]
    broken: int


def kind_of(name: str) -> str | None:
    """Return whether an annotation's name is a red or a white cell, or None (platelets, artefacts, anything else)."""
    plain = name.strip().lower().replace("_", " ").replace("-", " ")
    return _KIND_OF.get(plain) or _KIND_OF.get(plain.removesuffix("s"))


def read_voc(path: str | Path) -> VocFile:
    """Read the boxes of a Pascal VOC file.

    Coordinates are taken as edges in pixels from 0, as the annotation tools of today write them; against a file
    that counts pixels from 1 that is off by less than a pixel.

    Raises
    ------
    InputError
        If the file is no Pascal VOC annotation.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{shown(path)}: cannot be read ({error.strerror}); check the path") from error
    # An annotation has no entities of its own; a file that defines some is made to exhaust memory or to read others.
    if len(data) > _MOST_BYTES or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise InputError(f"{shown(path)}: no Pascal VOC annotation (too large, or it defines a document type)")
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise InputError(
            f"{shown(path)}: no Pascal VOC annotation ({error}); export the boxes again, or move the file away"
        ) from error
    if root.tag != "annotation":
        raise InputError(f"{shown(path)}: no Pascal VOC annotation (it begins with <{root.tag}>); move the file away")
    boxes, broken = [], 0
    for found in root.iter("object"):
        box = _box(found)
        boxes += [] if box is None else [box]
        broken += box is None
    return VocFile(boxes, broken)


def write_voc(path: str | Path, boxes: Iterable[CellBox], file_name: str, height: int, width: int) -> None:
    """Write boxes as a Pascal VOC file, edges rounded to whole pixels, whole or not at all.

    Parameters
    ----------
    path : path-like
    boxes : iterable of CellBox
    file_name : str
        Of the field.
    height, width : int
        Of the field, in pixels.
    """
    root = ElementTree.Element("annotation")
    _text(root, "folder", "")
    _text(root, "filename", file_name)
    size = ElementTree.SubElement(root, "size")
    for name, pixels in (("width", width), ("height", height), ("depth", 3)):
        _text(size, name, str(pixels))
    _text(root, "segmented", "0")
    for box in boxes:
        found = ElementTree.SubElement(root, "object")
        _text(found, "name", box.name)
        _text(found, "pose", "Unspecified")
        _text(found, "truncated", str(int(box.touches_border(height, width))))
        _text(found, "difficult", "0")
        edges = ElementTree.SubElement(found, "bndbox")
        for name, edge in zip(_EDGES, (box.left, box.top, box.right, box.bottom), strict=True):
            _text(edges, name, str(round(edge)))
    ElementTree.indent(root, "\t")
    write_text(path, ElementTree.tostring(root, encoding="unicode") + "\n")


def _box(found: ElementTree.Element) -> CellBox | None:
    name = (found.findtext("name") or "").strip()
    edges = found.find("bndbox")
    if edges is None or not name:
        return None
    try:
        left, top, right, bottom = (float(edges.findtext(edge) or "") for edge in _EDGES)
    except ValueError:
        return None
    if not all(map(math.isfinite, (left, top, right, bottom))) or left >= right or top >= bottom:
        return None
    return CellBox(name, left, top, right, bottom)


def _text(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, tag).text = text
