"""The classifier that watches a training."""

from __future__ import annotations

import pytest
import torch

from gansynth.gans.independent_classifier import IndependentClassifier, train_independent_classifier

from .tiny import tiny_dataset

pytestmark = pytest.mark.usefixtures("one_thread")


def trained(seed: int, **how: int) -> IndependentClassifier:
    return train_independent_classifier(tiny_dataset(), seed=seed, device=torch.device("cpu"), **{"width": 4} | how)


def weights(judge: IndependentClassifier) -> torch.Tensor:
    return torch.cat([tensor.flatten().double() for tensor in judge.network.state_dict().values()])


def test_a_seed_decides_its_weights_and_the_callers_random_state_neither_matters_nor_changes() -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    one = weights(trained(3, images=192))
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(weights(trained(3, images=192)), one)
    assert not torch.equal(weights(trained(4, images=192)), one)


def test_it_says_how_far_it_is_and_gives_every_image_probabilities_that_sum_to_one() -> None:
    steps: list[tuple[int, int]] = []
    cells = tiny_dataset()
    judge = train_independent_classifier(
        cells, seed=0, device=torch.device("cpu"), images=3 * 64, width=4, on_step=lambda *at: steps.append(at)
    )
    assert steps == [(1, 3), (2, 3), (3, 3)]
    found = judge(cells.images)
    assert found.shape == (len(cells), 3) and found.sum(axis=1) == pytest.approx(1, abs=1e-5)
