"""Of each group of duplicates one image stays, and what was left out can be put back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from gansynth.cli import gansynth
from gansynth.data import open_dataset
from gansynth.data.leaving_out import LEFT_OUT_FILE, dedupe
from gansynth.errors import InputError

from .trees import picture, save, tree


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """Two classes of three; one image again, one again and turned, one in both classes."""
    root = tree(tmp_path / "cells", {"a": 3, "b": 3})
    save(picture(0), root / "a" / "again.png")
    save(np.rot90(picture(1)).copy(), root / "a" / "turned.png")
    save(picture(2), root / "b" / "other label.png")
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.png"))
    pd.DataFrame({"file_name": names, "patient": range(len(names))}).to_csv(root / "metadata.csv", index=False)
    pd.DataFrame({"file_name": names, "split": "train"}).to_csv(root / "splits.csv", index=False)
    return root


def test_one_of_each_group_stays_and_the_list_says_why(cells: Path, tmp_path: Path) -> None:
    found = dedupe(cells, tmp_path / "once")
    assert [tuple(row) for row in found.left_out.to_numpy()] == [
        ("a/002.png", "a", "label", ""),
        ("a/again.png", "a", "exact", "a/000.png"),
        ("a/turned.png", "a", "near", "a/001.png"),
        ("b/other label.png", "b", "label", ""),
    ]
    kept = open_dataset(tmp_path / "once", size=40).records
    assert list(kept["path"]) == ["a/000.png", "a/001.png", "b/000.png", "b/001.png", "b/002.png"]
    assert set(kept["split"]) == {"train"} and list(kept["patient"]) == ["0", "1", "5", "6", "7"]
    assert found.kept == 5 and "5 images kept, 4 left out" in found.to_text()
    assert len(dedupe(tmp_path / "once", tmp_path / "twice").left_out) == 0


def test_with_what_was_left_out_put_back_it_is_the_set_that_it_was(cells: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in sorted(cells.rglob("*")) if path.is_file()}
    once = tmp_path / "once"
    dedupe(cells, once)
    assert {path: path.read_bytes() for path in sorted(cells.rglob("*")) if path.is_file()} == before
    for name in pd.read_csv(once / LEFT_OUT_FILE)["file_name"]:
        (once / name).write_bytes((cells / name).read_bytes())
    for file in ("metadata.csv", "splits.csv"):
        (once / file).write_bytes((cells / file).read_bytes())
    a, b = (open_dataset(root, size=40).records for root in (cells, once))
    assert list(a["sha256"]) == list(b["sha256"]) and list(a["path"]) == list(b["path"])


def test_rows_of_tables_with_backslashes_and_semicolons_stay_with_their_images(cells: Path, tmp_path: Path) -> None:
    table = pd.read_csv(cells / "metadata.csv")
    table["file_name"] = [f".\\{name}".replace("/", "\\") for name in table["file_name"]]
    table.to_csv(cells / "metadata.csv", index=False, sep=";")
    dedupe(cells, tmp_path / "once")
    assert list(open_dataset(tmp_path / "once", size=40).records["patient"]) == ["0", "1", "5", "6", "7"]


def test_a_folder_that_holds_something_is_left_alone(cells: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    with pytest.raises(InputError, match="is there already and not empty"):
        dedupe(cells, tmp_path / "mine")
    with pytest.raises(InputError, match="lies inside"):
        dedupe(cells, cells / "once")
    run = CliRunner().invoke(gansynth, ["data", "dedupe", str(cells), str(tmp_path / "once")])
    assert run.exit_code == 0 and "4 left out" in run.stdout


def test_a_table_that_leads_nowhere_is_refused_before_anything_is_written(cells: Path, tmp_path: Path) -> None:
    (cells / "splits.csv").unlink()
    (cells / "splits.csv").symlink_to("nowhere")
    with pytest.raises(InputError, match="is a link to a file that is not there"):
        dedupe(cells, tmp_path / "once")
    assert not (tmp_path / "once").exists()
