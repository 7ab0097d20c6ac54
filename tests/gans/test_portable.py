"""Claims about generators that run without gansynth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import nn

from gansynth.cli import gansynth
from gansynth.errors import InputError
from gansynth.gans import open_run
from gansynth.gans.export import export_generator
from gansynth.gans.sampling import draw_latents, oriented
from gansynth.runs.portable import write_portable

pytestmark = pytest.mark.usefixtures("one_thread")


def test_torchscript_makes_the_cells_of_the_run(tiny_run_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "ts"
    result = CliRunner().invoke(
        gansynth, ["export", str(tiny_run_folder), "--format", "torchscript", "--out", str(out)]
    )
    assert result.exit_code == 0, result.output
    about = json.loads((out / "export.json").read_text())
    assert about["kind"] == "generator" and about["class_names"] == ["basophil", "eosinophil", "lymphocyte"]
    assert about["output"] == {"images": "uint8 [n, 3, 32, 32]"} and about["largest_difference"] <= 1
    run = open_run(tiny_run_folder)
    gan, seeds = run.load_gan(), range(40, 45)
    images = torch.jit.load(str(out / "model.pt"))(draw_latents(gan, 1, seeds), torch.full((5,), 1))
    turned = oriented(gan, images, 1, seeds).numpy().astype(int)
    sampled = run.sample("eosinophil", 5, seed=40, device="cpu").astype(int)
    # Where the processor has bfloat16, samples are computed in it.
    assert np.abs(turned - sampled).mean() < 1


def test_onnx_makes_the_cells_of_the_run(tiny_run_folder: Path, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    run = open_run(tiny_run_folder)
    written = export_generator(run, tmp_path / "onnx", "onnx")
    assert written.largest_difference <= 1
    session = runtime.InferenceSession(str(written.file), providers=["CPUExecutionProvider"])
    latents = draw_latents(run.load_gan(), 0, range(7)).numpy()
    (images,) = session.run(None, {"latents": latents, "labels": np.zeros(7, np.int64)})
    assert images.shape == (7, 3, 32, 32) and images.dtype == np.uint8


def test_a_file_that_computes_something_else_is_not_kept(tmp_path: Path) -> None:
    class Changing(nn.Module):
        """What it adds is fixed when it is traced."""

        calls = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return x + self.calls

    with pytest.raises(InputError, match="differs from the original"):
        write_portable(
            Changing(), {"x": torch.zeros(3, 1)}, "y", tmp_path / "out", "torchscript", tolerance=0.5, about={}
        )
    assert not (tmp_path / "out").exists()


def test_a_place_is_named_once_and_empty(tiny_run_folder: Path, tmp_path: Path) -> None:
    for places in ([], [str(tmp_path / "a"), "--out", str(tmp_path / "b")]):
        result = CliRunner().invoke(gansynth, ["export", str(tiny_run_folder), *places])
        assert result.exit_code == 2 and "where to?" in result.output
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("dear")
    call = ["export", str(tiny_run_folder), "--format", "torchscript", "--out", str(tmp_path / "full")]
    assert "not empty" in CliRunner().invoke(gansynth, call).output
