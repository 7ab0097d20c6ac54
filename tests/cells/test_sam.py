"""Segment Anything through a stand-in with its interface: the published weights cannot be had in a test."""

from __future__ import annotations

import hashlib
import types
from pathlib import Path

import numpy as np
import pytest
import torch

from gansynth.cells import sam
from gansynth.errors import InputError

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
