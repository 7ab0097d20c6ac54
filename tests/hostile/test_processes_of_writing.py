"""Every command that writes: of two processes on one folder exactly one works; and one that was killed at any moment is
continued to the same bytes, or refused with a sentence."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from writing_commands import writing_commands

from gansynth.cli import gansynth
from gansynth.cli.arguments import OutPath

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="fork and kill -9 are Unix's"),
]

KILLS = int(os.environ.get("GANSYNTH_KILLS", "1"))
"""Folders of each command in which it is killed, one to three times each; a longer campaign sets the variable."""
NAMES = list(writing_commands(*[Path("x")] * 5))


def leaves(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for inner, one in command.commands.items():
            yield from leaves(one, f"{name} {inner}".strip())
    else:
        yield name, command


def test_every_command_that_writes_is_tried_here() -> None:
    to_a_place = {
        name for name, one in leaves(gansynth) if any(isinstance(parameter.type, OutPath) for parameter in one.params)
    }
    assert {*to_a_place, "data split"} == set(NAMES)


@pytest.fixture(scope="module")
def tried(given: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What happened to each command, "contended" and "killed": one process has imported everything for both."""
    place = tmp_path_factory.mktemp("tried")
    names = [name for name in os.environ.get("GANSYNTH_WRITING", "").split(",") if name]
    asked = {"place": str(place), "given": given, "names": names, "times": KILLS, "seed": KILLS}
    script = Path(__file__).with_name("forked.py")
    done = subprocess.run([sys.executable, script, json.dumps(asked)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", NAMES)
def test_of_two_processes_on_one_folder_one_works_and_the_other_says_who(name: str, tried: dict[str, Any]) -> None:
    if name not in tried["contended"]:
        pytest.skip("not asked for")
    found = tried["contended"][name]
    assert "error" not in found, found
    assert found["first"] == 0, found["first_said"]
    assert found["second"] == 2
    assert f"process {found['pid']} on {socket.gethostname()} writes into it since" in found["said"]


@pytest.mark.parametrize("name", NAMES)
def test_killed_at_random_moments_it_is_continued_to_the_same_bytes_or_refused(
    name: str, tried: dict[str, Any]
) -> None:
    if name not in tried["killed"]:
        pytest.skip("not asked for, or takes long: name it in GANSYNTH_WRITING")
    found = tried["killed"][name]
    assert "error" not in found, found
    assert not found["wrong"], found["wrong"]
    assert all(len(said.strip()) > 20 for said in found["refused"])
