"""CSV tables of every spelling are one table, or refused with the line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gansynth.errors import InputError
from gansynth.files import TableWriter, plain_cell, read_table, spreadsheet_cell, table_text

CELLS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=8)


def table_of(folder: Path, text: str | bytes) -> dict[str, list[str]]:
    path = folder / "metadata.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return {name: list(column) for name, column in read_table(path, ["file_name"], "mend it").items()}


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS), max_size=5).map(lambda rows: [(f"x{a}", b) for a, b in rows]),
    delimiter=st.sampled_from(",;\t"),
    end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
)
def test_every_way_to_write_a_table_is_the_same_table(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str, end: str, mark: str
) -> None:
    written = io.StringIO(newline="")
    table = csv.writer(written, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    table.writerow(("file_name", "patient"))
    table.writerows((spreadsheet_cell(a), spreadsheet_cell(b)) for a, b in rows)
    found = table_of(tmp_path_factory.mktemp("table"), mark + written.getvalue())
    assert found == {"file_name": [a for a, _ in rows], "patient": [b for _, b in rows]}


@given(text=st.text(alphabet="'=+-@a\t\r", max_size=6) | st.text(max_size=6))
def test_a_name_is_never_a_formula_and_comes_back(text: str) -> None:
    written = spreadsheet_cell(text)
    assert written[:1] not in ("=", "+", "-", "@", "\t", "\r") and plain_cell(written) == text


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=30) | st.text(alphabet='file_nam,;\t"\n\r0', max_size=30).map(str.encode))
def test_any_bytes_are_a_table_or_refused_in_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    try:
        table_of(tmp_path_factory.mktemp("table"), b"file_name" + data)
    except InputError as error:
        assert "metadata.csv" in str(error) and "\n" not in str(error)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("name,patient\na,b\n", "its first line is 'name,patient'"),
        ("file_name," + ",".join(f"c{k}" for k in range(20_000)), "more than 200 columns"),
        ("file_name,p,p\na,1,2\n", "two columns 'p'"),
        ("file_name,p\na,1\nb\n", "line 3: 1 cells under a header of 2"),
        ("file_name,p\na,1,2\n", "line 2: 3 cells under a header of 2"),
        ('file_name,p\na,"1\n', "not a CSV table"),
        ("file_name,p\na,\0\n", "line 2: holds a NUL"),
        (b"file_name,p\na,\xe9\n", "line 2: not UTF-8"),
    ],
)
def test_what_is_wrong_with_a_table_is_named(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        table_of(tmp_path, text)


def test_empty_cells_at_the_end_of_a_line_do_not_count(tmp_path: Path) -> None:
    assert table_of(tmp_path, "file_name,p,\na,1,\n\n,,\n") == {"file_name": ["a"], "p": ["1"]}


@given(cells=st.lists(st.text(st.sampled_from("=+-@'\t\r\n,;\"a1. é"), min_size=1, max_size=6), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_a_table_comes_back_as_it_was_and_no_cell_of_it_is_a_formula(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str]
) -> None:
    table = pd.DataFrame({"file_name": cells, "value": [-0.5] * len(cells)})
    path = tmp_path_factory.mktemp("table") / "metadata.csv"
    path.write_text(table_text(table, "%.2f"), encoding="utf-8", newline="")
    written = csv.DictReader(io.StringIO(path.read_bytes().decode(), newline=""))
    assert not any(row["file_name"][0] in "=+-@\t\r" for row in written)
    back = read_table(path, ["file_name"], "")
    assert back["file_name"].tolist() == cells and set(back["value"]) == {"-0.50"}


@given(cells=st.lists(st.text(st.sampled_from("=+-@'\t\r\n,;\"a1. é"), min_size=1, max_size=6), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_a_table_written_row_by_row_is_read_as_one_written_at_once(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str]
) -> None:
    path = tmp_path_factory.mktemp("table") / "metadata.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = TableWriter(file)
        rows.write(("file_name", "value", "nothing"))
        for cell in cells:
            rows.write((cell, -0.5, None))
    back = read_table(path, ["file_name"], "")
    assert back["file_name"].tolist() == cells and set(back["value"]) == {"-0.5"} and set(back["nothing"]) == {""}
    with path.open(encoding="utf-8", newline="") as file:
        assert not any(row["file_name"].startswith(("=", "+", "-", "@", "\t", "\r")) for row in csv.DictReader(file))
