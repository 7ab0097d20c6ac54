"""Every table of the five papers beside ours, on one page: theirs, ours, the difference, and does the paper hold here?

    python eval/all.py --out DIR

Reads the kept results (eval/results), trains nothing. Writes DIR/papers.html, sorted so that a reader of a paper finds
a table by its number, and the same as tables into eval/README.md. Files that are not those of the manifest are
refused: what has no command is not a result. Below the tables stands everything else that the papers do, measure and
claim (eval/papers), row by row, with where it is here; the README has the counts, and the rows that are not whole.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import gansynth
from gansynth.errors import InputError
from gansynth.files.atomic import write_text
from gansynth.report.blocks import Cell, Definitions, Grid, Row
from gansynth.report.page import Page, Section, write_page
from kept_results import Kept, faults, read_manifest
from paper_rows import STATUSES, PaperRow, count, read_rows
from paper_study import markdown
from paper_tables import VERDICTS, Paper, PaperTable, read_papers

PAGE_FILE = "papers.html"
README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- papers: written by all.py -->", "<!-- end of papers -->"
BEGIN_ROWS, END_ROWS = "<!-- rows: written by all.py -->", "<!-- end of rows -->"
EXACT = (
    "Ours minus theirs: the interval knows our test images and trainings; papers give none. Data, size and networks "
    "differ, so that it says how far apart two tables are, not why."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    try:
        print(study(given.out))
    except InputError as error:
        sys.exit(f"error: {error}")


def study(out: Path, readme: Path = README) -> Path:
    """Write the page and the tables of the README; return the page's path.

    Raises
    ------
    InputError
        If a kept file is not the one that was entered, or a table cannot be read.
    """
    kept = read_manifest()
    wrong = faults(kept)
    if wrong:
        raise InputError("; ".join(wrong) + "; enter them with eval/kept_results.py, or bring the old ones back")
    papers, rows = read_papers(), read_rows()
    write_text(readme, with_rows(with_tables(readme.read_text(encoding="utf-8"), papers), rows))
    return write_page(out / PAGE_FILE, page(papers, kept, rows))


def page(papers: Sequence[Paper], kept: Mapping[str, Kept], rows: Mapping[str, Sequence[PaperRow]]) -> Page:
    """Return the page: one table of all tables, then each by itself, then the papers row by row."""
    tables = [table for paper in papers for table in paper.tables]
    found = Counter(table.holds for table in tables)
    measured = [table for table in tables if table.kept]
    return Page(
        title="Five papers beside ours",
        subtitle="Every table by its number: theirs, ours, the difference, what was changed",
        verdict=verdict(tables),
        figures=[(str(found[word]), meaning) for word, meaning in MEANINGS.items() if found[word]],
        warnings=[EXACT],
        sections=[*map(overview, papers), *(section(table, kept) for table in measured), *row_sections(rows)],
        lead=len(papers),
        facts=[("gansynth", gansynth.__version__), ("made by", "python eval/all.py --out DIR")],
        wide=True,
    )


MEANINGS = {
    "holds": "conclusions that hold here",
    "in part": "that hold in part",
    "not shown": "that our tests neither show nor refute",
    "no": "that do not hold",
    "not tested": "that were not tested",
}


def verdict(tables: Sequence[PaperTable]) -> str:
    """Return in a sentence how many conclusions hold.

    Examples
    --------
    >>> verdict([PaperTable("a", "1", "?", "holds", "", kept="a"), PaperTable("a", "2", "?", "no", "", kept="a")])
    'Conclusions of 2 tables: 1 hold on our data, 0 in part, 1 do not; 0 are not shown either way, 0 were not tested.'
    """
    n = Counter(table.holds for table in tables if table.kept)
    return (
        f"Conclusions of {sum(n.values())} tables: {n['holds']} hold on our data, {n['in part']} in part, {n['no']} do "
        f"not; {n['not shown']} are not shown either way, {n['not tested']} were not tested."
    )


def overview(paper: Paper) -> Section:
    """Return a paper's tables by their numbers, and what is said of each."""
    rows = []
    for table in paper.tables:
        if table.headline is None:
            rows.append(Row(f"table {table.number}", [*[Cell("-")] * 3, Cell(table.holds)], small=table.asks))
            continue
        numbers = [divided(text) for text in first_numbers(table)]
        rows.append(Row(f"table {table.number}", [*numbers, Cell(table.holds)], small=plain(table.headline.what)))
    head = ["table", "theirs", "ours (95%)", "ours minus theirs", "does it hold?"]
    said = [(f"Table {table.number}: {table.holds}", plain(table.sentence)) for table in paper.tables]
    return Section(f"{paper.name}", [f"{paper.title}."], blocks=[Grid(head, rows, ""), Definitions(said)])


