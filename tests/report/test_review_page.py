"""The review page shows every image once, those first in which something was found, and marks none."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from gansynth.cells.several import CUT, TWO
from gansynth.cli import gansynth
from gansynth.data import CellDataset, open_dataset
from gansynth.errors import InputError
from gansynth.report.review.page import suspects, write_review

from ..cells.drawn_cells import NUCLEUS, PLASMA, disk, drawn


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("review") / "cells"
    two = drawn(64, middle=(0.45, 0.42), radius=0.14, reds=[(0.15, 0.2)])[0]
    two[:, disk(64, 0.8, 0.8, 0.14)] = np.array(PLASMA, np.uint8)[:, None]
    two[:, disk(64, 0.8, 0.8, 0.08)] = np.array(NUCLEUS, np.uint8)[:, None]
    cut = drawn(64, middle=(0.5, 0.1), radius=0.2, reds=[(0.15, 0.7)])[0]
    plain = drawn(64, reds=[(0.2, 0.3)], seed=3)[0]
    for name, image in {"a/0 plain": plain, "a/1 two": two, "b <i>/cut": cut, "b <i>/again": plain}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.transpose(1, 2, 0)).save(root / f"{name}.png")
    return root


@pytest.fixture(scope="module")
def cells(folder: Path) -> CellDataset:
    return open_dataset(folder, size=64)


def test_what_is_found_says_why(cells: CellDataset) -> None:
    found = suspects(cells)
    assert found["a/1 two.png"] == TWO and found["b <i>/cut.png"] == CUT
    assert found["a/0 plain.png"] == found["b <i>/again.png"] == "a duplicate lies in another class"


def test_every_image_is_there_once_and_those_with_something_found_come_first(
    cells: CellDataset, tmp_path: Path
) -> None:
    html = write_review(cells, tmp_path / "out", {"a/1 two.png": TWO}).read_text(encoding="utf-8")
    files = re.findall(r'data-file="([^"]+)"', html)
    assert files[:2] == ["a/1 two.png", "a/0 plain.png"] and len(files) == len(cells)
    assert 'aria-pressed="true"' not in html and html.count("data:image/jpeg") == len(cells)
    assert "b &lt;i&gt;" in html and "<i>" not in html
    assert "1 of 4 images stand first" in html


def test_the_page_can_be_kept_short_and_an_unknown_class_is_refused(cells: CellDataset, tmp_path: Path) -> None:
    html = write_review(cells, tmp_path / "some", {"a/1 two.png": TWO}, only_found=True).read_text(encoding="utf-8")
    assert re.findall(r'data-file="([^"]+)"', html) == ["a/1 two.png"]
    with pytest.raises(InputError, match="--class: no class 'c'; there are a"):
        write_review(cells, tmp_path / "more", {}, classes=["c"])
    with pytest.raises(InputError, match="not empty"):
        write_review(cells, tmp_path / "some", {})


def test_the_command_writes_the_page(folder: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke(gansynth, ["data", "review", str(folder), "--size", "64", "--out", str(tmp_path / "r")])
    assert run.exit_code == 0 and "something was found in 4 of 4 images" in run.stdout
    assert (tmp_path / "r" / "review.html").is_file()
