"""How images are altered when a network is shown them: flips, turns and colour, or the eight orientations alone."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from gansynth.networks.images import orient

TURN = 15.0
"""Degrees by which an image is turned at most, besides quarter turns."""

JITTER = 0.1
"""Share by which contrast changes at most, and brightness in units of half the range; each colour by half of it."""

SATURATION = 0.3
"""Share by which a pixel's distance from its grey value changes at most, in `free_augmentation`."""


def ordinary_augmentation(images: Tensor) -> Tensor:
    """Flip, turn and recolour each image by itself, drawing from the default generators.

    One sampling on a grid does flip, quarter turn and small turn (the border is mirrored beyond itself); one linear
    map does brightness, contrast and the balance of red, green and blue.

    Parameters
    ----------
    images : Tensor, shape [n, 3, H, H]
        In [-1, 1].

    Returns
    -------
    Tensor, shape [n, 3, H, H]
    """
    n = len(images)
    angle = (90 * torch.randint(0, 4, (n,)) + TURN * (2 * torch.rand(n) - 1)) * (math.pi / 180)
    mirror = 1.0 - 2.0 * torch.randint(0, 2, (n,))
    drawn = JITTER * (2 * torch.rand(n, 5) - 1)
    gain = (1 + drawn[:, :1]) * (1 + drawn[:, 1:4] / 2)
    device = images.device
    turned = flipped_and_turned(images, angle.to(device), mirror.to(device))
    shift, gain = drawn[:, 4].view(n, 1, 1, 1).to(device), gain.view(n, 3, 1, 1).to(device)
    return torch.addcmul(shift, turned, gain).contiguous(memory_format=torch.channels_last)


def free_augmentation(images: Tensor) -> Tensor:
    """Flip each image by itself, turn it by any angle, and change brightness, contrast and saturation (guo2022, figure
    5).

    Saturation moves each pixel away from its grey value or towards it; stain tells cells apart, so hue stays.

    Parameters
    ----------
    images : Tensor, shape [n, 3, H, H]
        In [-1, 1].

    Returns
    -------
    Tensor, shape [n, 3, H, H]
    """
    n, device = len(images), images.device
    angle = 2 * math.pi * torch.rand(n)
    mirror = 1.0 - 2.0 * torch.randint(0, 2, (n,))
    drawn = (2 * torch.rand(n, 3) - 1).to(device)
    turned = flipped_and_turned(images, angle.to(device), mirror.to(device))
    shift, gain, saturation = (drawn[:, k].view(n, 1, 1, 1) for k in range(3))
    grey = turned.mean(dim=1, keepdim=True)
    coloured = torch.lerp(grey, turned, 1 + SATURATION * saturation)
    altered = JITTER * shift + (1 + JITTER * gain) * coloured
    return altered.contiguous(memory_format=torch.channels_last)


def random_orientations(images: Tensor) -> Tensor:
    """Put each image into one of the eight orientations of the square, drawn by itself; no pixel is interpolated.

    Parameters
    ----------
    images : Tensor, shape [n, 3, H, H]

    Returns
    -------
    Tensor, shape [n, 3, H, H]
    """
    drawn = torch.randint(0, 8, (len(images),)).to(images.device)
    found = images.clone()
    for k in range(1, 8):
        mine = drawn == k
        found[mine] = orient(images[mine], k)
    return found.contiguous(memory_format=torch.channels_last)


def flipped_and_turned(images: Tensor, angle: Tensor, mirror: Tensor) -> Tensor:
    """Flip and turn each image by itself; beyond its border it is mirrored.

    Parameters
    ----------
    images : Tensor, shape [n, 3, H, H]
    angle : Tensor, shape [n]
        Radians.
    mirror : Tensor, shape [n]
        -1 flips left to right before the turn, 1 does not.

    Returns
    -------
    Tensor, shape [n, 3, H, H]
    """
    grid = _grid(angle, mirror, images.shape[-1])
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _grid(angle: Tensor, mirror: Tensor, edge: int) -> Tensor:
    """Return where each pixel is taken from, [n, edge, edge, 2], as `F.grid_sample` reads it."""
    at = (torch.arange(edge, device=angle.device) * 2 + 1) / edge - 1
    along = torch.stack([angle.cos(), angle.sin()], 1) * mirror[:, None]
    down = torch.stack([-angle.sin(), angle.cos()], 1)
    rows = at.view(1, edge, 1, 1) * down.view(-1, 1, 1, 2)
    return torch.addcmul(rows, at.view(1, 1, edge, 1), along.view(-1, 1, 1, 2))


ALTERATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "free": free_augmentation,
    "ordinary": ordinary_augmentation,
    "orientations": random_orientations,
}
"""By the name that a recipe gives them: images [n, 3, H, H] in [-1, 1] to altered ones."""
