"""The folder of `gansynth data nuclei`: the same table as in memory, every cell counted once, a sheet that shows it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from gansynth.cells.nuclei import COLUMNS, NO_NUCLEUS, TABLE_COLUMNS, nuclei_table
from gansynth.cells.nuclei_folder import TILE, NucleiReport, outlined, read_nuclei, sheet_rows, write_nuclei
from gansynth.cells.segmentation import CellMasks
from gansynth.cli import run
from gansynth.data.dataset import CellDataset
from gansynth.data.phantom import phantom_dataset, write_phantom
from gansynth.errors import InputError

from .drawn_cells import drawn

COUNTS = {"eosinophil": 4, "lymphocyte": 3, "platelet": 2}


@pytest.fixture(scope="module")
def cells() -> CellDataset:
    return phantom_dataset(COUNTS, size=64)


@pytest.fixture(scope="module")
def made(cells: CellDataset, tmp_path_factory: pytest.TempPathFactory) -> NucleiReport:
    return write_nuclei(cells, tmp_path_factory.mktemp("nuclei"), jobs=1)


def test_the_table_on_disk_is_the_one_in_memory(cells: CellDataset, made: NucleiReport) -> None:
    table = pd.read_csv(made.out / "nuclei.csv", keep_default_na=False, na_values={name: [""] for name in COLUMNS})
    assert tuple(table.columns) == TABLE_COLUMNS and len(table) == len(cells)
    pd.testing.assert_frame_equal(table, nuclei_table(cells), rtol=1e-4, check_dtype=False)


def test_every_cell_is_counted_once_and_platelets_have_no_nucleus(made: NucleiReport) -> None:
    assert made.cells == 9 and made.left_out == sum(one.left_out for one in made.classes.values())
    assert made.classes["platelet"].left_out == made.problems[NO_NUCLEUS] == 2
    for name, one in made.classes.items():
        assert one.cells == COUNTS[name] == one.left_out + sum(one.lobes)
    right, asked = made.by_lobes
    assert right <= asked == 7 - (made.left_out - 2)
    assert json.loads((made.out / "report.json").read_text())["left_out"] == made.left_out


def test_a_folder_that_was_written_is_read_again_and_anything_else_is_refused(
    made: NucleiReport, tmp_path: Path
) -> None:
    assert read_nuclei(made.out) == made
    (tmp_path / "nuclei.csv").write_text("a,b\n1,2\n")
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match="is not a table of nuclei"):
            read_nuclei(place)


def test_classes_that_are_called_as_numbers_are_read_as_they_were(cells: CellDataset, tmp_path: Path) -> None:
    graded = write_nuclei(replace(cells, class_names=("01", "2", "NaN")), tmp_path, jobs=1)
    assert list(graded.classes) == ["01", "2", "NaN"]
    assert read_nuclei(tmp_path) == graded


def test_two_lobes_make_a_granulocyte_as_in_alkrimi2023(made: NucleiReport) -> None:
    table = pd.read_csv(made.out / "nuclei.csv", keep_default_na=False)
    cut = table[table["problem"] == ""]
    expected = np.where(cut["lobes"].astype(float) >= 2, "granulocyte", "agranulocyte")
    assert (cut["granulation_by_lobes"] == expected).all()
    assert (table.loc[table["problem"] != "", "granulation_by_lobes"] == "").all()


def test_the_sheet_has_a_row_for_each_class_and_is_the_same_for_the_same_seed(
    cells: CellDataset, made: NucleiReport, tmp_path: Path
) -> None:
    table = nuclei_table(cells)
    rows = sheet_rows(table, 2, 1, seed=3)
    assert [row.name for row in rows] == sorted(COUNTS) and rows == sheet_rows(table, 2, 1, seed=3)
    for row in rows:
        assert (table["problem"].iloc[list(row.good)] == "").all()
        assert (table["problem"].iloc[list(row.failed)] != "").all()
    with Image.open(made.out / "outlines.png") as sheet:
        assert sheet.height > 3 * TILE and sheet.width > 5 * TILE
        first = np.asarray(sheet)
    write_nuclei(cells, tmp_path, jobs=1)
    with Image.open(tmp_path / "outlines.png") as again:
        np.testing.assert_array_equal(np.asarray(again), first)


def test_outlines_lie_around_nucleus_and_cell() -> None:
    image, nucleus, cell, _ = drawn(128)
    pixels = np.asarray(outlined(image, CellMasks(nucleus, cell, np.zeros(cell.shape, np.int32)), edge=128)).astype(int)
    changed = np.abs(pixels - image.transpose(1, 2, 0)).sum(axis=2) > 0
    assert changed.any() and not changed[0].any()
    yellow = (pixels == [255, 235, 59]).all(axis=2)
    assert yellow.any() and not (yellow & nucleus).any() and (yellow & cell).any()


def test_the_command_says_what_it_left_out_and_where_it_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_phantom(tmp_path / "cells", COUNTS, size=64)
    out = tmp_path / "out"
    assert run(["data", "nuclei", str(tmp_path / "cells"), "--out", str(out), "--size", "64", "--jobs", "1"]) == 0
    told = capsys.readouterr().out
    assert "platelets have no nucleus" in told and f"wrote {out}" in told and "granulocyte where" in told
    assert {file.name for file in out.iterdir()} == {"nuclei.csv", "outlines.png", "report.json"}
    assert run(["data", "nuclei", str(tmp_path / "cells"), "--out", str(out), "--size", "64", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cells"] == 9


def test_a_folder_inside_the_data_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_phantom(tmp_path / "cells", {"basophil": 2}, size=32)
    assert run(["data", "nuclei", str(tmp_path / "cells"), "--out", str(tmp_path / "cells/nuclei")]) == 2
    assert "every folder is a class" in capsys.readouterr().err
