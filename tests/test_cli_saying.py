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
        print("half a line", end="", file=sys.stderr)
        assert not sys.stderr.isatty()
        if fail:
            raise InputError("cells: nothing there; give a folder")
        click.echo("the result")

    return program


def call(program: click.Group, *words: str) -> Result:
    return CliRunner().invoke(program, words)


def test_quiet_leaves_the_result_and_the_warnings(long_work: click.Group) -> None:
    assert "step 1" in call(long_work, "work").stderr
    found = call(long_work, "--quiet", "work")
    assert (found.stdout, found.stderr) == ("the result\n", "warning: few cells\n")


def test_the_reason_of_a_failure_is_said_even_so(long_work: click.Group) -> None:
    before = sys.stderr
    found = call(long_work, "-q", "work", "--fail")
    assert found.exit_code == 2 and "gansynth: cells: nothing there; give a folder" in found.stderr
    assert "step 1" not in found.stderr and sys.stderr is before


def test_a_log_gets_every_line_with_its_time_and_goes_on_at_the_next_call(
    long_work: click.Group, tmp_path: Path
) -> None:
    log = tmp_path / "work.log"
    for _ in range(2):
        assert call(long_work, "--log-file", str(log), "work").stderr == "warning: few cells\n"
    lines = log.read_text(encoding="utf-8").splitlines()
    assert [re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ", "", line) for line in lines] == [
        *("step 1", "warning: few cells", "half a line") * 2
    ]


def test_a_log_that_cannot_be_written_is_named(long_work: click.Group, tmp_path: Path) -> None:
    found = call(long_work, "--log-file", str(tmp_path / "no" / "work.log"), "work")
    assert found.exit_code == 2 and "work.log: No such file or directory" in found.stderr
