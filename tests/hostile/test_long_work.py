"""Work that takes minutes for many images, and that nobody asked for by name, says what it is: a data set is decoded
when it is first opened, and every image compared with every other where it has to be split."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from writing_commands import writing_commands

from gansynth.cli import gansynth

pytestmark = pytest.mark.usefixtures("module_on_one_thread")

SPLITTING = [
    "data split", "data dedupe", "data review", "train-gan", "balance", "naturalize", "train-classifier", "compare",
    "sweep", "search-remedy", "quality",
]  # fmt: skip


@pytest.mark.parametrize("name", SPLITTING)
def test_decoding_and_the_search_for_duplicates_show_how_far_they_are(
    name: str, given: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gansynth.data.duplicates._components", stop)  # the end of the search
    monkeypatch.setattr("gansynth.runs.display._SOON", 0.0)  # as if everything took two seconds
    monkeypatch.setenv("GANSYNTH_CACHE", str(tmp_path / "cache"))
    copies = {data: tmp_path / data for data in ("cells", "synthetic")}
    for data, copy in copies.items():
        shutil.copytree(given[data], copy, ignore=shutil.ignore_patterns("splits.csv"))
    one = writing_commands(**{data: Path(path) for data, path in given.items()} | copies)[name]
    one.lay(tmp_path / "out")
    done = CliRunner().invoke(gansynth, one.line(tmp_path / "out"))
    assert done.exit_code == 130, done.output
    for said in ("decoding images", "outlining images", "looking for duplicates"):
        assert said in done.stderr
