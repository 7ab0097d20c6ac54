"""Claims about `gansynth data ...` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from gansynth.cli import gansynth


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSYNTH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """Three unequal classes of phantom cells in a folder whose name has a blank and a quote."""
    out = tmp_path / "my 'cells'"
    result = call("data", "phantom", out, "--size", 32, "--counts", "neutrophil=12,eosinophil=6,smudge cell=3")
    assert result.exit_code == 0, result.stderr
    assert f"wrote {out}" in result.stdout
    return out


def call(*arguments: object) -> Result:
    return CliRunner().invoke(gansynth, [str(argument) for argument in arguments])


def test_info_shows_every_class_and_the_imbalance(cells: Path) -> None:
    shown = call("data", "info", cells)
    assert shown.exit_code == 0, shown.stderr
    for word in ("neutrophil", "eosinophil", "smudge cell", "12", "4"):
        assert word in shown.stdout


def test_info_as_json_is_one_object_and_nothing_else(cells: Path) -> None:
    (cells / "neutrophil" / "broken.png").write_bytes(b"")
    shown = call("data", "info", cells, "--json")
    assert shown.exit_code == 0, shown.stderr
    assert "broken.png" in json.dumps(json.loads(shown.stdout))


def test_a_split_is_written_and_the_same_seed_gives_the_same(cells: Path) -> None:
    assert call("data", "split", cells, "--seed", 3).exit_code == 0
    first = (cells / "splits.csv").read_bytes()
    refused = call("data", "split", cells, "--seed", 3)
    assert refused.exit_code == 2 and "--force" in refused.stderr
    assert call("data", "split", cells, "--seed", 3, "--force").exit_code == 0
    assert (cells / "splits.csv").read_bytes() == (cells / "splits.previous.csv").read_bytes() == first
    assert set(pd.read_csv(cells / "splits.csv")["split"]) == {"train", "val", "test"}


def test_a_column_of_the_users_own_table_groups_the_split(cells: Path) -> None:
    table = pd.read_csv(cells / "metadata.csv", dtype=str, keep_default_na=False)
    table["patient"] = [f"p{i % 4}" for i in range(len(table))]
    table.to_csv(cells / "metadata.csv", index=False)
    result = call("data", "split", cells, "--group", "patient")
    assert result.exit_code == 0, result.stderr
    joined = table.merge(pd.read_csv(cells / "splits.csv"), on="file_name")
    assert (joined.groupby("patient")["split"].nunique() == 1).all()


def test_plain_folders_are_imported_and_can_be_merged(cells: Path, tmp_path: Path) -> None:
    out = tmp_path / "merged"
    result = call("data", "import", "--source", f"folders={cells}", "--classes", "12", out)
    assert result.exit_code == 0, result.stderr
    assert f"wrote {out}" in result.stdout
    assert {"neutrophil", "eosinophil", "smudge cell"} <= {p.name for p in out.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("data", "info", "nowhere"), "nowhere"),
        (("data", "split", "nowhere"), "nowhere"),
        (("data", "import", "--source", "pbc", "out"), "kind=PATH"),
        (("data", "import", "--source", "atlantis=x", "out"), "atlantis"),
        (("data", "import", "--source", "pbc=nowhere", "out"), "nowhere"),
        (("data", "phantom", "out", "--counts", "neutrofil=3"), "neutrophil"),
        (("data", "phantom", "out", "--counts", "neutrophil"), "class=n"),
    ],
)
def test_wrong_input_is_one_sentence_and_writes_nothing(
    arguments: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = call(*arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr and result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_full_folder_is_not_overwritten(cells: Path) -> None:
    before = sorted(p.name for p in cells.rglob("*"))
    result = call("data", "phantom", cells)
    assert result.exit_code == 2 and "not empty" in result.stderr
    assert sorted(p.name for p in cells.rglob("*")) == before


def test_unreadable_files_are_a_warning_not_a_failure(cells: Path) -> None:
    Image.new("RGB", (32, 32)).save(cells / "eosinophil" / "whole.png")
    (cells / "eosinophil" / "torn.png").write_bytes((cells / "eosinophil" / "whole.png").read_bytes()[:40])
    refused = call("data", "split", cells)
    assert refused.exit_code == 2 and "misses 1 of" in refused.stderr
    result = call("--unmatched", "ignore", "data", "split", cells)
    assert result.exit_code == 0
    assert "warning: " in result.stderr and "UserWarning" not in result.stderr


def test_nothing_is_written_into_the_data_it_is_made_from(cells: Path) -> None:
    before = sorted(cells.rglob("*"))
    for command in (
        ("train-gan", cells),
        ("balance", cells, "pbc-64"),
        ("data", "import", f"--source=folders={cells}"),
    ):
        for out in (cells / "runs" / "a", cells / "neutrophil" / "x"):
            where = (out,) if command[0] == "data" else ("--out", out)
            result = call(*command, *where)
            assert result.exit_code == 2
            assert "where every folder is a class; choose a folder outside it" in result.stderr
    assert sorted(cells.rglob("*")) == before


def test_the_phantom_has_no_folder_to_write_its_split_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("data", "split", "phantom")
    assert result.exit_code == 2
    assert "there is no such folder" in result.stderr
    assert not (tmp_path / "phantom").exists()


def commands_that_write() -> list[tuple[str, ...]]:
    image = "neutrophil/neutrophil_00000.png"
    return [
        ("generate", "pbc-64", "--class", "basophil", "--count", "1", "--out", "OUT"),
        ("naturalize", "DATA", "--class", "neutrophil", "--count", "1", "--out", "OUT"),
        ("explain", "run", f"DATA/{image}", "--out", "OUT"),
        ("quality", "DATA", "DATA", "--out", "OUT"),
        ("quiz", "DATA", "DATA", "--out", "OUT"),
        ("sheet", "DATA", "--out", "OUT"),
        ("walk", "pbc-64", "--classes", "basophil", "--out", "OUT"),
        ("train-classifier", "DATA", "--out", "OUT"),
        ("train-gan", "phantom", "--out", "OUT"),
        ("balance", "DATA", "pbc-64", "--out", "OUT"),
        ("compare", "DATA", "--out", "OUT"),
        ("sweep", "DATA", "--remedies", "none", "--out", "OUT"),
        ("search-remedy", "DATA", "--remedy", "oversample", "--out", "OUT"),
        ("benchmark", "DATA", "--recipes", "pbc-64", "--out", "OUT"),
        ("demo", "--out", "OUT"),
        ("export", "pbc-64", "OUT"),
        ("data", "phantom", "OUT"),
        ("data", "import", "--source", "folders=DATA", "OUT"),
        ("data", "crop", "DATA/neutrophil", "OUT"),
        ("data", "nuclei", "DATA", "--out", "OUT"),
        ("data", "dedupe", "DATA", "OUT"),
        ("data", "review", "DATA", "--out", "OUT"),
    ]


@pytest.mark.parametrize("command", commands_that_write(), ids=lambda command: " ".join(command[:2]))
@pytest.mark.parametrize("place", ["explained", "neutrophil/deep/er"])
@pytest.mark.parametrize("tables", [True, False], ids=["tables", "no tables"])
def test_no_command_writes_into_a_data_set(cells: Path, command: tuple[str, ...], place: str, tables: bool) -> None:
    if not tables:
        if not {"DATA", "folders=DATA"} & {*command}:
            pytest.skip("nothing says that the folder is a data set")
        (cells / "metadata.csv").unlink()
    before = sorted(cells.rglob("*"))
    result = call(*(one.replace("OUT", str(cells / place)).replace("DATA", str(cells)) for one in command))
    assert result.exit_code == 2 and "Traceback" not in result.output
    assert "where every folder is a class; choose a folder outside it" in result.stderr, result.stderr
    assert sorted(cells.rglob("*")) == before
