"""Claims about runs for Hugging Face's hub; nothing here asks a network."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from huggingface_hub import ModelCard
from safetensors.torch import load_file

from gansynth.cli import gansynth
from gansynth.gans import open_run

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_run_for_the_hub_has_a_card_and_opens_like_any_run(tiny_run_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "cells-32"
    result = CliRunner().invoke(
        gansynth, ["export", str(tiny_run_folder), "--format", "huggingface", "--out", str(out)]
    )
    assert result.exit_code == 0, result.output
    card = ModelCard.load(out / "README.md")
    assert card.data.library_name == "gansynth" and card.data.license == "unknown"
    run, before = open_run(out), open_run(tiny_run_folder)
    counts = before.info["training_counts"]
    assert all(f"| {name} | {counts[name]:,} |" in card.text for name in before.class_names)
    assert load_file(out / "model.safetensors") and not (out / "state").exists()
    assert run.class_names == before.class_names and run.training_sha256 == before.training_sha256
    assert run.sample("basophil", 2, device="cpu").shape == (2, 3, 32, 32)
