"""The report page: one HTML file that needs no other file and no network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from gansynth.files.atomic import write_text
from gansynth.report.blocks import Block

if TYPE_CHECKING:
    from jinja2 import Environment

_LONG = 5
"""Sections from which a page has a list of contents."""


@dataclass(frozen=True)
class Section:
    """A heading with paragraphs, blocks, and paragraphs after them.

    Where it is `folded` the page shows its heading alone until a reader opens it; on paper it is open. Its `command`
    does for the reader's own folder what the section shows.
    """

    title: str
    paragraphs: Sequence[str] = ()
    blocks: Sequence[Block] = ()
    after: Sequence[str] = ()
    folded: bool = False
    command: str = ""

    @property
    def place(self) -> str:
        """Where a link finds it: its title in small letters and hyphens."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


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
        The body. From five on they are listed beside the page.
    lead : int
        How many of them stand right under the verdict, before what it rests on: with the one table and the one figure
        that a long page opens with.
    commands : sequence of (command, meaning)
        What to type next.
    commands_title : str
        What the commands are for.
    facts : sequence of (name, value)
        Where the page comes from: versions, seed, device, date.
    wide : bool
        Whether the page holds wide tables.
    reload_seconds : int
        After so many the page loads itself anew; 0 never.
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
    reload_seconds: int = 0
    lead: int = 0

    @property
    def contents(self) -> Sequence[Section]:
        """The sections that are listed beside a long page; empty for a short one."""
        return self.sections if len(self.sections) >= _LONG else ()


def folded_after(sections: Sequence[Section], first: int) -> list[Section]:
    """Return the sections with all but the `first` ones folded."""
    return [replace(one, folded=one.folded or k >= first) for k, one in enumerate(sections)]


def render_page(page: Page) -> str:
    """Return `page` as one HTML document; every text in it is escaped, only the drawings' SVG is not."""
    return templates("gansynth.report").get_template("page.html.j2").render(page=page)


def write_page(path: Path | str, page: Page) -> Path:
    """Write `page` to `path`, whole or not at all, and return the path."""
    write_text(path, render_page(page))
    return Path(path)


def _breakable(name: str) -> Markup:
    """Let a long name, such as that of an arm, continue on the next line after a sign that joins its parts."""
    return Markup(re.sub(r"([+/:,])(?=\S)", r"\1<wbr>", str(escape(name))))


@lru_cache  # it keeps the templates that it has compiled
def templates(package: str) -> Environment:
    """Return the templates that lie in a package, such as ``gansynth.report.quiz``."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader(package, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["breakable"] = _breakable
    return found
