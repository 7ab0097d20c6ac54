"""Claims about the ensemble by attention: its block is that of the paper, and frozen trunks stay as they are."""

from __future__ import annotations

import copy
from itertools import product
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from gansynth.networks.backbone import Preparation
from gansynth.networks.cbam_ensemble import CbamEnsemble, PerceptronAttention


def trunk(channels: int, stride: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, channels, 3, stride, 1), nn.BatchNorm2d(channels), nn.ReLU())


def ensemble(frozen: bool = False, spatial: Literal["perceptron", "convolution"] = "perceptron") -> CbamEnsemble:
    torch.manual_seed(0)
    preparations = [Preparation(size, (0.5,) * 3, (0.5,) * 3) for size in (16, 24)]
    trunks = [trunk(4, 2), trunk(6, 2)]  # 8 x 8 and 12 x 12 positions
    return CbamEnsemble(trunks, preparations, (4, 6), 3, reduction=2, hidden=5, frozen=frozen, spatial=spatial)


def attended(network: CbamEnsemble, x: Tensor) -> Tensor:
    """abouali2023, equation 1, and equation 2 or its like of Woo et al. 2018 (equation 3)."""
    channel, spatial = network.attention.channel, network.attention.spatial

    def mlp(pooled: Tensor) -> Tensor:
        return torch.relu(pooled @ channel.fc1.weight[:, :, 0, 0].T) @ channel.fc2.weight[:, :, 0, 0].T

    x = x * torch.sigmoid(mlp(x.mean(dim=(2, 3))) + mlp(x.amax(dim=(2, 3))))[:, :, None, None]
    if isinstance(spatial, PerceptronAttention):
        weighted = x.clone()
        for i, j in product(range(x.shape[2]), range(x.shape[3])):
            seen = torch.cat([x[:, :, i, j], x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)
            hidden = torch.relu(seen @ spatial.hidden.weight[:, :, 0, 0].T + spatial.hidden.bias)
            beta = torch.sigmoid(hidden @ spatial.weight.weight[:, :, 0, 0].T + spatial.weight.bias)
            weighted[:, :, i, j] *= beta
        return weighted
    two = torch.stack([x.mean(dim=1), x.amax(dim=1)], dim=1)
    return x * torch.sigmoid(spatial.conv.bn(nn.functional.conv2d(two, spatial.conv.conv.weight, padding=3)))


@pytest.mark.parametrize("spatial", ["perceptron", "convolution"])
def test_the_maps_of_both_trunks_pass_through_one_block_of_attention(
    spatial: Literal["perceptron", "convolution"],
) -> None:
    network, images = ensemble(spatial=spatial).eval(), torch.rand(2, 3, 32, 32) * 2 - 1
    maps = network.maps(images)
    assert maps.shape == (2, 10, 8, 8)
    first = network.trunks[0](network.preparations[0](images))
    assert torch.equal(maps[:, :4], first)
    features = attended(network, maps).mean(dim=(2, 3))
    by_hand = network.logits(torch.relu(network.hidden(features)))
    assert torch.allclose(network(images), by_hand, atol=1e-6)


def test_frozen_trunks_neither_learn_nor_change_but_attention_and_head_learn() -> None:
    network = ensemble(frozen=True).train()
    before = copy.deepcopy(network.trunks.state_dict())
    network(torch.randn(4, 3, 16, 16)).sum().backward()
    assert all(p.grad is None for p in network.trunks.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in network.trunks.state_dict().items())
    learned = [*network.attention.parameters(), *network.hidden.parameters(), *network.logits.parameters()]
    assert all(p.grad is not None for p in learned)


@pytest.mark.parametrize("frozen", [False, True])
def test_the_gradient_reaches_the_image_when_nothing_is_learned(frozen: bool) -> None:
    network, images = ensemble(frozen).eval(), torch.rand(1, 3, 16, 16, requires_grad=True)
    network(images).sum().backward()
    assert images.grad is not None and images.grad.abs().sum() > 0
