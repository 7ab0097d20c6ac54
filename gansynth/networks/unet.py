"""A compact U-Net that sees an image, how noisy it is, and its class: what a diffusion model learns.

The blocks are those of Dhariwal & Nichol 2021 ("Diffusion models beat GANs on image synthesis", section 3), with fewer
channels: group normalisation whose scale and shift the condition decides, self-attention where the image is small,
and last convolutions that begin at zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gansynth.networks.group_norm import group_norm

FEATURES = 64
"""Sines and cosines that tell noise levels apart."""

ORIENTATIONS = 8

HEAD = 64
"""Channels of one head of attention."""


class UNet(nn.Module):
    """Images, noise levels, classes and orientations to images.

    Parameters
    ----------
    n_classes : int
    channels : sequence of int
        At each resolution, from the highest; each is half as fine as the one before.
    resolution : int
        Edge length in pixels.
    blocks : int
        Residual blocks at each resolution, on the way down and again on the way up.
    attention : sequence of int
        Resolutions in pixels with self-attention after each block.
    dropout : float
        Share of the features that are dropped inside a block while it learns.
    """

    def __init__(
        self,
        n_classes: int,
        channels: Sequence[int],
        resolution: int,
        *,
        blocks: int,
        attention: Sequence[int],
        dropout: float,
    ) -> None:
        super().__init__()
        width = 4 * channels[0]
        self.noise = nn.Sequential(nn.Linear(FEATURES, width), nn.SiLU(), nn.Linear(width, width))
        # The first row stands for no class; those of the classes come last, where a transfer looks for them.
        self.embedding = nn.Embedding(1 + n_classes, width)
        self.orientation = nn.Embedding(ORIENTATIONS, width, padding_idx=0)
        self.first = nn.Conv2d(3, channels[0], 3, padding=1)

        def stage(inputs: int, outputs: int, level: int) -> Stage:
            return Stage(inputs, outputs, width, dropout, attends=resolution // 2**level in attention)

        def stages(inputs: int, outputs: int, level: int) -> nn.ModuleList:
            return nn.ModuleList(stage(inputs, outputs, level) for _ in range(blocks))

        last = len(channels) - 1
        steps = list(pairwise(channels))
        self.down = nn.ModuleList(stages(c, c, level) for level, c in enumerate(channels))
        self.coarser = nn.ModuleList(nn.Conv2d(fine, coarse, 3, stride=2, padding=1) for fine, coarse in steps)
        self.middle = stage(channels[last], channels[last], last)
        self.up = nn.ModuleList(stages(2 * c, c, level) for level, c in enumerate(channels))
        self.finer = nn.ModuleList(nn.Conv2d(coarse, fine, 3, padding=1) for fine, coarse in steps)
        self.norm, self.last = Norm(channels[0]), _zero(nn.Conv2d(channels[0], 3, 3, padding=1))

    def forward(self, images: Tensor, noise: Tensor, classes: Tensor, orientations: Tensor) -> Tensor:
        """Return images [n, 3, R, R] of any range.

        Parameters
        ----------
        images : float tensor [n, 3, R, R]
            Of about unit variance.
        noise : float32 tensor [n]
            Noise levels, on a scale on which they differ by about 1.
        classes : int64 tensor [n]
            0 for none, 1 + c for class c.
        orientations : int64 tensor [n]
            0..7; 0 leaves the condition as it is.
        """
        features = sines(noise).to(self.embedding.weight.dtype)
        condition = F.silu(self.noise(features) + self.embedding(classes) + self.orientation(orientations))
        x, skips = self.first(images), list[Tensor]()
        for level in range(len(self.down)):
            x = self.coarser[level - 1](x) if level else x
            for stage in _list(self.down[level]):
                x = stage(x, condition)
                skips.append(x)
        x = self.middle(x, condition)
        for level in reversed(range(len(self.up))):
            for stage in _list(self.up[level]):
                x = stage(torch.cat([x, skips.pop()], dim=1), condition)
            x = self.finer[level - 1](F.interpolate(x, scale_factor=2.0)) if level else x
        out: Tensor = self.last(F.silu(self.norm(x)))
        return out


def sines(x: Tensor) -> Tensor:
    """Return sines and cosines [n, FEATURES] of numbers [n] of about -2..2, with periods of half a unit to 16."""
    half = FEATURES // 2
    rates = 2 * math.pi * torch.exp2(torch.linspace(-4, 1, half, device=x.device, dtype=torch.float32))
    phases = x.float()[:, None] * rates
    return torch.cat([phases.sin(), phases.cos()], dim=1)


class Norm(nn.Module):
    """Group normalisation with a learned scale and shift, and those of a condition [n, 2 C] where there is one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.groups = math.gcd(channels, 32, max(1, channels // 4))
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        scale, shift = (p.expand(x.shape[0], -1) for p in (self.weight, self.bias))
        if condition is not None:
            more, added = condition.float().chunk(2, dim=1)
            scale, shift = scale * (1 + more), shift * (1 + more) + added
        return group_norm(x, self.groups, scale, shift)


class Block(nn.Module):
    """Two convolutions beside a shortcut; the condition scales and shifts what lies between them."""

    def __init__(self, inputs: int, outputs: int, condition: int, dropout: float) -> None:
        super().__init__()
        # No bias here: the norm that follows shifts each channel, and a bias costs a GPU two passes over the features.
        self.norm1, self.conv1 = Norm(inputs), nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.condition = nn.Linear(condition, 2 * outputs)
        self.norm2, self.conv2 = Norm(outputs), _zero(nn.Conv2d(outputs, outputs, 3, padding=1, bias=False))
        self.dropout = nn.Dropout(dropout)
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Return features [n, outputs, H, W] for features [n, inputs, H, W] and a condition [n, D]."""
        h = self.conv1(F.silu(self.norm1(x)))
        h = F.silu(self.norm2(h, self.condition(condition)))
        out: Tensor = self.shortcut(x) + self.conv2(self.dropout(h))
        return out


class Attention(nn.Module):
    """Self-attention between the places of an image (Vaswani et al. 2017), added to its input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = math.gcd(channels, max(1, channels // HEAD))
        self.norm, self.qkv = Norm(channels), nn.Linear(channels, 3 * channels)
        self.out = _zero(nn.Linear(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the shape of `x` [n, C, H, W]."""
        n, c, height, width = x.shape
        places = self.norm(x).permute(0, 2, 3, 1).reshape(n, height * width, c)
        q, k, v = self.qkv(places).view(n, height * width, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, height * width, c)
        return x + self.out(seen).view(n, height, width, c).permute(0, 3, 1, 2)


class Stage(nn.Module):
    """A block, with attention after it where it `attends`."""

    def __init__(self, inputs: int, outputs: int, condition: int, dropout: float, *, attends: bool) -> None:
        super().__init__()
        self.block = Block(inputs, outputs, condition, dropout)
        self.attention = Attention(outputs) if attends else nn.Identity()

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        out: Tensor = self.attention(self.block(x, condition))
        return out


def _list(modules: nn.Module) -> nn.ModuleList:
    assert isinstance(modules, nn.ModuleList)
    return modules


def _zero(layer: nn.Conv2d | nn.Linear) -> nn.Conv2d | nn.Linear:
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
