"""The networks of DCGAN (Radford et al. 2016, section 3): strided and fractionally-strided convolutions, batch
normalisation, ReLU in the generator, LeakyReLU in the discriminator.

Kernels are 4 x 4 where the paper draws 5 x 5: divided evenly by the stride they leave less of a checkerboard. The
channels are the recipe's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.2


class Generator(nn.Module):
    """Latent to image; it does not know classes.

    Parameters
    ----------
    latent : int
    channels : sequence of int
        Channels at 4, 8, 16, ... pixels; the last is the resolution of the image itself, which has three channels
        here, and is not used.
    """

    def __init__(self, latent: int, channels: Sequence[int]) -> None:
        super().__init__()
        inner = channels[:-1]
        self.project = nn.ConvTranspose2d(latent, inner[0], 4, bias=False)
        self.project_norm = nn.BatchNorm2d(inner[0])
        self.deconvolutions = nn.ModuleList(
            nn.ConvTranspose2d(i, o, 4, stride=2, padding=1, bias=False) for i, o in pairwise(inner)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(o) for o in inner[1:])
        self.to_rgb = nn.ConvTranspose2d(inner[-1], 3, 4, stride=2, padding=1)
        self.apply(_initialise)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return images in [-1, 1], shape [n, 3, R, R], for z [n, latent]; labels are not looked at."""
        h = F.relu(self.project_norm(self.project(z[:, :, None, None])), inplace=True)
        for deconvolution, norm in zip(self.deconvolutions, self.norms, strict=True):
            h = F.relu(norm(deconvolution(h)), inplace=True)
        return torch.tanh(self.to_rgb(h).float())


class Discriminator(nn.Module):
    """An image to one logit. Real and generated images go through it in batches of their own (ibid., section 3).

    Parameters
    ----------
    resolution : int
    channels : sequence of int
        After each halving, down to 4 x 4.
    """

    def __init__(self, resolution: int, channels: Sequence[int]) -> None:
        super().__init__()
        if resolution != 4 * 2 ** len(channels):
            raise ValueError(f"{len(channels)} channel numbers take {4 * 2 ** len(channels)} px, not {resolution}")
        self.from_rgb = nn.Conv2d(3, channels[0], 4, stride=2, padding=1)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(i, o, 4, stride=2, padding=1, bias=False) for i, o in pairwise(channels)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(o) for o in channels[1:])
        self.score = nn.Conv2d(channels[-1], 1, 4)
        self.apply(_initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [n] for images [n, 3, R, R] in [-1, 1]."""
        h = F.leaky_relu(self.from_rgb(images), SLOPE, inplace=True)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            h = F.leaky_relu(norm(convolution(h)), SLOPE, inplace=True)
        return self.score(h).flatten().float()


def _initialise(module: nn.Module) -> None:
    """Weights are normal with standard deviation 0.02 (ibid., section 4)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
