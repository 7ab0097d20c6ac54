"""The report page: one HTML file that needs no other file and no network."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gansynth.files.atomic import write_text
from gansynth.report.blocks import Block
from gansynth.report.figures import image_strip


@dataclass(frozen=True)
class Chart:
    """A drawing with what it shows.

    Attributes
    ----------
    svg : str
        One SVG element (see `gansynth.report.figures`).
    caption : str
        What the reader sees; also read aloud by a screen reader.
    """

    svg: str
    caption: str


@dataclass(frozen=True)
class ClassPictures:
    """The cells of one class, two kinds beside each other.

    Attributes
    ----------
    name, note : str
        The class, and a few words on it (a count, a share).
    left, right : uint8 array, shape [N, 3, H, W]
        RGB, 0..255.
    """

    name: str
    note: str
    left: NDArray[np.uint8]
    right: NDArray[np.uint8]

    @property
    def left_source(self) -> str:
        """The left strip as a data address."""
        return _png_address(self.left)

    @property
    def right_source(self) -> str:
        """The right strip as a data address."""
        return _png_address(self.right)


@dataclass(frozen=True)
class Pictures:
    """Rows of cells, one per class, under two headings such as "real" and "synthetic"."""

    left: str
    right: str
    rows: Sequence[ClassPictures]
    caption: str


@dataclass(frozen=True)
class Table:
    """A table; the first column names the row, the others are set as numbers."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str


@dataclass(frozen=True)
class Section:
    """A heading with paragraphs, then pictures, charts, a table and blocks, where given."""

    title: str
    paragraphs: Sequence[str] = ()
    pictures: Pictures | None = None
    charts: Sequence[Chart] = ()
    table: Table | None = None
    blocks: Sequence[Block] = ()
    after: Sequence[str] = ()


@dataclass(frozen=True)
class Page:
    """Everything a report says.

    Attributes
    ----------
    title, subtitle : str
        The heading and one line under it.
    verdict : str
        One or two sentences: what was found.
    findings : sequence of str
        What the verdict rests on, a sentence each.
    figures : sequence of (value, meaning)
        The few numbers a reader takes away.
    warnings : sequence of str
        What the reader must know before believing the rest.
    sections : sequence of Section
        The body.
    commands : sequence of (command, meaning)
        What to type next.
    commands_title : str
        What the commands are for.
    facts : sequence of (name, value)
        Where the page comes from: versions, seed, device, date.
    wide : bool
        Whether the page holds wide tables.
    """

    title: str
    subtitle: str
    verdict: str
    figures: Sequence[tuple[str, str]] = ()
    warnings: Sequence[str] = ()
    sections: Sequence[Section] = ()
    commands: Sequence[tuple[str, str]] = ()
    facts: Sequence[tuple[str, str]] = field(default_factory=tuple)
    findings: Sequence[str] = ()
    commands_title: str = "Next"
    wide: bool = False


def render_page(page: Page) -> str:
    """Return `page` as one HTML document; every text in it is escaped, only the charts' SVG is not."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("gansynth.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(page=page)


def write_page(path: Path | str, page: Page) -> Path:
    """Write `page` to `path`, whole or not at all, and return the path."""
    write_text(path, render_page(page))
    return Path(path)


def _png_address(images: NDArray[np.uint8]) -> str:
    buffer = io.BytesIO()
    image_strip(images).save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