def plain(text: str) -> str:
    """Return Markdown of one line without its marks.

    Examples
    --------
    >>> plain("*custom-cnn*: see [its tables](tables.md) and `all.py`")
    'custom-cnn: see its tables and all.py'
    """
    return re.sub(r"[`*]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text))


def divided(text: str) -> Cell:
    """Return a number with its interval in small letters below."""
    number, _, ends = text.partition(" (")
    return Cell(number, ends.rstrip(")"))


def first_numbers(table: PaperTable) -> tuple[str, str, str]:
    """Return theirs, ours and the difference of the number that a reader sees first."""
    first = table.headline
    return ("-", "-", "-") if first is None else (first.theirs.text, first.ours.text, first.difference)


def section(table: PaperTable, kept: Mapping[str, Kept]) -> Section:
    """Return one table with every number that has ours beside it."""
    made = kept[table.kept]
    tested = [] if table.tested is None else [f"Tested: {table.tested[0]}: {table.tested[1]}."]
    alone = [f"Without a number of ours: {', '.join(table.alone)}."] if table.alone else []
    rows = [[plain(pair.what), pair.theirs.text, pair.ours.text, pair.difference] for pair in table.pairs]
    caption = f"{plain(table.headline.what)} is the number in the first table." if table.headline else ""
    return Section(
        f"{table.name}",
        paragraphs=[
            table.asks,
            f"{table.holds[0].upper()}{table.holds[1:]}. {plain(table.sentence)}",
            *tested,
            f"Changed: {table.changed}.",
            *([f"Open: {table.open}"] if table.open else []),
            f"Made by {made.command} (commit {made.commit[:10]}; eval/results/{table.kept}).",
            *(
                f"Also: {changed}. Made by {kept[name].command} (commit {kept[name].commit[:10]}; eval/results/{name})."
                for name, changed in table.also
            ),
        ],
        blocks=[Grid.of_texts(["number", "theirs", "ours (95%)", "ours minus theirs"], rows, caption)],
        after=alone,
        folded=True,
    )


def row_sections(papers: Mapping[str, Sequence[PaperRow]]) -> list[Section]:
    """Return how many rows of each paper are whole, and for each paper all of them."""
    counts = [[name, *row_counts(rows)] for name, rows in papers.items()]
    made = [Section("Row by row", [ROWS], blocks=[Grid.of_texts(COUNTED, counts, "")])]
    for name, rows in papers.items():
        lines = [
            Row(
                f"{row.number}. {plain(row.what)}",
                [Cell(row.where, words=True), Cell(row.status, words=True),
                 Cell(", ".join(row.found_in) or "-", plain(row.said), words=True)],
            )
            for row in rows
        ]  # fmt: skip
        grid = Grid(["what", "where in the paper", "status", "here, and what is to be known of it"], lines, "")
        made.append(Section(f"{name}, row by row", blocks=[grid], folded=True))
    return made


COUNTED = ["paper", "rows", *STATUSES]
ROWS = (
    "What the papers do, measure and claim. Whole: the product does it as the paper says; of a table, our number "
    "stands beside the paper's, of the same network and remedy, on other cells, of which there are fewer. Part: "
    "something is missing. Missing: nothing here does it."
)


def row_counts(rows: Sequence[PaperRow]) -> list[str]:
    """Return how many rows there are, and how many of each status."""
    return [str(len(rows)), *(str(n) for n in count(rows).values())]


def readme_rows(papers: Mapping[str, Sequence[PaperRow]]) -> str:
    """Return the counts for the README, and every row that is not whole with its reason."""
    together = [row for rows in papers.values() for row in rows]
    counts = [[name, *row_counts(rows)] for name, rows in papers.items()]
    parts = [ROWS, markdown(COUNTED, [*counts, ["together", *row_counts(together)]])]
    for name, rows in papers.items():
        open_rows = [
            [str(row.number), row.where, row.what, row.status, row.why, row.takes or "-"]
            for row in rows
            if row.status != "whole"
        ]
        head = ["row", "where", "what", "status", "why", "what it would take"]
        parts += [f"**{name}**, {len(open_rows)} of {len(rows)} rows:", markdown(head, open_rows)]
    return "\n\n".join(parts)


def readme_tables(papers: Sequence[Paper]) -> str:
    """Return the same for the README, a table for each paper."""
    parts = [
        verdict([table for paper in papers for table in paper.tables]),
        EXACT,
        f"*Does it hold here?* is one of: {', '.join(VERDICTS[:-1])} (our test does not distinguish it from chance: "
        "not shown). All numbers of every table stand on the page.",
    ]
    for paper in papers:
        rows = []
        for table in paper.tables:
            theirs, ours, gap = first_numbers(table)
            tested = "-" if table.tested is None else f"{table.tested[0]}: {table.tested[1]}"
            what = "-" if table.headline is None else table.headline.what
            rows.append(
                [table.number, table.asks, what, theirs, ours, gap, tested, f"**{table.holds}.** {table.sentence}"]
            )
        head = [
            "table",
            "asks",
            "a number of it",
            "theirs",
            "ours",
            "ours minus theirs",
            "tested",
            "does it hold here?",
        ]
        parts += [f"### {paper.name}", f"{paper.title}.", markdown(head, rows)]
        changed = {table.changed: table.kept for table in paper.tables if table.kept}
        changed |= {text: name for table in paper.tables for name, text in table.also}
        parts += [f"Changed ([{name}](results/{name}/tables.md)): {text}." for text, name in changed.items()]
        gaps = [f"- Table {table.number}: {table.open}" for table in paper.tables if table.open]
        parts += ["Not whole, and why:", "\n".join(gaps)] if gaps else []
    return "\n\n".join(parts)


def with_tables(text: str, papers: Sequence[Paper]) -> str:
    """Return the README's text with the tables anew.

    Raises
    ------
    InputError
        If the marks between which they stand are gone.
    """
    return between(text, BEGIN, END, readme_tables(papers))


def with_rows(text: str, papers: Mapping[str, Sequence[PaperRow]]) -> str:
    """Return the README's text with the rows anew; see `with_tables`."""
    return between(text, BEGIN_ROWS, END_ROWS, readme_rows(papers))


def between(text: str, begin: str, end: str, new: str) -> str:
    """Return a text with another content between two marks.

    Raises
    ------
    InputError
        If a mark is gone.
    """
    if begin not in text or end not in text:
        raise InputError(f"{README.name}: the lines '{begin}' and '{end}' are gone; put them where the tables belong")
    before, after = text.partition(begin)[0], text.partition(end)[2]
    return f"{before}{begin}\n\n{new}\n\n{end}{after}"


if __name__ == "__main__":
    main()
