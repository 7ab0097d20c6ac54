"""Every table of the five papers stands on one page and in eval/README.md, by its number, as the kept results say."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

import paper_tables
from gansynth.errors import InputError
from kept_results import RESULTS
from paper_tables import Value, less, read_papers, section_grids

every = importlib.import_module("all")
COUNTS = {"hazra2022": 9, "guo2022": 4, "pasupa2020": 3, "alkrimi2023": 9, "abouali2023": 11}


def test_every_table_of_the_five_papers_is_there_in_the_order_of_its_number() -> None:
    papers = read_papers()
    assert {paper.name: [table.number for table in paper.tables] for paper in papers} == {
        name: [str(k) for k in range(1, n + 1)] for name, n in COUNTS.items()
    }


def test_every_measured_table_has_numbers_of_ours_a_sentence_and_what_was_changed() -> None:
    for table in (table for paper in read_papers() for table in paper.tables if table.kept):
        assert table.pairs and table.changed and table.sentence and table.headline is not None, table.name
        assert "{" not in table.sentence, table.name


def test_no_sentence_holds_a_typed_number_with_decimals() -> None:
    said = (Path(every.__file__).parent / "paper_tables.yaml").read_text(encoding="utf-8")
    sentences = [line for line in said.splitlines() if line.strip().startswith("sentence:")]
    typed = {number for line in sentences for number in re.findall(r"\d+\.\d+", line)}
    assert typed == {"0.9", "0.999"}, "betas are settings; everything else is looked up"


def test_the_readme_holds_the_tables_as_the_kept_results_are() -> None:
    text = every.README.read_text(encoding="utf-8")
    assert every.with_tables(text, read_papers()) == text, "run eval/all.py"


def test_a_readme_without_the_marks_is_refused() -> None:
    with pytest.raises(InputError, match="are gone"):
        every.with_tables("# Studies", [])


def test_the_page_lists_every_table_with_its_command(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("\n".join((every.BEGIN, every.END, every.BEGIN_ROWS, every.END_ROWS, "")))
    html = every.study(tmp_path, readme).read_text(encoding="utf-8")
    for paper in read_papers():
        for table in paper.tables:
            assert (table.name if table.kept else f"Table {table.number}") in html
    assert "python eval/guo2022.py pbc --budget quick --seeds 3" in html
    assert "| 4 | Does CBCM beat" in readme.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("ours", "theirs", "difference"),
    [
        ("74.2 (73.3-75.1)", "89.11", "−14.9 (−15.8 to −14.0)"),
        ("+0.300 (−0.100 to +0.700)", "0.1", "+0.200 (−0.200 to +0.600)"),
        ("41.7 ± 1.8", "96.16", "−54.5"),
        ("-", "96.16", "-"),
        ("missing", "64.36", "-"),
        ("0.59 (0.53-0.65)", "0.59", "0.00 (−0.06 to +0.06)"),
    ],
)
def test_the_difference_is_ours_minus_theirs_and_its_interval_is_ours_moved(
    ours: str, theirs: str, difference: str
) -> None:
    assert less(Value(ours), Value(theirs)) == difference


def test_a_section_is_found_by_its_number_and_a_missing_one_is_named() -> None:
    [grid] = section_grids(RESULTS / "abouali2023" / "tables.md", "Table 6")
    assert grid.head[0] == "class" and grid.cell(["PMY"], "recall").startswith("59 / ")
    with pytest.raises(InputError, match="no row"):
        grid.cell(["PMY"], "accuracy")
    with pytest.raises(InputError, match="no section 'Table 12'"):
        section_grids(RESULTS / "abouali2023" / "tables.md", "Table 12")


def test_the_examples_in_docstrings_are_right() -> None:
    assert doctest.testmod(every).failed == doctest.testmod(paper_tables).failed == 0


def test_a_further_kept_result_of_a_table_stands_among_its_numbers_under_what_it_is(tmp_path: Path) -> None:
    for name, ours in (("first", "0.5 (0.4-0.6)"), ("second", "0.7")):
        (tmp_path / name).mkdir()
        table = f"## Table 1\n\n| method | F1 |\n| --- | --- |\n| CBCM | 0.9 / {ours} |\n| SMOTE | 0.8 / - |\n"
        (tmp_path / name / "tables.md").write_text(table)
    (tmp_path / "tables.yaml").write_text(
        "changed: {first: size, second: features}\n"
        "papers:\n  a:\n    title: A\n    tables:\n      '1':\n        asks: Which?\n        kept: first\n"
        "        section: Table 1\n        headline: {row: [CBCM], column: F1}\n"
        "        also: [{kept: second, says: Lite0}]\n        holds: in part\n        sentence: It is {ours}.\n"
    )
    [paper] = read_papers(tmp_path / "tables.yaml", tmp_path)
    [table] = paper.tables
    assert [(pair.what, pair.difference) for pair in table.pairs] == [
        ("CBCM: F1", "−0.4 (−0.5 to −0.3)"),
        ("Lite0: CBCM: F1", "−0.2"),
    ]
    assert table.alone == ("SMOTE",) and table.also == (("second", "features"),)
    assert table.sentence == "It is 0.5 (0.4-0.6)."
