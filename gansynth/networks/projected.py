"""A critic that looks with the eyes of a network pretrained on photographs (Sauer et al. 2021, "Projected GANs
converge faster").

A small critic trained on cells watches shapes; the pretrained one watches texture: granules, chromatin. Its frozen
stages are mixed across channels and across scales by random convolutions that nobody trains (ibid., section 3.2), so
that no head finds all it needs in one place, and four small heads judge the four mixtures.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from gansynth.networks.compact import SLOPE, MinibatchDeviation
from gansynth.networks.efficientnet_lite import LiteStages

TAPS = (1, 2, 4, 6)
"""The stages that are judged: maps 4, 8, 16 and 32 times smaller than the image."""

MIXED = (64, 128, 256, 512)
"""Channels of their mixtures."""

FEATURES = 128
"""Channels that a head's last layer sees."""


class RandomMixture(nn.Module):
    """The stages of a pretrained EfficientNet-Lite0, mixed by fixed random convolutions. Nothing in it learns.

    Parameters
    ----------
    edge : int
        Images are scaled to this edge length, a multiple of 32: the network was trained on larger ones than cells are.
    """

    def __init__(self, edge: int) -> None:
        super().__init__()
        self.edge, self.stages = edge, LiteStages(0)
        random = torch.Generator().manual_seed(0)  # always the same mixture, so that no run has to store it
        taps = [self.stages.channels[k] for k in TAPS]
        self.across_channels = nn.ModuleList(_random_conv(i, o, 1, random) for i, o in zip(taps, MIXED, strict=True))
        self.across_scales = nn.ModuleList(_random_conv(o, i, 3, random) for i, o in pairwise(MIXED))
        self.requires_grad_(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return four maps, the finest first, for images [n, 3, R, R] in [-1, 1]."""
        if images.shape[-1] != self.edge:
            images = F.interpolate(images, (self.edge, self.edge), mode="bilinear", align_corners=False)
        stages = self.stages(images)
        maps = [mix(stages[k]) for mix, k in zip(self.across_channels, TAPS, strict=True)]
        for k in reversed(range(len(self.across_scales))):
            coarser = self.across_scales[k](maps[k + 1])
            finer = F.interpolate(coarser, maps[k].shape[-2:], mode="bilinear", align_corners=False)
            maps[k] = (maps[k] + finer) * math.sqrt(0.5)
        return maps


class ProjectedHead(nn.Module):
    """One mixture to a score for each place of a 4 x 4 map, higher for what is real and of the class it is given as.

    Parameters
    ----------
    n_classes, inputs, edge : int
        Classes; channels and edge length of the mixture.
    group : int
        Images whose spread the head sees (`MinibatchDeviation`).
    """

    def __init__(self, n_classes: int, inputs: int, edge: int, group: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        while edge > 4:
            outputs = max(FEATURES, inputs)
            layers += [
                spectral_norm(nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False)),
                nn.LeakyReLU(SLOPE, inplace=True),
            ]
            inputs, edge = outputs, edge // 2
        self.down = nn.Sequential(*layers)
        self.deviation = MinibatchDeviation(group)
        self.convolution = spectral_norm(nn.Conv2d(inputs + 1, FEATURES, 3, padding=1))
        self.score = spectral_norm(nn.Conv2d(FEATURES, 1, 1))
        self.projection = nn.Embedding(n_classes, FEATURES)
        nn.init.normal_(self.projection.weight, std=0.02)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Return scores [n, 16]; the label enters as an inner product (Miyato & Koyama 2018, eq. 3)."""
        h = F.leaky_relu(self.convolution(self.deviation(self.down(x))), SLOPE)
        of_class = self.projection(labels)[:, :, None, None].to(h.dtype)
        score = self.score(h) + (h * of_class).sum(dim=1, keepdim=True) / math.sqrt(FEATURES)
        return score.flatten(1).float()


class ProjectedCritic(nn.Module):
    """Four heads on a frozen, randomly mixed, pretrained network. Only the heads are its parameters.

    Parameters
    ----------
    n_classes : int
    edge : int
        Edge length that the pretrained network sees, a multiple of 32.
    group : int
        Consecutive images of a batch whose spread the heads see.
    """

    def __init__(self, n_classes: int, edge: int = 128, group: int = 4) -> None:
        super().__init__()
        self._frozen = (RandomMixture(edge),)  # in a tuple: not trained, not saved, never in training mode
        self.heads = nn.ModuleList(
            ProjectedHead(n_classes, channels, edge // 4 // 2**k, group) for k, channels in enumerate(MIXED)
        )

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return scores [n, 64] for images [n, 3, R, R] in [-1, 1] and int64 labels [n]: 16 places of four heads."""
        maps = self._frozen[0](images)
        return torch.cat([head(x, labels) for head, x in zip(self.heads, maps, strict=True)], dim=1)

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> ProjectedCritic:
        """Move, or convert, the frozen network as well."""
        self._frozen[0]._apply(fn, recurse)
        return super()._apply(fn, recurse)


def _random_conv(inputs: int, outputs: int, kernel: int, random: torch.Generator) -> nn.Conv2d:
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="linear", generator=random)
    return conv
