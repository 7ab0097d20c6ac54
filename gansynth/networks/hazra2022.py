"""The three networks of hazra2022, tables 3, 4 and 5, at 128 x 128 pixels.

What the tables leave open, and how it is read here:

* "Residual Block (k)" is k blocks of two convolutions each, with pre-activation (He et al. 2016):
  LeakyReLU before every convolution, identity shortcut. No normalisation is named, and none is used:
  the penalty of WGAN-GP is per image, so batch normalisation has no place in the critic.
* Table 3 ends in "64 x 128 x 128". An image has three channels, so the last deconvolution gives
  3 x 128 x 128, followed by tanh.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.2
"""Negative slope of every LeakyReLU (hazra2022 names the activation, not its slope)."""


class PreActivationBlock(nn.Module):
    """Two convolutions, each after a LeakyReLU, and the identity: ``x + conv(act(conv(act(x))))``."""

    def __init__(self, channels: int, kernel: int = 3) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, kernel, padding=kernel // 2)
        self.second = nn.Conv2d(channels, channels, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(F.leaky_relu(x, SLOPE))
        # In place: no backward pass needs a convolution's output, and fresh memory costs as much as arithmetic.
        return self.second(F.leaky_relu(h, SLOPE, inplace=True)).add_(x)


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(PreActivationBlock(channels) for _ in range(count)))


class Generator(nn.Module):
    """Latent and one-hot label to an image (hazra2022, table 3).

    Parameters
    ----------
    n_classes : int
        Length of the one-hot label (12 in the paper).
    latent : int
        Length of z (500 in the paper).
    width : int
        Channels of every layer (64 in the paper).
    resolution : int
        Edge length of the image in pixels, a multiple of 4 (128 in the paper).
    """

    def __init__(self, n_classes: int, latent: int = 500, width: int = 64, resolution: int = 128) -> None:
        super().__init__()
        self.n_classes, self.width, self.base = n_classes, width, resolution // 4
        self.fully_connected = nn.Linear(latent + n_classes, width * self.base**2)
        self.blocks1 = _blocks(width, 2)
        self.deconvolution1 = nn.ConvTranspose2d(width, width, 5, stride=2, padding=2, output_padding=1)
        self.blocks2 = _blocks(width, 4)
        self.deconvolution2 = nn.ConvTranspose2d(width, width, 5, stride=2, padding=2, output_padding=1)
        self.blocks3 = _blocks(width, 2)
        self.deconvolution3 = nn.ConvTranspose2d(width, 3, 5, stride=1, padding=2)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return images in [-1, 1], shape [n, 3, R, R], for z [n, latent] and int64 labels [n]."""
        one_hot = F.one_hot(labels, self.n_classes).to(z.dtype)
        h = self.fully_connected(torch.cat([z, one_hot], dim=1))
        h = h.view(-1, self.width, self.base, self.base)
        h = self.blocks1(h)
        h = self.deconvolution1(F.leaky_relu(h, SLOPE, inplace=True))
        h = self.blocks2(h)
        h = self.deconvolution2(F.leaky_relu(h, SLOPE, inplace=True))
        h = self.blocks3(h)
        return torch.tanh(self.deconvolution3(F.leaky_relu(h, SLOPE, inplace=True)).float())


class _Trunk(nn.Module):
    """The stack that tables 4 and 5 share, up to the first fully connected layer."""

    def __init__(self, width: int, resolution: int, inputs: int = 3) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, width, 5, stride=2, padding=2)
        self.blocks1 = _blocks(width, 2)
        self.blocks2 = _blocks(width, 4)
        self.blocks3 = _blocks(width, 4)
        self.fully_connected = nn.Linear(width * (resolution // 16) ** 2, 128)

    def forward(self, x: Tensor) -> Tensor:
        h = self.convolution(x)
        for blocks in (self.blocks1, self.blocks2, self.blocks3):
            h = F.avg_pool2d(blocks(h), 2)
        return F.leaky_relu(self.fully_connected(F.leaky_relu(h, SLOPE).flatten(1)), SLOPE)


class Critic(nn.Module):
    """An image to one unbounded score (hazra2022, table 4): high for real, low for generated.

    With `n_classes`, which the table does not have, the score also says how well the image fits its label, by
    projection (Miyato & Koyama 2018, "cGANs with projection discriminator", eq. 3); other methods need it.

    Attributes
    ----------
    n_features : int
        Length of what `features` gives.
    """

    def __init__(
        self, width: int = 64, resolution: int = 128, *, n_classes: int | None = None, inputs: int = 3
    ) -> None:
        super().__init__()
        self.n_features = 128
        self.trunk = _Trunk(width, resolution, inputs)
        self.score = nn.Linear(self.n_features, 1)
        self.projection = nn.Embedding(n_classes, self.n_features) if n_classes else None
        self.projection_scale = 1 / math.sqrt(self.n_features)

    def features(self, images: Tensor) -> Tensor:
        """Return what the score is a function of, [n, 128], for images [n, 3, R, R] in [-1, 1]."""
        h: Tensor = self.trunk(images)
        return h

    def judge(self, features: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return scores [n] for features [n, 128] and, for a critic with projection, labels [n]."""
        score: Tensor = self.score(features).squeeze(1)
        if self.projection is not None and labels is not None:
            fit = (self.projection(labels) * features.float()).sum(dim=1)
            score = score.float() + self.projection_scale * fit
        return score

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return scores [n] for images [n, 3, R, R] in [-1, 1] and, for a critic with projection, labels [n]."""
        return self.judge(self.features(images), labels)


class Classifier(nn.Module):
    """An image to one logit per class (hazra2022, table 5). Logits, not probabilities: the loss adds the softmax."""

    def __init__(self, n_classes: int, width: int = 64, resolution: int = 128) -> None:
        super().__init__()
        self.trunk = _Trunk(width, resolution)
        self.logits = nn.Linear(128, n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [n, n_classes] for images [n, 3, R, R] in [-1, 1]."""
        return self.logits(self.trunk(images))
