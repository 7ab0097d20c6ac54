"""Boxes around cells in a smear field, and how well found boxes meet drawn ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.optimize import linear_sum_assignment

RED_CELL = "RBC"
WHITE_CELL = "WBC"

_COLOURS = {RED_CELL: (230, 30, 30), WHITE_CELL: (30, 60, 230)}
_OTHER = (20, 140, 60)
_DRAWN = (255, 230, 0)


@dataclass(frozen=True)
class CellBox:
    """One cell in a field: its kind and the rectangle around it.

    Attributes
    ----------
    name : str
        `RED_CELL`, `WHITE_CELL`, or what an annotation calls it.
    left, top, right, bottom : float
        Edges in pixels from the field's upper left corner; a box over the whole first pixel is 0, 0, 1, 1.
    score : float
        How sure the finder is, comparable inside one kind only; 1 for a drawn box.
    """

    name: str
    left: float
    top: float
    right: float
    bottom: float
    score: float = 1.0

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.bottom - self.top

    def within(self, height: int, width: int) -> CellBox:
        """Return the part of the box inside a field of `height` x `width` pixels."""
        left, right = (min(max(edge, 0.0), float(width)) for edge in (self.left, self.right))
        top, bottom = (min(max(edge, 0.0), float(height)) for edge in (self.top, self.bottom))
        return CellBox(self.name, left, top, right, bottom, self.score)

    def touches_border(self, height: int, width: int) -> bool:
        """Return whether the box reaches the field's border: the cell is probably cut off by it."""
        return self.left <= 0 or self.top <= 0 or self.right >= width or self.bottom >= height


@dataclass(frozen=True)
class DetectionScore:
    """How found boxes of one kind meet the drawn ones.

    Attributes
    ----------
    hits : int
        Pairs of one found and one drawn box with enough overlap; no box is in two pairs.
    found, drawn : int
        Boxes on either side.
    """

    hits: int
    found: int
    drawn: int

    @property
    def precision(self) -> float:
        """Share of found boxes that are hits; NaN where nothing was found."""
        return self.hits / self.found if self.found else float("nan")

    @property
    def recall(self) -> float:
        """Share of drawn boxes that are hits; NaN where nothing was drawn."""
        return self.hits / self.drawn if self.drawn else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, 2 hits / (found + drawn); NaN where both sides are empty."""
        both = self.found + self.drawn
        return 2 * self.hits / both if both else float("nan")

    def __add__(self, other: DetectionScore) -> DetectionScore:
        """Return the score of both sets of fields together."""
        return DetectionScore(self.hits + other.hits, self.found + other.found, self.drawn + other.drawn)

    def to_json(self) -> dict[str, float | int | None]:
        """Return counts and shares; what is undefined is None."""
        shares = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        counts: dict[str, float | int | None] = {"hits": self.hits, "found": self.found, "drawn": self.drawn}
        return counts | {name: None if value != value else value for name, value in shares.items()}


def corners(boxes: Iterable[CellBox]) -> NDArray[np.float64]:
    """Return left, top, right and bottom of every box as float64 [N, 4]."""
    return np.array([[box.left, box.top, box.right, box.bottom] for box in boxes], dtype=np.float64).reshape(-1, 4)


def overlap(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return intersection over union of every pair.

    Parameters
    ----------
    first, second : float64 [N, 4] and [M, 4]
        See `corners`.

    Returns
    -------
    float64 [N, M], in 0 to 1
    """
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    sizes = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second)]
    union = sizes[0][:, None] + sizes[1][None, :] - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def one_each(edges: NDArray[np.float64], score: NDArray[np.float64], most: float) -> list[int]:
    """Choose one box for each cell: from the surest on, what overlaps a surer one by more than `most` is left out.

    Parameters
    ----------
    edges : float64 [N, 4]
        See `corners`.
    score : float64 [N]
    most : float
        Intersection over union.

    Returns
    -------
    list of int
        Places of those kept, the surest first.
    """
    overlaps = overlap(edges, edges)
    kept: list[int] = []
    for one in np.argsort(-score, kind="stable").tolist():
        if not kept or overlaps[one, kept].max() <= most:
            kept.append(one)
    return kept


def score_boxes(found: Sequence[CellBox], drawn: Sequence[CellBox], min_overlap: float = 0.5) -> DetectionScore:
    """Count how many found boxes meet drawn ones, whatever their names.

    Pairs are made so that as many as possible overlap by `min_overlap` (intersection over union), each box in one
    pair at most: two boxes on one cell are one hit and one mistake.

    Parameters
    ----------
    found, drawn : sequence of CellBox
        Boxes of one kind in one field.
    min_overlap : float
        Smallest intersection over union of a hit, in (0, 1].

    Returns
    -------
    DetectionScore

    Examples
    --------
    >>> drawn = [CellBox("RBC", 0, 0, 10, 10), CellBox("RBC", 50, 50, 60, 60)]
    >>> score_boxes([CellBox("RBC", 1, 0, 11, 10)], drawn)
    DetectionScore(hits=1, found=1, drawn=2)
    """
    enough = overlap(corners(found), corners(drawn)) >= min_overlap
    rows, columns = linear_sum_assignment(enough, maximize=True)
    return DetectionScore(int(enough[rows, columns].sum()), len(found), len(drawn))


def overlay(image: NDArray[np.uint8], boxes: Sequence[CellBox], drawn: Sequence[CellBox] = ()) -> NDArray[np.uint8]:
    """Draw boxes into a field.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    boxes : sequence of CellBox
        Red cells in red, white cells in blue, others in green; each with its name.
    drawn : sequence of CellBox
        Boxes of an annotation, thin and yellow, beneath the others.

    Returns
    -------
    uint8 [H, W, 3]
    """
    picture = Image.fromarray(image)
    pen = ImageDraw.Draw(picture)
    line = max(2, round(max(image.shape) / 400))
    for box in drawn:
        pen.rectangle(_pixels(box), outline=_DRAWN, width=max(1, line // 2))
    for box in boxes:
        pen.rectangle(_pixels(box), outline=_COLOURS.get(box.name, _OTHER), width=line)
    letters = ImageFont.load_default(size=max(9, 5 * line))
    for box in boxes:  # above every box, so that none is struck through
        corner = _pixels(box)[:2]
        _, _, right, bottom = pen.textbbox(corner, box.name, font=letters)
        pen.rectangle((*corner, right + line, bottom + line), fill=_COLOURS.get(box.name, _OTHER))
        pen.text(corner, box.name, font=letters, fill="white")
    return np.asarray(picture)


def _pixels(box: CellBox) -> tuple[int, int, int, int]:
    left, top = round(box.left), round(box.top)
    return left, top, max(left, round(box.right) - 1), max(top, round(box.bottom) - 1)
