"""Data sets of one image, of two, of a class of one: every command that reads cells works, or says what it needs; and
where it works, nothing that it writes or prints is nan."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from writing_commands import writing_commands

from gansynth.cli import gansynth
from gansynth.data.phantom import write_phantom

pytestmark = pytest.mark.usefixtures("module_on_one_thread")

COUNTS: dict[str, dict[str, int]] = {
    "one image": {"basophil": 1},
    "one of each": {"basophil": 1, "lymphocyte": 1},
    "two and one": {"basophil": 2, "lymphocyte": 1},
    "three and two": {"basophil": 3, "lymphocyte": 2},
    "nine and one": {"basophil": 9, "lymphocyte": 1},
}
TYPED = {name: " ".join(one.typed) for name, one in writing_commands(*map(Path, "CGKSF")).items() if not one.long}
READ = {"data split": "cells"} | {
    name: "cells" if "C" in line else "synthetic" for name, line in TYPED.items() if "C" in line or "S" in line
}
"""Which of the data that are given each command reads."""


def call(*typed: object) -> Result:
    return CliRunner().invoke(gansynth, [str(part) for part in typed])


def no_constant(name: str) -> None:
    raise AssertionError(f"{name} in JSON")


@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.parametrize(
    "command", [pytest.param(name, marks=[pytest.mark.slow] if name == "train-gan" else []) for name in READ]
)
def test_a_command_works_on_few_images_or_says_what_it_needs(
    command: str, counts: str, given: dict[str, str], tmp_path: Path
) -> None:
    cells, out = tmp_path / "cells", tmp_path / "out"
    write_phantom(cells, COUNTS[counts], size=32, seed=3)
    data = given | {READ[command]: str(cells)}
    one = writing_commands(**{name: Path(path) for name, path in data.items()})[command]
    if command != "data split":
        split = call("data", "split", cells)
        assert split.exit_code in (0, 2), split.output
    one.lay(out)
    found = call(*one.line(out))
    assert found.exit_code in (0, 2) and "Traceback" not in found.output, found.output
    if found.exit_code == 2:
        assert len(found.stderr.strip().splitlines()[-1]) > 40, found.stderr
        return
    assert not re.search(r"\bnan\b", found.output), found.output
    for file in out.rglob("*.json"):
        json.loads(file.read_text(encoding="utf-8"), parse_constant=no_constant)
    for file in out.rglob("*.html"):
        assert not re.search(r">\s*nan\b", file.read_text(encoding="utf-8"))
