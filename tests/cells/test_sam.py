"""Segment Anything through a stand-in with its interface, and in its own architecture with few weights: the published
ones cannot be had in a test."""

from __future__ import annotations

import hashlib
import importlib
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from gansynth.cells import sam
from gansynth.cells.segmentation import CellMasks
from gansynth.cli import gansynth
from gansynth.errors import InputError

from . import tiny_sam
from .drawn_cells import disk, drawn, overlap


class Predictor:
    """Answers a point with a part, the whole and everything; a box with an ellipse in it."""

    def __init__(self, network: torch.nn.Module) -> None:
        self.network = network

    def set_image(self, image: np.ndarray) -> None:
        assert image.dtype == np.uint8 and image.shape[2] == 3
        self.edge = image.shape[0]

    def predict(self, point_coords=None, point_labels=None, box=None, multimask_output=True):
        everything = np.ones((self.edge, self.edge), dtype=bool)
        if box is not None:
            left, top, right, bottom = box[0] / (self.edge - 1)
            return disk(self.edge, (top + bottom) / 2, (left + right) / 2, (right - left) / 2)[None], np.ones(1), None
        assert multimask_output and point_labels.tolist() == [1]
        part, whole = disk(self.edge, 0.5, 0.46, 0.02), disk(self.edge, 0.5, 0.5, 0.18)
        return np.stack([part, whole, everything]), np.array([0.9, 0.8, 0.99]), None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a stand-in's weights under the published name; the package is a stand-in, too."""
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "sam_vit_b_01ec64.pth")
    digits = hashlib.sha256((tmp_path / "sam_vit_b_01ec64.pth").read_bytes()).hexdigest()[:6]
    monkeypatch.setitem(sam.MODELS, "vit_b", ("sam_vit_b_01ec64.pth", digits))
    package = types.ModuleType("segment_anything")
    package.sam_model_registry = {"vit_b": lambda: torch.nn.Linear(2, 2)}  # type: ignore[attr-defined]
    package.SamPredictor = Predictor  # type: ignore[attr-defined]
    monkeypatch.setitem(__import__("sys").modules, "segment_anything", package)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "nothing"))
    return tmp_path


def test_the_surest_outline_that_holds_the_nucleus_and_not_the_whole_image_is_the_cell(folder: Path) -> None:
    segment, name = sam.sam_segmenter(folder)
    image, nucleus, cell, reds = drawn(128)
    masks = segment(image)
    assert name.startswith("sam-vit_b-") and masks.problem is None
    assert overlap(masks.cell, cell) > 0.99 and overlap(masks.nucleus, nucleus) > 0.8
    assert masks.red.max() == len(reds) and overlap(masks.red > 0, np.any(reds, axis=0)) > 0.85
    assert not (masks.cell & (masks.red > 0)).any()


def test_a_slide_without_a_cell_is_not_shown_to_it(folder: Path) -> None:
    segment, _ = sam.sam_segmenter(folder)
    assert segment(np.full((3, 64, 64), 230, np.uint8)).problem is not None


def test_absent_weights_are_named_with_where_to_get_them(folder: Path, tmp_path: Path) -> None:
    (folder / "sam_vit_b_01ec64.pth").unlink()
    with pytest.raises(InputError, match=r"no sam_vit_b_01ec64.pth .*download https://dl.fbaipublicfiles.com"):
        sam.sam_segmenter(folder)


def test_a_file_that_is_not_the_published_one_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sam.MODELS, "vit_b", ("sam_vit_b_01ec64.pth", "01ec64"))
    with pytest.raises(InputError, match="is not the published file"):
        sam.sam_segmenter(folder)


def test_weights_of_another_network_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "sam_vit_b_01ec64.pth"
    torch.save(torch.nn.Linear(3, 2).state_dict(), path)
    digits = hashlib.sha256(path.read_bytes()).hexdigest()[:6]
    monkeypatch.setitem(sam.MODELS, "vit_b", (path.name, digits))
    with pytest.raises(InputError, match="holds other weights than vit_b"):
        sam.sam_segmenter(folder)


def test_an_absent_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "segment_anything", None)
    with pytest.raises(InputError, match="package segment-anything is not installed; `pip install"):
        sam.sam_segmenter(tmp_path)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a checkpoint of Segment Anything's own architecture, far smaller, taught on a drawn cell."""
    pytest.importorskip("segment_anything", reason="segment-anything is not installed")
    image, nucleus, cell, reds = drawn(tiny_sam.EDGE)
    masks = CellMasks(nucleus, cell, np.sum([k * red for k, red in enumerate(reds, 1)], axis=0))
    folder = tmp_path_factory.mktemp("sam")
    torch.save(tiny_sam.taught(image, masks, steps=220), folder / "sam_vit_b_01ec64.pth")
    return folder


@pytest.fixture
def tiny(small: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, under the published name, as the package's registry would build it."""
    digits = hashlib.sha256((small / "sam_vit_b_01ec64.pth").read_bytes()).hexdigest()[:6]
    monkeypatch.setitem(sam.MODELS, "vit_b", ("sam_vit_b_01ec64.pth", digits))
    package = importlib.import_module("segment_anything")
    monkeypatch.setitem(package.sam_model_registry, "vit_b", tiny_sam.tiny_sam)
    return small


@pytest.mark.slow
def test_the_packages_own_network_cuts_the_cell_that_it_was_taught(tiny: Path) -> None:
    segment, name = sam.sam_segmenter(tiny)
    image, _, cell, reds = drawn(tiny_sam.EDGE)
    masks = segment(image)
    assert masks.problem is None and overlap(masks.cell, cell) > 0.8
    assert masks.red.max() >= len(reds) - 1 and overlap(masks.red > 0, np.any(reds, axis=0)) > 0.5
    assert name.startswith("sam-vit_b-")


@pytest.mark.slow
def test_naturalize_composes_from_what_it_cut(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "cells" / "promyelocyte").mkdir(parents=True)
    Image.fromarray(drawn(tiny_sam.EDGE)[0].transpose(1, 2, 0)).save(tmp_path / "cells" / "promyelocyte" / "0.png")
    (tmp_path / "cells" / "splits.csv").write_text("file_name,split\npromyelocyte/0.png,train\n")
    words = ["naturalize", str(tmp_path / "cells"), "--class", "promyelocyte", "--count", "2"]
    words += ["--segmenter", "sam", "--weights-dir", str(tiny), "--device", "cpu", "--out", str(tmp_path / "made")]
    said = CliRunner().invoke(gansynth, words)
    assert said.exit_code == 0, said.output
    assert "2 of 2 images from 1 of 1 training images" in said.output
    assert len(list((tmp_path / "made" / "promyelocyte").glob("*.png"))) == 2
