"""Claims about the pretrained judge of the class watch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from gansynth.data import CellDataset
from gansynth.errors import InputError
from gansynth.gans import train_gan
from gansynth.gans.engine.watch import ClassWatch, SecondFamily
from gansynth.gans.pretrained_judge import JUDGE, PretrainedJudge, judging_version, learn_pretrained_judge
from gansynth.runs.weights import read_weights, write_weights

from .tiny import tiny_dataset, tiny_recipe

CPU = torch.device("cpu")
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def cells() -> CellDataset:
    return tiny_dataset()


@pytest.fixture(scope="module")
def judge(cells: CellDataset) -> PretrainedJudge:
    return learn_pretrained_judge(cells, 2, device=CPU)


def test_it_knows_the_cells_it_learned_from_and_is_the_same_when_opened_again(
    judge: PretrainedJudge, cells: CellDataset, tmp_path: Path
) -> None:
    classes, features = judge.look(cells.images)
    assert (classes == cells.labels).mean() > 0.9
    judge.save(tmp_path / JUDGE)
    again = PretrainedJudge.load(tmp_path / JUDGE, CPU)
    np.testing.assert_array_equal(again.look(cells.images)[1], features)
    assert again.name == "lite2"


def test_no_player_looks_through_the_network_that_judges() -> None:
    assert judging_version(()) == 2
    assert judging_version(("efficientnet-lite0",)) == 2
    assert judging_version(("efficientnet-lite2",)) == 0
    assert judging_version(("efficientnet-lite0", "efficientnet-lite2")) is None


def test_a_file_of_something_else_is_refused(judge: PretrainedJudge, tmp_path: Path) -> None:
    judge.save(tmp_path / JUDGE)
    tensors, shape = read_weights(tmp_path / JUDGE)
    for spoiled, card in (
        ({**tensors, "mean": tensors["mean"][:5]}, shape),
        ({"weight": tensors["weight"]}, shape),
        (tensors, {"efficientnet_lite": "7"}),
    ):
        write_weights(tmp_path / "spoiled.safetensors", spoiled, card)
        with pytest.raises(InputError, match="the run was edited"):
            PretrainedJudge.load(tmp_path / "spoiled.safetensors", CPU)


def test_a_training_is_watched_by_both_families_and_keeps_the_head(tmp_path: Path, cells: CellDataset) -> None:
    recipe = tiny_recipe("reports.pretrained_judge=true", "reports.sheet_every=2")
    train_gan(cells, recipe, tmp_path / "run", steps=2, device="cpu", progress=False)
    head = (tmp_path / "run" / JUDGE).read_bytes()
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    watched = [line["watch"] for line in lines if "watch" in line]
    assert {"recall", "recall_lite2", "real_recall_lite2", "diversity_lite2"} <= set(watched[0]["eosinophil"])
    train_gan(cells, recipe, tmp_path / "run", steps=4, resume=True, device="cpu", progress=False)
    assert (tmp_path / "run" / JUDGE).read_bytes() == head


def test_the_score_takes_the_worse_family_of_each_class() -> None:
    def watch(*second: float) -> ClassWatch:
        ones = np.ones(2)
        return ClassWatch(np.array([1, 0.5]), ones, ones, SecondFamily("lite2", np.array(second), ones, ones))

    assert watch(1, 1).score == pytest.approx(0.75)
    assert watch(0, 1).score == pytest.approx(0.25)
    assert watch(1, 0.3).score == pytest.approx(0.65)
    assert watch(0, 1).warnings(("basophil", "eosinophil")) == [
        "basophil: recognised by Lite2 in 0% (real images: 100%)"
    ]
