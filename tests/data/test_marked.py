"""What experts have marked is left out, and can be put back."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from gansynth.cli import gansynth
from gansynth.data import open_dataset
from gansynth.data.leaving_out import LEFT_OUT_FILE, leave_out
from gansynth.errors import InputError

from .trees import tree


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    root = tree(tmp_path / "cells", {"a": 3, "=b": 2})
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.png"))
    pd.DataFrame({"file_name": names, "patient": range(len(names))}).to_csv(root / "metadata.csv", index=False)
    return root


def marks(path: Path, *names: str) -> Path:
    path.write_text("file_name,class,why\n" + "".join(f"{name},a,two cells\n" for name in names), encoding="utf-8")
    return path


def test_what_any_expert_marked_is_left_out_and_the_data_set_stays(cells: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in sorted(cells.rglob("*")) if path.is_file()}
    anna = marks(tmp_path / "anna.csv", "a/000.png", "a/001.png")
    ben = marks(tmp_path / "ben.csv", "a/001.png", "'=b/000.png")  # as the page guards what looks like a formula
    found = leave_out(cells, [anna, ben], tmp_path / "reviewed")
    assert {path: path.read_bytes() for path in sorted(cells.rglob("*")) if path.is_file()} == before
    assert list(found.left_out["marks"]) == ["ben.csv", "anna.csv", "anna.csv, ben.csv"]
    assert found.kept == 2 and "2 images kept, 3 left out" in found.to_text()
    kept = open_dataset(tmp_path / "reviewed", size=40).records
    assert list(kept["path"]) == ["=b/001.png", "a/002.png"] and list(kept["patient"]) == ["1", "4"]
    assert len(pd.read_csv(tmp_path / "reviewed" / LEFT_OUT_FILE)) == 3


def test_marks_of_another_data_set_and_a_class_without_images_are_refused(cells: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"marks 'a/009\.png', which is not in"):
        leave_out(cells, [marks(tmp_path / "m.csv", "a/009.png")], tmp_path / "out")
    with pytest.raises(InputError, match="=b: every image is marked"):
        leave_out(cells, [marks(tmp_path / "m.csv", "'=b/000.png", "'=b/001.png")], tmp_path / "out")
    (tmp_path / "m.csv").write_text("name\nx\n")
    with pytest.raises(InputError, match="file_name"):
        leave_out(cells, [tmp_path / "m.csv"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_applies_marks_and_takes_no_filter_beside_them(cells: Path, tmp_path: Path) -> None:
    words = ["data", "review", str(cells), "--apply", str(marks(tmp_path / "m.csv", "a/000.png"))]
    run = CliRunner().invoke(gansynth, [*words, "--out", str(tmp_path / "reviewed")])
    assert run.exit_code == 0 and "4 images kept, 1 left out" in run.stdout
    run = CliRunner().invoke(gansynth, [*words, "--only-found", "--out", str(tmp_path / "other")])
    assert run.exit_code == 2 and not (tmp_path / "other").exists()
