"""The studies are scripts: they import each other from their own folder, as when they are run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "eval"))

if TYPE_CHECKING:
    from paper_study import Amount, Budget, Options

Asked = Callable[..., "Options"]


@pytest.fixture(scope="session")
def asked(phantom_folder: Path) -> Asked:
    """What is typed to have a study carried out quickly on phantom cells: ``asked(out, AMOUNTS, "--epochs", "1")``."""
    import paper_study

    def options(out: Path, amounts: Mapping[Budget, Amount], *more: str) -> Options:
        words = [str(phantom_folder), "--out", str(out), "--budget", "quick", "--size", "32", "--seeds", "1"]
        return paper_study.options(paper_study.parser("").parse_args([*words, "--jobs", "1", *more]), amounts)

    return options


@pytest.fixture(scope="module")
def without_pages() -> Iterator[pytest.MonkeyPatch]:
    """A comparison's page takes seconds, and has its tests."""
    import paper_study

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paper_study, "write_comparison_page", lambda folder: folder)
        yield patch
