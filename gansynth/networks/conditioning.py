"""Critics that know more than whether an image is real: what it shows, or what it is said to show."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from gansynth.networks import compact, hazra2022
from gansynth.networks.compact import EqualConv2d, EqualLinear

Critic = compact.CompactCritic | hazra2022.Critic
"""Of either family: `features` (images to [n, n_features]) and `judge` (features to scores [n])."""

PLANES = 8
"""Constant planes that carry the label beside the three of the image."""


class TwoHeadedCritic(nn.Module):
    """A score and one logit for each class, from the same features."""

    def __init__(self, critic: Critic, logits: nn.Module) -> None:
        super().__init__()
        self.critic, self.logits = critic, logits

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores [n] and logits [n, C], float32, for images [n, 3, R, R] in [-1, 1]."""
        features = self.critic.features(images)
        return self.critic.judge(features).float(), self.logits(features).float()


class LabelPlanesCritic(nn.Module):
    """A score for an image and its label; the label lies beside the image as constant planes.

    A one-hot label spread over the image, through a learned table: a few planes serve any number of classes. Its rows
    start at length 1, as a one-hot label's, so that planes do not outshout the image.

    Parameters
    ----------
    critic : Critic
        It takes 3 + `PLANES` input channels.
    n_classes : int
    """

    def __init__(self, critic: Critic, n_classes: int) -> None:
        super().__init__()
        self.embedding, self.critic = nn.Embedding(n_classes, PLANES), critic
        nn.init.normal_(self.embedding.weight, std=PLANES**-0.5)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return scores [n], float32, for images [n, 3, R, R] in [-1, 1] and int64 labels [n]."""
        planes = self.embedding(labels)[:, :, None, None].to(images.dtype)
        planes = planes.expand(-1, -1, *images.shape[2:])
        scores: Tensor = self.critic(torch.cat([images, planes], dim=1))
        return scores.float()


def normalise_spectrally(network: Critic) -> Critic:
    """Give every layer with a weight matrix the spectral norm 1 (Miyato et al. 2018, eq. 8), in place.

    What layers with equalised learning rate, and the projection, multiply their weights by is dropped, or the norm
    would not be 1. The weights stay of unit variance, so that learning rates keep their meaning.
    """
    network.projection_scale = 1.0
    for module in list(network.modules()):
        if isinstance(module, EqualConv2d | EqualLinear):
            module.scale = 1.0
        if isinstance(module, EqualConv2d | EqualLinear | nn.Conv2d | nn.Linear | nn.Embedding):
            spectral_norm(module)
    return network
