"""Claims about the cell encoder's network."""

from __future__ import annotations

import torch

from gansynth.networks.cell_encoder import CellEncoderNetwork, ResidualBlock


def test_logits_are_a_linear_function_of_the_features() -> None:
    network = CellEncoderNetwork(11).eval()
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    features = network.features(images)
    assert features.shape == (2, 256)
    torch.testing.assert_close(network(images), network.logits(features))


def test_it_is_small() -> None:
    assert 1e6 < sum(p.numel() for p in CellEncoderNetwork(11).parameters()) < 2e6


def test_a_block_begins_as_the_way_past_it() -> None:
    block = ResidualBlock(4, 4, 1).eval()
    x = torch.rand(2, 4, 8, 8)
    torch.testing.assert_close(block(x), x)
