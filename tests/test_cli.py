"""Claims about the command line that hold for every command."""

from __future__ import annotations

import contextvars
import errno
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from gansynth.cli import gansynth
from gansynth.cli.arguments import NamedPath, OutPath, parse_class_counts, parse_counts, parse_sources
from gansynth.cli.failures import Commands
from gansynth.errors import InputError
from gansynth.files import hold


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name), command


def call(*arguments: str) -> Result:
    return CliRunner().invoke(gansynth, list(arguments))


COMMANDS = dict(leaves(gansynth))


WRITING = {
    path: parameter.name
    for path, command in COMMANDS.items()
    for parameter in command.params
    if isinstance(parameter.type, OutPath) or parameter.name == "out"
}


def test_whatever_is_called_out_is_held_and_kept_out_of_data_sets() -> None:
    outs = [one for command in COMMANDS.values() for one in command.params if one.name == "out"]
    assert len(outs) > 15 and all(isinstance(one.type, OutPath) for one in outs)


@pytest.mark.parametrize("path", WRITING, ids=" ".join)
def test_what_stands_in_the_place_of_the_output_is_refused_before_anything_else(
    path: tuple[str, ...], tmp_path: Path
) -> None:
    command = COMMANDS[path]
    out = next(one for one in command.params if one.name == WRITING[path])
    (tmp_path / "to-itself").symlink_to("to-itself")
    (tmp_path / "cells.csv").touch()
    for place in ("to-itself", *(["cells.csv"] if path not in (("sheet",), ("walk",)) else [])):
        with pytest.raises(InputError, match=f"{place}: is a"):
            out.type.convert(str(tmp_path / place), out, None)


