"""Claims about `--json`: one object alone on standard output, with what a script needs next."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner

from gansynth.cli import gansynth
from gansynth.cli.answering import add_json_option, answer, course
from gansynth.cli.failures import Commands

from .test_cli import COMMANDS


def said(*words: object, status: int = 0) -> dict[str, Any]:
    """What a command prints with `--json`, read as strictly as JSON is written."""

    def no_number(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    result = CliRunner().invoke(gansynth, [*map(str, words), "--json"])
    assert result.exit_code == status, result.stderr
    found = json.loads(result.stdout, parse_constant=no_number)
    assert isinstance(found, dict) and result.stdout.count("\n") == 1
    return found


def test_every_command_takes_json() -> None:
    assert [path for path, one in COMMANDS.items() if "json" not in {option.name for option in one.params}] == []


def test_what_is_not_a_number_is_null_and_what_was_warned_of_is_in_the_object() -> None:
    @click.group(cls=Commands)
    def program() -> None:
        """A program."""

    @program.command()
    def ask() -> None:
        """Answer."""
        warnings.warn("few cells\x1b[2J", stacklevel=1)
        answer(
            lambda: {"share": math.nan, "most": np.float32(math.inf), "where": Path("é"), **course()}, wrote="wrote é"
        )

    add_json_option(program)
    result = CliRunner().invoke(program, ["ask", "--json"])
    found = json.loads(result.stdout)
    assert (found["share"], found["most"], found["where"]) == (None, None, "é") and result.stdout.isascii()
    assert len(found["warnings"]) == 1 and found["warnings"][0].startswith("few cells") and found["seconds"] >= 0
    assert result.stderr.splitlines() == [f"warning: {found['warnings'][0]}", "wrote é"]
    assert CliRunner().invoke(program, ["ask"]).stdout == "wrote é\n"


def test_a_data_set_is_drawn_looked_through_and_split_by_a_script(tmp_path: Path) -> None:
    cells = tmp_path / "cells"
    drawn = said("data", "phantom", "--out", cells, "--size", 32, "--counts", "basophil=8,smudge cell=6")
    assert drawn["folder"] == str(cells) and drawn["classes"] == {"basophil": 8, "smudge cell": 6}
    assert drawn["seconds"] >= 0 and drawn["warnings"] == []
    kept = said("data", "dedupe", drawn["folder"], "--out", tmp_path / "once")
    assert (kept["folder"], kept["kept"], kept["left_out"]) == (str(tmp_path / "once"), 14, {})
    looked = said("data", "review", cells, "--out", tmp_path / "review")
    assert Path(looked["page"]).is_file() and looked["images"] == 14
    names = sorted(path.relative_to(cells).as_posix() for path in cells.glob("basophil/*"))
    (tmp_path / "marks.csv").write_text(f"file_name,why\n{names[0]},blurred\n", encoding="utf-8")
    applied = said("data", "review", cells, "--apply", tmp_path / "marks.csv", "--out", tmp_path / "reviewed")
    assert applied["kept"] == 13 and applied["left_out"] == {"basophil": 1}
    merged = said("data", "import", "--source", f"folders={cells}", "--out", tmp_path / "merged")
    assert Path(merged["folder"]).is_dir() and merged["after"] == {"basophil": 8, "smudge cell": 6}
    split = said("data", "split", cells)
    assert Path(split["file"]).is_file()
    parts = [split[part] for part in ("train", "val", "test")]
    assert {name: sum(part[name] for part in parts) for name in parts[0]} == drawn["classes"]


def test_generate_and_balance_say_what_became_of_each_class(
    phantom_folder: Path, tiny_run_folder: Path, tmp_path: Path
) -> None:
    asked = ("generate", tiny_run_folder, "--class", "basophil=3", "--keep-broken", "--out", tmp_path / "synthetic")
    made = said(*asked)
    assert Path(made["folder"], "metadata.csv").is_file() and made["complete"]
    assert made["classes"]["basophil"]["written"] == made["classes"]["basophil"]["asked"] == 3
    assert said(*asked, "--resume")["already_complete"]
    filled = said("balance", phantom_folder, tiny_run_folder, "--keep-broken", "--out", tmp_path / "balanced")
    assert {one["after"] for one in filled["classes"].values()} == {filled["target"]}
    basophil = filled["classes"]["basophil"]
    assert (
        basophil["before"] + basophil["synthetic"] == basophil["after"] and basophil["synthetic"] <= basophil["tries"]
    )
    assert filled["model_sha256"] == made["model_sha256"] and filled["classes"]["eosinophil"]["tries"] == 0
    would = said("generate", tiny_run_folder, "--class", "basophil=3", "--out", tmp_path / "none", "--dry-run")
    assert would["estimated_bytes"] > 0 and not (tmp_path / "none").exists()


def test_a_class_that_cannot_be_filled_is_in_the_object_too(tiny_run_folder: Path, tmp_path: Path) -> None:
    asked = ("generate", tiny_run_folder, "--class", "basophil=2", "--min-confidence", 1, "--out", tmp_path / "out")
    found = said(*asked, status=1)
    assert not found["complete"] and found["classes"]["basophil"]["written"] == 0
    assert found["classes"]["basophil"]["rejected"] == found["classes"]["basophil"]["tries"] > 0


def test_pictures_are_named(phantom_folder: Path, tiny_run_folder: Path, tmp_path: Path) -> None:
    walked = said("walk", tiny_run_folder, "--classes", "basophil", "--cells", 2, "--steps", 2, "--out",
                  tmp_path / "walk.gif")  # fmt: skip
    assert Path(walked["gif"]).is_file() and Path(walked["strip"]).is_file()
    assert walked["stops"] == [
        {"class": "basophil", "seed": 0, "frame": 0},
        {"class": "basophil", "seed": 1, "frame": 2},
    ]
    shown = said("sheet", phantom_folder, "--per-class", 2, "--out", tmp_path / "sheet.png")
    assert Path(shown["picture"]).is_file()
    assert shown["classes"]["eosinophil"] == {"images": 40, "shown": 2, "beside": 0}
    asked = said("quiz", phantom_folder, phantom_folder, "--count", 6, "--out", tmp_path / "quiz")
    assert Path(asked["page"]).is_file() and Path(asked["key"]).is_file()
    assert asked["cells"] == sum(asked["classes"].values()) == 6 and asked["warnings"]


@pytest.mark.slow
def test_trainings_say_where_they_are_and_how_they_do(phantom_folder: Path, tmp_path: Path) -> None:
    from .conftest import TINY

    changes = [word for change in TINY for word in ("--set", change)]
    trained = said("train-gan", phantom_folder, "--recipe", "c-wgan-gp", *changes, "--steps", 1, "--device", "cpu",
                   "--set", "reports.classifier_images=8", "--out", tmp_path / "gan")  # fmt: skip
    assert (
        trained["step"] == 1 and trained["finished"] and trained["classes"] == ["basophil", "eosinophil", "lymphocyte"]
    )
    assert Path(trained["page"]).is_file()
    small = said("export", trained["folder"], "--out", tmp_path / "small")
    assert 0 < small["bytes"] == sum(file.stat().st_size for file in Path(small["folder"]).iterdir())
    learned = said("train-classifier", phantom_folder, "--set", "resolution=32", "--epochs", 1, "--test", "--device",
                   "cpu", "--out", tmp_path / "classifier")  # fmt: skip
    assert learned["recipe"] == "sequential-cnn" and 0 <= learned["test"]["macro-F1"] <= 1
    assert learned["validation"]["images"] > 0


def test_composites_are_counted_with_what_they_were_cut_from(tmp_path: Path) -> None:
    said("data", "phantom", "--out", tmp_path / "cells", "--size", 64, "--counts", "neutrophil=12,basophil=12")
    found = said("naturalize", tmp_path / "cells", "--class", "neutrophil=2", "--size", 64, "--out", tmp_path / "out")
    assert found["classes"]["neutrophil"]["written"] == 2 and found["scenes"] > 0
