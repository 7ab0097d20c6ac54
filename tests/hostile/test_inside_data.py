"""Whatever a command writes, it writes no picture into a data set, where every folder is a class."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from writing_commands import writing_commands

from gansynth.cli import gansynth

pytestmark = pytest.mark.usefixtures("module_on_one_thread")

NAMES = [name for name, one in writing_commands(*[Path("x")] * 5).items() if one.into is None]
TAKE_NO_DATA = {"data crop", "data phantom", "generate", "export", "walk", "demo"}
"""What they write into a data set without tables nobody can know to be one."""


@pytest.mark.parametrize("tables", [True, False], ids=["with tables", "without"])
@pytest.mark.parametrize("name", NAMES)
def test_no_command_writes_into_a_data_set(name: str, tables: bool, given: dict[str, str], tmp_path: Path) -> None:
    if name in TAKE_NO_DATA and not tables:
        pytest.skip("takes no data set")
    left_out = () if tables else ("metadata.csv", "splits.csv")
    copies = {data: tmp_path / data for data in ("cells", "synthetic")}
    for data, copy in copies.items():
        shutil.copytree(given[data], copy, ignore=shutil.ignore_patterns(*left_out))
    one = writing_commands(**{data: Path(path) for data, path in given.items()} | copies)[name]
    homes = [copy for copy in copies.values() if tables or str(copy) in " ".join(one.typed)]
    before = sorted(tmp_path.rglob("*"))
    for place in (home / inner / "out" for home in homes for inner in ("", "basophil")):
        done = CliRunner().invoke(gansynth, one.line(place))
        assert done.exit_code == 2 and "lies inside" in done.stderr, (place, done.output)
    assert sorted(tmp_path.rglob("*")) == before