@pytest.mark.parametrize("path", WRITING, ids=" ".join)
def test_of_two_commands_that_write_into_one_folder_the_second_is_told_who_the_first_is(
    path: tuple[str, ...], tmp_path: Path
) -> None:
    command, out = COMMANDS[path], tmp_path / "out"
    taken = [parameter.name for parameter in command.params if parameter.expose_value]
    given = dict.fromkeys(taken) | {WRITING[path]: out}
    assert command.callback is not None
    with hold(out), pytest.raises(InputError, match=f"out: process {os.getpid()} on .* writes into it since"):
        contextvars.Context().run(command.callback, **given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_the_help_of_every_command_has_an_example_of_itself(path: tuple[str, ...]) -> None:
    result = call(*path, "--help")
    assert result.exit_code == 0
    example = result.output.split("Example:")[1]
    assert "gansynth " + " ".join(path) in example


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_line_of_help_fits_a_terminal_and_every_option_is_explained(path: tuple[str, ...]) -> None:
    for option in COMMANDS[path].params:
        if isinstance(option, click.Option) and option.name != "help":
            assert option.help, f"{path}: {option.name} has no help"
    assert all(len(line) <= 110 for line in call(*path, "--help").output.splitlines())


def test_the_commands_are_those_of_the_design() -> None:
    names = {" ".join(path) for path in COMMANDS}
    assert names == {
        "balance",
        "benchmark",
        "classify",
        "compare",
        "data crop",
        "data dedupe",
        "data import",
        "data info",
        "data nuclei",
        "data phantom",
        "data review",
        "data split",
        "demo",
        "doctor",
        "explain",
        "export",
        "generate",
        "models",
        "naturalize",
        "quality",
        "quiz",
        "search-remedy",
        "sheet",
        "sweep",
        "train-classifier",
        "train-gan",
        "walk",
        "weights",
    }


def test_random_commands_take_a_seed_and_networks_a_device() -> None:
    def options(name: str) -> set[str]:
        return {parameter.name or "" for parameter in COMMANDS[tuple(name.split())].params}

    studies = ("quality", "benchmark")
    for name in ("data split", "data phantom", "train-gan", "generate", "balance", "demo", *studies):
        assert "seed" in options(name)
    for name in ("train-gan", "generate", "balance", "demo", "data crop", *studies):
        assert "device" in options(name)


def test_a_generator_in_the_place_of_the_data_set_is_named(tmp_path: Path) -> None:
    (tmp_path / "my cells").mkdir()
    result = call("balance", "pbc-64", str(tmp_path / "my cells"), "--out", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert f"the data set comes first: gansynth balance '{tmp_path / 'my cells'}' pbc-64" in result.stderr


def test_help_answers_at_once_and_needs_no_torch() -> None:
    code = (
        "import sys, gansynth, gansynth.cli\n"
        "heavy = {'torch', 'numpy', 'pandas', 'matplotlib', 'sklearn', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    taken = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run([sys.executable, "-m", "gansynth", "--help"], check=True, capture_output=True)
        taken.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)
    # Processor time, which a busy machine stretches little; 0.1 s alone.
    assert min(taken) < 0.5


def test_the_shell_completes_commands_and_values_as_the_documentation_says() -> None:
    def completed(words: str) -> set[str]:
        environment = {"_GANSYNTH_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        call = [sys.executable, "-c", "from gansynth.cli import run; run()"]
        found = subprocess.run(call, env=os.environ | environment, capture_output=True, text=True, check=True).stdout
        return {line.partition(",")[2] for line in found.splitlines()}

    assert completed("gansynth qu") == {"quality", "quiz"}
    assert completed("gansynth sheet --sort n") == {"name", "nearest"}
    assert completed("gansynth train-gan --recipe c-w") == {"c-wgan-gp", "c-wgan-gp-64", "c-wgan-gp-paper"}


@pytest.mark.parametrize(
    ("words", "begun", "offered"),
    [
        ("train-gan cells --from", "pb", ["pbc-128", "pbc-64"]),
        ("train-gan cells --logger", "w", ["wandb"]),
        ("generate", "phan", ["phantom-64"]),
        ("compare cells --classifiers", "svm,sequ", ["svm,sequential-cnn"]),
        ("compare cells --remedies", "none,augmentation+cb", ["none,augmentation+cb-focal"]),
        ("compare cells --remedies", "none,pbc-1", ["none,pbc-128"]),
        ("train-classifier cells --remedy", "cb", ["cb-focal"]),
        ("train-classifier cells --recipe", "sequ", ["sequential-cnn"]),
        ("benchmark cells --recipes", "dcgan,natural", ["dcgan,naturalize"]),
        ("quality real made --encoder", "pbc", ["pbc-encoder"]),
        ("data crop smears --detector", "bcc", ["bccd-detector"]),
    ],
)
def test_names_are_completed(words: str, begun: str, offered: list[str]) -> None:
    complete = ShellComplete(gansynth, {}, "gansynth", "_GANSYNTH_COMPLETE")
    assert [(item.type, item.value) for item in complete.get_completions(words.split(), begun)] == [
        ("plain", value) for value in offered
    ]


@pytest.mark.parametrize(
    ("words", "path"), [("train-gan", "dir"), ("quality real", "dir"), ("train-gan cells --recipe", "file")]
)
def test_a_path_is_completed_where_no_name_begins_so(words: str, path: str) -> None:
    complete = ShellComplete(gansynth, {}, "gansynth", "_GANSYNTH_COMPLETE")
    assert [(item.type, item.value) for item in complete.get_completions(words.split(), "my-ce")] == [(path, "my-ce")]


def test_completing_needs_no_torch() -> None:
    code = (
        "import sys\n"
        "from click.shell_completion import ShellComplete\n"
        "from gansynth.cli import gansynth\n"
        "complete = ShellComplete(gansynth, {}, 'gansynth', 'X').get_completions\n"
        "assert complete(['train-gan', 'c', '--recipe'], 'dc') and complete(['train-gan', 'c', '--from'], 'pbc')\n"
        "assert complete(['compare', 'c', '--remedies'], 'foc') and complete(['compare', 'c', '--classifiers'], 'sv')\n"
        "heavy = {'torch', 'pandas', 'matplotlib', 'sklearn', 'scipy', 'skimage'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_can_be_asked_for_by_name_is_listed_without_torch() -> None:
    code = (
        "import sys, gansynth.cli\n"
        "gansynth.cli.run(['models'])\n"
        "heavy = {'torch', 'pandas', 'matplotlib', 'sklearn', 'scipy', 'skimage'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    listed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert "pbc-64" in listed and "cb-focal" in listed and "sequential-cnn" in listed


def test_what_can_be_asked_for_by_name_is_listed() -> None:
    listed = CliRunner().invoke(gansynth, ["models"])
    assert listed.exit_code == 0
    names = {line.split()[0] for line in listed.output.splitlines() if line.startswith("  ")}
    assert {"pbc-64", "pbc-encoder", "bccd-detector"} <= names
    assert {"c-wgan-gp", "dcgan", "smote", "cb-focal", "sequential-cnn", "svm"} <= names


def test_train_gan_py_is_gansynth_train_gan() -> None:
    script = Path(__file__).parents[1] / "train_gan.py"
    result = subprocess.run([sys.executable, str(script), "--help"], capture_output=True, text=True, check=True)
    assert "Usage: gansynth train-gan" in result.stdout


def failing(error: BaseException) -> Result:
    group = Commands("gansynth")

    @group.command()
    @click.option("--resume", is_flag=True)
    def fail(resume: bool) -> None:
        raise error

    return CliRunner().invoke(group, ["fail"])


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (InputError("cells/: no class folders"), 2, "gansynth: cells/: no class folders\n"),
        (InputError("a\nb\x1b[2J\u202e: what"), 2, "gansynth: a\\nb\\x1b[2J\\u202e: what\n"),
        (KeyboardInterrupt(), 130, "stopped; continue with --resume\n"),
        (OSError(errno.ENOSPC, "No space left on device", "out/a.png"), 1, "gansynth: out/a.png: no space left on dev"),
        (OSError(errno.ENOSPC, "No space"), 1, "gansynth: no space; what is finished is kept: make room, then run the"),
        (OSError(errno.EFBIG, "File too large", "a.png"), 1, "gansynth: a.png: file too large; no larger file may"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "a.png"), 1, "gansynth: a.png: disk quota exceeded; what is fin"),
        (OSError(errno.EROFS, "Read-only file system", "a"), 1, "gansynth: a: read-only file system; choose a folder"),
        (PermissionError(errno.EACCES, "Permission denied", "/root"), 1, "gansynth: /root: permission denied; choose"),
        (MemoryError(), 1, "gansynth: memory ran out"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), 1, "gansynth: memory ran out"),
    ],
)
def test_what_a_user_can_meet_ends_in_one_sentence(error: BaseException, status: int, sentence: str) -> None:
    result = failing(error)
    assert result.exit_code == status
    assert result.stderr.startswith(sentence)
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_an_empty_path_is_not_the_folder_that_one_is_in_and_a_tilde_is_ones_own(
    path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for one in COMMANDS[path].params:
        if not isinstance(one.type, NamedPath):
            continue
        for empty in ("", "  "):
            with pytest.raises(click.UsageError, match="a path cannot be empty; a variable that was not set"):
                one.type.convert(empty, one, None)
        assert one.type.convert("~/x", one, None) == tmp_path / "x"
        assert one.type.convert("~x", one, None) == Path("~x")  # as a file may be called


def test_a_folder_that_is_gone_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    for typed in (("data", "phantom", "out"), ("generate", "run", "--class", "x=1", "--out", "out")):
        result = call(*typed)
        assert result.exit_code == 1, result.output
        assert result.stderr.startswith("gansynth: the folder that this command was typed in is no longer there")


def test_a_seed_that_no_generator_takes_is_refused() -> None:
    for name in ("train-gan", "generate", "balance", "demo"):
        result = call(name, "--seed", str(2**64))
        assert result.exit_code == 2
        assert "--seed" in result.stderr


def test_a_mistake_is_one_sentence_and_leaves_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    result = failing(ZeroDivisionError("division\nby zero"))
    assert result.exit_code == 3
    assert result.stderr.count("\n") == 1 and result.stdout == ""
    assert "a mistake of gansynth, not of your data (ZeroDivisionError: division by zero)" in result.stderr
    (file,) = tmp_path.iterdir()
    assert str(file) in result.stderr
    assert "Traceback (most recent call last)" in file.read_text() and "ZeroDivisionError" in file.read_text()


def test_a_mistake_on_a_full_disk_shows_its_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    result = failing(ZeroDivisionError())
    assert result.exit_code == 3 and "ZeroDivisionError\n" in result.stderr and "could not be written" in result.stderr


@pytest.mark.parametrize("error", [click.exceptions.Exit(4), click.UsageError("no such option")])
def test_what_click_ends_with_stays(error: Exception) -> None:
    result = failing(error)
    assert result.exit_code == (4 if isinstance(error, click.exceptions.Exit) else 2)
    assert "mistake" not in result.stderr


def test_classes_share_the_count_or_have_their_own() -> None:
    assert parse_class_counts(["promyelocyte", "basophil"], 100) == {"promyelocyte": 100, "basophil": 100}
    assert parse_class_counts(["promyelocyte=500", "basophil"], 100) == {"promyelocyte": 500, "basophil": 100}
    assert parse_class_counts(["stage=early"], 3) == {"stage=early": 3}
    assert parse_class_counts(["stage=early=7"], None) == {"stage=early": 7}


@pytest.mark.parametrize(
    ("classes", "count", "says"),
    [
        (["basophil"], None, "--count"),
        (["basophil=0"], None, "above zero"),
        (["basophil=-4"], None, "above zero"),
        (["basophil", "basophil=4"], 1, "twice"),
    ],
)
def test_impossible_counts_are_refused(classes: list[str], count: int | None, says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse_class_counts(classes, count)


def test_counts_for_the_phantom_are_read_and_checked() -> None:
    assert parse_counts("smudge cell=3, basophil=10", "--counts") == {"smudge cell": 3, "basophil": 10}
    for wrong in ("basophil", "basophil=many", "basophil=1.5"):
        with pytest.raises(InputError, match="--counts"):
            parse_counts(wrong, "--counts")


def test_sources_are_kind_and_path() -> None:
    assert parse_sources(["PBC=a=b/c"]) == [("pbc", Path("a=b/c"))]
    for wrong in ("pbc", "pbc=", "=x"):
        with pytest.raises(InputError, match="kind=PATH"):
            parse_sources([wrong])


def test_models_answers_a_script_with_the_names_that_it_lists() -> None:
    names = json.loads(call("models", "--json").stdout)
    listed = call("models").stdout
    assert "pbc-64" in names["generators"] and "smote" in names["remedies"]
    assert all(f"  {name}" in listed for kind in names.values() for name in kind)
