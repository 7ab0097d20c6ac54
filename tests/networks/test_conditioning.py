from __future__ import annotations

import pytest
import torch
from torch import nn

from gansynth.networks import compact, hazra2022
from gansynth.networks.conditioning import (
    PLANES,
    Critic,
    LabelPlanesCritic,
    TwoHeadedCritic,
    normalise_spectrally,
)


def critic(family: str, **options: int) -> Critic:
    torch.manual_seed(0)
    if family == "compact":
        return compact.CompactCritic(32, [8, 8, 8], **options)
    return hazra2022.Critic(4, 32, **options)


@pytest.mark.parametrize("family", ["compact", "hazra2022"])
def test_two_heads_share_their_features(family: str) -> None:
    plain = critic(family)
    both = TwoHeadedCritic(plain, nn.Linear(plain.n_features, 5))
    images = torch.rand(4, 3, 32, 32)
    scores, logits = both(images)
    torch.testing.assert_close(scores, plain(images))
    torch.testing.assert_close(logits, both.logits(plain.features(images)))
    assert logits.shape == (4, 5)


@pytest.mark.parametrize("family", ["compact", "hazra2022"])
def test_a_label_beside_the_image_changes_its_score_and_no_other(family: str) -> None:
    told = LabelPlanesCritic(critic(family, inputs=3 + PLANES), 200)
    images, labels = torch.rand(4, 3, 32, 32), torch.tensor([0, 0, 0, 0])
    first, second = told(images, labels), told(images, torch.tensor([0, 0, 0, 1]))
    if family == "hazra2022":  # the other compares the images of a group
        torch.testing.assert_close(first[:3], second[:3])
    assert (first[3] - second[3]).abs() > 1e-5
    assert told.embedding.weight.detach().norm(dim=1).mean() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("family", ["compact", "hazra2022"])
def test_projection_adds_the_inner_product_of_label_and_features(family: str) -> None:
    """Miyato & Koyama 2018, eq. 3."""
    told = critic(family, n_classes=3)
    images, labels = torch.rand(4, 3, 32, 32), torch.tensor([0, 1, 2, 0])
    assert told.projection is not None
    product = torch.einsum("nd,nd->n", told.projection(labels), told.features(images)) / told.n_features**0.5
    torch.testing.assert_close(told(images, labels), told(images) + product)


@pytest.mark.parametrize("family", ["compact", "hazra2022"])
def test_every_layer_has_spectral_norm_one(family: str) -> None:
    network, images = normalise_spectrally(critic(family, n_classes=3)).train(), torch.rand(4, 3, 32, 32)
    with torch.no_grad():
        for _ in range(30):  # of power iteration
            network(images, torch.tensor([0, 1, 2, 0]))
    layers = [m for m in network.eval().modules() if isinstance(m, compact.EqualConv2d | compact.EqualLinear)]
    layers += [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear | nn.Embedding)]
    assert len(layers) == (11 if family == "compact" else 24)
    for layer in layers:
        norm = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        assert float(norm) * getattr(layer, "scale", 1.0) == pytest.approx(1, abs=0.05)
    assert network.projection_scale == 1
