"""What pages are built of: tables with marks and notes, charts side by side, cells in columns, definitions.

Each block names the macro of `blocks.html.j2` that sets it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True)
class Cell:
    """One cell of a `Grid`.

    Attributes
    ----------
    text : str
        The number.
    small : str
        A second line in small letters: its interval, its n.
    notes : tuple of int
        Footnotes, 1 is the first of the grid's.
    shade : float or None
        0..1, how dark the background is.
    best : bool
        Whether it is marked as the best of its column.
    words : bool
        Whether it holds words, which are set to the left and may wrap.
    """

    text: str
    small: str = ""
    notes: tuple[int, ...] = ()
    shade: float | None = None
    best: bool = False
    words: bool = False

    @property
    def style(self) -> str:
        """The background of a shaded cell: white to orange, always light enough for dark letters."""
        if self.shade is None:
            return ""
        dose = min(max(self.shade, 0.0), 1.0)
        parts = [round(255 + (end - 255) * dose) for end in (242, 166, 90)]
        return f"background:rgb({parts[0]},{parts[1]},{parts[2]})"


RowKind = Literal["", "group", "floor", "mean"]


@dataclass(frozen=True)
class Row:
    """A named row; a "group" is a heading across the table, "floor" and "mean" are what to compare with."""

    name: str
    cells: Sequence[Cell] = ()
    kind: RowKind = ""
    small: str = ""


@dataclass(frozen=True)
class Grid:
    """A table of `Row`s with footnotes.

    Attributes
    ----------
    head : sequence of str
        One more than a row has cells.
    rows : sequence of Row
    caption : str
    notes : sequence of str
        Footnotes, numbered from 1.
    under : sequence of str
        A second line under each heading, such as "lower is better"; empty, or as long as `head`.
    """

    macro: ClassVar[str] = "grid"
    head: Sequence[str]
    rows: Sequence[Row]
    caption: str
    notes: Sequence[str] = ()
    under: Sequence[str] = ()

    @classmethod
    def of_texts(cls, head: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> Grid:
        """Return a plain table: the first text of a row names it, the others are set as numbers."""
        return cls(head, [Row(name, [Cell(text) for text in texts]) for name, *texts in rows], caption)

    @property
    def words(self) -> set[int]:
        """The columns that hold words: their heading stands to the left as they do."""
        return {i + 1 for row in self.rows for i, cell in enumerate(row.cells) if cell.words}


@dataclass(frozen=True)
class Drawing:
    """A chart with what it shows, no wider than `width` rem."""

    svg: str
    caption: str
    title: str = ""
    width: float = 40.0


@dataclass(frozen=True)
class Drawings:
    """Charts, side by side where the window is wide enough."""

    macro: ClassVar[str] = "drawings"
    items: Sequence[Drawing]


@dataclass(frozen=True)
class Picture:
    """Cells as one picture: its data address, the words for who cannot see it, and its native width in pixels."""

    address: str
    alt: str
    width: int
    origin: Literal["real", "synthetic"]


@dataclass(frozen=True)
class Lineup:
    """The same class from several sources: a row per class, a column per source.

    Attributes
    ----------
    sources : sequence of str
        "real", then the generators.
    rows : sequence of (class name, note, pictures)
        As many pictures as sources; None where a source has none.
    caption : str
    """

    macro: ClassVar[str] = "lineup"
    sources: Sequence[str]
    rows: Sequence[tuple[str, str, Sequence[Picture | None]]]
    caption: str


@dataclass(frozen=True)
class Card:
    """One pair of pictures with a line below; `alarm` sets it in a warning colour."""

    picture: Picture
    text: str
    small: str = ""
    alarm: bool = False


@dataclass(frozen=True)
class Cards:
    """Rows of cards, each row with a name and a note."""

    macro: ClassVar[str] = "cards"
    rows: Sequence[tuple[str, str, Sequence[Card]]]
    caption: str


@dataclass(frozen=True)
class Guess:
    """One image with the classes it is taken for.

    Attributes
    ----------
    picture : Picture
    text : str
        What it is taken for and what it is.
    right : bool
        Whether the two are the same.
    bars : sequence of (name, share, is_truth)
        Probabilities, largest first, or in the order in which they are given.
    """

    picture: Picture
    text: str
    right: bool
    bars: Sequence[tuple[str, float, bool]]


@dataclass(frozen=True)
class Guesses:
    """Rows of classified images with their probabilities, each row with a name and a note."""

    macro: ClassVar[str] = "guesses"
    rows: Sequence[tuple[str, str, Sequence[Guess]]]
    caption: str


@dataclass(frozen=True)
class Text:
    """A paragraph, or where `strong` a small heading."""

    macro: ClassVar[str] = "text"
    words: str
    strong: bool = False


@dataclass(frozen=True)
class Definitions:
    """Terms, each with a line of meaning."""

    macro: ClassVar[str] = "definitions"
    items: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Link:
    """Another page, by its place beside this one, and what is found there."""

    place: str
    words: str


@dataclass(frozen=True)
class Links:
    """Pages that this one leads to."""

    macro: ClassVar[str] = "links"
    items: Sequence[Link]


Block = Grid | Drawings | Lineup | Cards | Guesses | Text | Definitions | Links
