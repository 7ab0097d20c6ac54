from __future__ import annotations

import pytest
import torch
from torch import nn

from gansynth.gans.engine.ema import Ema


def one(value: float) -> nn.Linear:
    layer = nn.Linear(1, 1)
    nn.init.constant_(layer.weight, value)
    nn.init.constant_(layer.bias, value)
    return layer


@pytest.mark.parametrize("batch", [1, 10, 100])
def test_after_one_half_life_of_images_half_of_the_old_weight_is_left(batch: int) -> None:
    network = one(1.0)
    ema = Ema(network, half_life=1000, ramp=None)
    nn.init.zeros_(network.weight)
    for i in range(1000 // batch):
        ema.update(batch, (i + 1) * batch)
    assert ema.network.weight.item() == pytest.approx(0.5, rel=1e-4)


def test_ramp_forgets_the_untrained_network() -> None:
    network = one(1.0)
    slow, ramped = Ema(network, 10_000, None), Ema(network, 10_000, 0.05)
    nn.init.zeros_(network.weight)
    for i in range(10):
        slow.update(10, (i + 1) * 10)
        ramped.update(10, (i + 1) * 10)
    assert ramped.network.weight.item() < 0.01 < 0.9 < slow.network.weight.item()


def test_buffers_are_copied_and_no_gradient_is_kept() -> None:
    network = nn.BatchNorm2d(2)
    ema = Ema(network, 100, None)
    network(torch.randn(4, 2, 3, 3) + 5)
    ema.update(4, 4)
    assert torch.equal(ema.network.running_mean, network.running_mean)
    assert not any(p.requires_grad for p in ema.network.parameters())


def test_a_trained_network_is_remembered_from_the_first_step_on() -> None:
    network = one(1.0)
    young, grown = Ema(network, 10_000, 0.05), Ema(network, 10_000, 0.05)
    grown.seen_before = 400_000
    nn.init.zeros_(network.weight)
    for i in range(10):
        young.update(10, (i + 1) * 10)
        grown.update(10, (i + 1) * 10)
    assert young.network.weight.item() < 0.01
    assert grown.network.weight.item() == pytest.approx(0.5 ** (100 / 10_000), rel=1e-4)
