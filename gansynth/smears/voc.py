"""Pascal VOC files: the boxes of one field as most annotation tools write them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from gansynth.errors import InputError
from gansynth.files import read_bytes, shown
from gansynth.files.atomic import write_text
from gansynth.smears.boxes import RED_CELL, WHITE_CELL, CellBox

_EDGES = ("xmin", "ymin", "xmax", "ymax")
_MOST_BYTES = 20_000_000
LEAST_EDGE = 3
"""In pixels; what is smaller is a slip of the mouse, and no cell can be seen in it."""
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
        Objects left out because their box is empty, upside down, outside the picture, smaller than `LEAST_EDGE` pixels,
        drawn twice, or not numbers.
    size : (int, int) or None
        Width and height of the picture that was annotated, where the file says them.
    """

    boxes: list[CellBox]
    broken: int
    size: tuple[int, int] | None = None

    def fitted(self, height: int, width: int) -> VocFile:
        """Return the boxes as they lie in a picture of `height` x `width` pixels, what lies outside cut off.

        Raises
        ------
        InputError
            If the file says that another picture was annotated: the boxes would be in the wrong places.
        """
        if self.size is not None and self.size != (width, height):
            raise InputError(
                f"its boxes are drawn in a picture of {self.size[0]} x {self.size[1]} pixels, and this one has "
                f"{width} x {height}; give the picture that was annotated, or export the boxes again"
            )
        kept: list[CellBox] = []
        taken: set[tuple[float, ...]] = set()
        for box in self.boxes:
            inside = box.within(height, width)
            edges = (inside.left, inside.top, inside.right, inside.bottom)
            if min(inside.width, inside.height) >= LEAST_EDGE and edges not in taken:
                kept.append(inside)
                taken.add(edges)
        return VocFile(kept, self.broken + len(self.boxes) - len(kept), self.size)


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
        If the file is not a Pascal VOC annotation.
    """
    data = read_bytes(path, _MOST_BYTES)
    try:
        root = ElementTree.fromstring(data, ElementTree.XMLParser(target=_Builder()))
    except _DefinesType:
        raise InputError(f"{shown(path)}: no Pascal VOC annotation (it defines a document type)") from None
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
    return VocFile(boxes, broken, _size(root))


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


class _DefinesType(Exception):
    """Only a file that is made to exhaust memory, or to read other files, defines a document type with entities."""


class _Builder(ElementTree.TreeBuilder):
    def doctype(self, *_: object) -> None:
        """Refuse a document type, in whatever encoding it is written."""
        raise _DefinesType


def _size(root: ElementTree.Element) -> tuple[int, int] | None:
    try:
        width, height = (int(root.findtext(f"size/{name}") or "") for name in ("width", "height"))
    except ValueError:
        return None
    # Some tools write 0 where they do not know.
    return (width, height) if width > 0 and height > 0 else None


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
