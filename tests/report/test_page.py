"""Claims about the report page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from gansynth.report.blocks import Drawing, Drawings, Grid, Lineup, Picture
from gansynth.report.figures import counts_chart
from gansynth.report.page import Page, Section, render_page, write_page

VOID = {"meta", "img", "br", "wbr", "link", "input"}


class Balance(HTMLParser):
    """Follows which elements are open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()


def refuse_addresses(html: str) -> None:
    """Claim that a page needs no other file and no network."""
    addresses = re.findall(r"(?:src|href)\s*=\s*\"([^\"]*)\"", html)
    assert addresses and all(address.startswith(("data:", "#")) for address in addresses)
    assert not re.search(r"url\((?!#|&quot;#)|@import|<script|<link", html)


def refuse_loose_ends(html: str) -> None:
    """Claim that every element of a page is closed, and that no number is missing in it."""
    parser = Balance()
    parser.feed(html)
    assert parser.open == []
    assert not re.search(r">nan\b|>None<|\binf\b", html)


def page() -> Page:
    lineup = Lineup(["real"], [("<i>blast</i> & co", "8 + 2", [Picture("data:,", "8 images", 8, "real")])], "rows")
    chart = Drawing(counts_chart({"a": 3}, {"a": 1}), 'counts "before" and after')
    table = Grid.of_texts(["class", "n"], [["a", "3"]], "numbers")
    return Page(
        title="A page",
        subtitle="of tests",
        verdict="It is <fine>.",
        figures=[("3", "cells")],
        warnings=["few cells"],
        sections=[Section("All", ["text"], [lineup, Drawings([chart]), table])],
        commands=[("gansynth data info 'my cells'", "Look")],
        facts=[("version", "0")],
    )


def test_the_page_needs_no_other_file_and_no_network() -> None:
    refuse_addresses(render_page(page()))


def test_every_text_is_escaped_and_every_element_closed() -> None:
    html = render_page(page())
    assert "&lt;i&gt;blast&lt;/i&gt; &amp; co" in html and "It is &lt;fine&gt;." in html
    refuse_loose_ends(html)


def test_what_is_absent_leaves_no_empty_heading() -> None:
    html = render_page(Page(title="A", subtitle="b", verdict="c"))
    for word in ("Before you believe", "<h2", "<footer", "<nav"):
        assert word not in html


def test_pictures_have_words_for_who_cannot_see_them(tmp_path: Path) -> None:
    html = write_page(tmp_path / "deep" / "report.html", page()).read_text(encoding="utf-8")
    assert all("alt=" in tag for tag in re.findall(r"<img[^>]*>", html))
    assert 'aria-label="counts &#34;before&#34; and after"' in html
