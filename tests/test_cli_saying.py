"""Claims about what a command says of its course, and where."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from gansynth.cli.failures import Commands
from gansynth.cli.saying import saying_options
from gansynth.errors import InputError
from gansynth.runs.display import WorkDisplay


@pytest.fixture
def long_work() -> click.Group:
    @click.group(cls=Commands)
    @saying_options
    def program() -> None:
        """A program."""

    @program.command()
    @click.option("--fail", is_flag=True)
    def work(fail: bool) -> None:
        """Work for long."""
        print("step 1", file=sys.stderr)
        click.echo("warning: few cells", err=True)
        assert not sys.stderr.isatty()
        click.echo("gansynth: 2 trainings failed", err=True)
        if fail:
            raise InputError("cells: nothing there; give a folder")
        click.echo("the result")
        print("half a line", end="", file=sys.stderr)

    return program


def call(program: click.Group, *words: str) -> Result:
    return CliRunner().invoke(program, words)


def test_quiet_leaves_the_result_and_the_warnings(long_work: click.Group) -> None:
    assert "step 1" in call(long_work, "work").stderr
    found = call(long_work, "--quiet", "work")
    assert (found.stdout, found.stderr) == ("the result\n", "warning: few cells\ngansynth: 2 trainings failed\n")


def test_the_reason_of_a_failure_is_said_even_so(long_work: click.Group) -> None:
    before = sys.stderr
    found = call(long_work, "-q", "work", "--fail")
    assert found.exit_code == 2 and "gansynth: cells: nothing there; give a folder" in found.stderr
    assert "step 1" not in found.stderr and sys.stderr is before


def test_a_log_gets_every_line_and_the_result_with_their_time_and_goes_on_at_the_next_call(
    long_work: click.Group, tmp_path: Path
) -> None:
    log, before = tmp_path / "work.log", (sys.stdout, sys.stderr)
    for _ in range(2):
        found = call(long_work, "--log-file", str(log), "work")
        assert (found.stdout, found.stderr) == ("the result\n", "warning: few cells\ngansynth: 2 trainings failed\n")
    said = ["step 1", "warning: few cells", "gansynth: 2 trainings failed", "the result", "half a line"]
    assert lines_of(log, commands=False) == [*said, *said]
    assert (sys.stdout, sys.stderr) == before


def test_a_log_begins_with_the_command_and_ends_with_the_reason_of_a_failure(
    long_work: click.Group, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "work.log"
    monkeypatch.setattr(sys, "argv", ["/somewhere/gansynth", "--log-file", "my log", "work", "--fail"])
    found = call(long_work, "--log-file", str(log), "work", "--fail")
    lines = lines_of(log)
    assert lines[0] == "$ gansynth --log-file 'my log' work --fail"
    assert lines[-1] == "gansynth: cells: nothing there; give a folder"
    assert found.stderr.count("nothing there") == 1
    call(long_work, "--log-file", str(log), "work", "--fial")
    assert "No such option" in lines_of(log)[-1]


def test_a_log_holds_no_redrawn_bar_even_where_the_terminal_has_one(
    long_work: click.Group, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @long_work.command()
    def drawn() -> None:
        """Work with a bar."""
        with WorkDisplay("drawing", 3) as display:
            display.step("a cell")

    monkeypatch.setenv("FORCE_COLOR", "1")
    call(long_work, "--log-file", str(tmp_path / "work.log"), "drawn")
    assert [line[:19] for line in lines_of(tmp_path / "work.log", commands=False)] == ["[1 of 3] a cell; 00"]


def lines_of(log: Path, *, commands: bool = True) -> list[str]:
    """The lines of a log without their times."""
    lines = log.read_text(encoding="utf-8").splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ", line) for line in lines)
    return [line[21:] for line in lines if commands or line[21] != "$"]


def test_a_log_that_cannot_be_written_is_named(long_work: click.Group, tmp_path: Path) -> None:
    found = call(long_work, "--log-file", str(tmp_path / "no" / "work.log"), "work")
    assert found.exit_code == 2 and "work.log: No such file or directory" in found.stderr
