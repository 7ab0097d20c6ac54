"""Every row of the five papers has a status, a reason where it is not whole, and names only what exists."""

import doctest
import importlib
import re
from html import escape
from pathlib import Path

import pytest

import paper_rows
from gansynth.errors import InputError
from paper_rows import ORDER, STATUSES, absent, count, read_rows

every = importlib.import_module("all")


def unescaped(html: str) -> str:
    """A page's text with quotes as they are, and without the places where a line may break."""
    return html.replace("&#39;", "'").replace("&#34;", '"').replace("<wbr>", "")


ROWS = read_rows()


@pytest.mark.parametrize("paper", ORDER)
def test_whatever_a_row_names_exists(paper: str) -> None:
    gone = [f"row {row.number}: {lack}" for row in ROWS[paper] for one in row.found_in if (lack := absent(one))]
    assert gone == []


@pytest.mark.parametrize(
    ("reference", "lack"),
    [
        ("gansynth data wash", "there is no command 'gansynth data wash'"),
        ("gansynth data import --colour", "gansynth data import has no --colour"),
        ("recipe wgan", "there is no recipe 'wgan'"),
        ("classifier custom-cnn --set training.keep=luck", "training.keep"),
        ("metric score", "there is no metric 'score'"),
        ("score FID", "there is no score 'FID'"),
        ("eval/nothing.py", "there is no eval/nothing.py"),
        ("gansynth/gans/methods/c_wgan_gp.py:CWGANGP.win", "defines no 'CWGANGP.win'"),
        ("eval/results/guo2022/tables.md#Table 44", "has no heading 'Table 44'"),
    ],
)
def test_what_does_not_exist_is_named(reference: str, lack: str) -> None:
    assert lack in absent(reference)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("status: whole\n    why: something", "a row that is whole"),
        ("status: part", "a row that is whole"),
        ("status: missing\n    why: nothing does it", "what is missing is nowhere"),
        ("status: good", "status 'good'; it is one of whole, part, missing"),
        ("status: whole\n    hours: 3", "hours: unknown or lacking"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused(row: str, told: str, tmp_path: Path) -> None:
    text = f"rows:\n  - what: A loss\n    where: eq. 1\n    in: [remedy focal]\n    {row}\n"
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InputError, match=told):
        read_rows(tmp_path, ["a"])


def test_every_table_of_a_paper_is_a_row_or_in_one() -> None:
    tables = {"hazra2022": 9, "guo2022": 4, "pasupa2020": 3, "alkrimi2023": 9, "abouali2023": 11}
    for paper, last in tables.items():
        named = set()
        for row in ROWS[paper]:
            for first, to in re.findall(r"tables? (\d+)(?: (?:to|and) (\d+))?", row.where):
                named |= set(range(int(first), int(to or first) + 1))
        assert named == set(range(1, last + 1)), paper


def test_the_readme_counts_the_rows_and_gives_the_reason_of_each_that_is_not_whole() -> None:
    text = every.README.read_text(encoding="utf-8")
    assert every.with_rows(text, ROWS) == text, "run eval/all.py"
    for paper, rows in ROWS.items():
        n = count(rows)
        assert f"| {paper} | {len(rows)} | {n['whole']} | {n['part']} | {n['missing']} |" in text
        for row in rows:
            assert row.status == "whole" or f"| {row.number} | {row.where} | {row.what} |" in text


def test_the_page_has_every_row(tmp_path: Path) -> None:
    from gansynth.report.page import Page, write_page

    page = Page("Rows", "all", "They are here.", sections=every.row_sections(ROWS))
    html = write_page(tmp_path / "rows.html", page).read_text(encoding="utf-8")
    for paper, rows in ROWS.items():
        assert f"{paper}, row by row" in html
        for row in rows:
            assert escape(f"{row.number}. {every.plain(row.what)}", quote=False) in unescaped(html), row
    assert "classifier cbcm" in html and all(status in html for status in STATUSES)


def test_the_examples_in_docstrings_are_right() -> None:
    assert doctest.testmod(paper_rows).failed == 0
