"""Where other programs use the processors, a training computes on those they leave, and goes on on as many."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from gansynth import train_gan
from gansynth.data.phantom import phantom_dataset
from gansynth.recipes import load_recipe
from gansynth.runs import threads
from gansynth.runs.threads import fastest_threads, settle_threads

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def two_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = torch.get_num_threads()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    torch.set_num_threads(2)
    fastest_threads.cache_clear()
    yield
    fastest_threads.cache_clear()
    torch.set_num_threads(before)


def measured(monkeypatch: pytest.MonkeyPatch, rates: dict[int, float]) -> None:
    monkeypatch.setattr(threads, "layers_per_second", rates.__getitem__)


def test_fewer_threads_are_chosen_where_they_are_clearly_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, {8: 5, 4: 30, 2: 31, 1: 29})
    assert fastest_threads(8) == 4
    measured(monkeypatch, {6: 40, 3: 50, 1: 30})
    assert fastest_threads(6) == 6, "as many as there are, where fewer gain little"


def test_what_is_measured_leaves_the_number_as_it_was() -> None:
    assert fastest_threads(2) in (1, 2)
    assert torch.get_num_threads() == 2
    assert threads.layers_per_second(1) > 0


def test_a_sentence_says_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, {2: 5, 1: 30})
    assert settle_threads(torch.device("cuda")) == ""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert settle_threads(CPU) == ""
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert settle_threads(CPU).startswith("computes on 1 of 2 processors: other programs use the rest")
    assert torch.get_num_threads() == 1
    assert settle_threads(CPU) == "", "nothing is left to change"


def test_a_training_goes_on_on_as_many_as_it_began_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums round differently on another number of threads, and the weights would not be those of one training."""
    recipe = load_recipe(
        "c-wgan-gp",
        [
            "resolution=16", "latent=8", "networks.width=4", "training.batch_size=8", "training.critic_steps=1",
            "reports.watch_images=4", "reports.pretrained_judge=false", "reports.classifier_images=64",
        ],
    )  # fmt: skip
    cells = phantom_dataset({"eosinophil": 8, "lymphocyte": 8}, size=16)
    measured(monkeypatch, {2: 5, 1: 30})
    train_gan(cells, recipe, tmp_path / "run", steps=1, device="cpu", progress=False)
    torch.set_num_threads(2)
    fastest_threads.cache_clear()
    measured(monkeypatch, {2: 60, 1: 30})
    train_gan(cells, recipe, tmp_path / "run", steps=2, device="cpu", progress=False, resume=True)
    assert torch.get_num_threads() == json.loads((tmp_path / "run/run.json").read_text())["threads"] == 1
