"""Claims about options that come from a YAML file."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gansynth.cli import gansynth
from gansynth.cli.config import read_config
from gansynth.errors import InputError


def call(*arguments: object) -> str:
    result = CliRunner().invoke(gansynth, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def command(*words: str) -> click.Command:
    found: click.Command = gansynth
    for word in words:
        assert isinstance(found, click.Group)
        found = found.commands[word]
    return found


def test_a_file_does_what_typing_its_options_does_and_what_is_typed_wins(tmp_path: Path) -> None:
    config = tmp_path / "cells.yaml"
    config.write_text(f"out: {tmp_path / 'cells'}\nsize: 32\ncounts:\n  basophil: 2\n  promyelocyte: 3\n")
    call("data", "phantom", "--config", config)
    call("data", "phantom", tmp_path / "typed", "--size", 32, "--counts", "basophil=2,promyelocyte=3")
    drawn = {path.relative_to(tmp_path / "typed"): path.read_bytes() for path in (tmp_path / "typed").rglob("*.png")}
    assert len(drawn) == 5
    assert {path: (tmp_path / "cells" / path).read_bytes() for path in drawn} == drawn
    call("data", "phantom", tmp_path / "other", "--config", config, "--counts", "basophil=1")
    assert [path.name for path in (tmp_path / "other").rglob("*.png")] == ["basophil_00001.png"]


def test_lists_and_mappings_are_read_as_the_option_is_typed(tmp_path: Path) -> None:
    config = tmp_path / "study.yaml"
    config.write_text(
        "data: my-cells\nremedies: [none, oversample]\nrare: [monocyte, 'Blast, NOS']\nrarity: {promyelocyte: 40}\n"
        "set: [training.batch_size=8, training.epochs=2]\nmin-confidence: 0.5\nresume: true\nfolds: 2\n"
    )
    assert read_config(config, command("compare")) == {
        "data": "my-cells",
        "remedies": "none,oversample",
        "rare": 'monocyte,"Blast, NOS"',
        "rarity": "promyelocyte=40",
        "changes": ["training.batch_size=8", "training.epochs=2"],
        "min_confidence": "0.5",
        "resume": True,
        "folds": "2",
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("out: a\nfold: 2\n", "line 2: `compare` has no option 'fold'; did you mean 'folds'?"),
        ("resume: maybe\n", "line 1: resume: is 'maybe'; write true or false"),
        ("folds: [[2]]\n", "line 1: folds: holds a list inside a list"),
        ("folds: true\n", "is true, and the option wants a word or a number"),
        ("- folds\n", "holds no options"),
        ("folds: &a 2\nseeds: *a\n", "line 2: found the alias"),
        ("config: other.yaml\n", "has no option 'config'"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(text: str, says: str, tmp_path: Path) -> None:
    config = tmp_path / "study.yaml"
    config.write_text(text)
    with pytest.raises(InputError, match=r"study\.yaml") as refused:
        read_config(config, command("compare"))
    assert says in str(refused.value)
    result = CliRunner().invoke(gansynth, ["compare", "--config", str(config)])
    assert result.exit_code == 2 and says in result.output and not result.output.startswith("Traceback")


def test_a_value_out_of_range_is_refused_as_a_typed_one_is(tmp_path: Path) -> None:
    config = tmp_path / "study.yaml"
    config.write_text("folds: 1\n")
    result = CliRunner().invoke(
        gansynth, ["compare", "my-cells", "--out", str(tmp_path / "o"), "--config", str(config)]
    )
    assert result.exit_code == 2 and "--folds" in result.output


def test_every_command_takes_a_file() -> None:
    def walk(group: click.Group) -> list[click.Command]:
        subs = group.commands.values()
        return [one for sub in subs for one in (walk(sub) if isinstance(sub, click.Group) else [sub])]

    assert all(any("--config" in parameter.opts for parameter in one.params) for one in walk(gansynth))
