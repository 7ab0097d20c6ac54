"""The script for one GPU works where there is none, in small."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

from gansynth.runs.weights import read_weights

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu" / "run.py"


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_the_script_for_one_gpu_does_every_step_in_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = [str(SCRIPT), "--out", str(tmp_path), "--tiny", "--train", "c-wgan-gp-64=1"]
    monkeypatch.setattr(sys, "argv", typed)
    runpy.run_path(str(SCRIPT), run_name="__main__")
    rows = json.loads((tmp_path / "results.json").read_text())
    equal = [row for row in rows if row["what"] == "graphs against Python, each step from equal weights"]
    assert [row["recipe"] for row in equal] == ["c-wgan-gp-64", "projected-c-wgan-gp-64"]
    assert all(row["within 1e-4"] is True and row["graphs"] == "none: they need a GPU" for row in equal)
    timed = {(row["recipe"], row["batch"]): row["ms an iteration"] for row in rows if row["what"] == "time, Python"}
    assert {("c-wgan-gp-64", 8), ("c-wgan-gp", 8)} <= set(timed)
    assert min(timed.values()) > 0
    assert [row["recipe"] for row in rows if row["what"] == "time, CUDA graphs" and "skipped" in row]
    (sampled,) = (row for row in rows if row["what"] == "sampling, images a second")
    assert sampled["generate"] > 0
    weights, _ = read_weights(tmp_path / "c-wgan-gp-64" / "model.safetensors")
    assert any(name.startswith("generator.") for name in weights)
