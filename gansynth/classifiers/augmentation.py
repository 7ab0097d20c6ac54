"""Ordinary augmentation: flips, turns and a slight jitter of colour, in two operations on the whole batch."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

TURN = 15.0
"""Degrees by which an image is turned at most, besides quarter turns."""

GAIN = 0.1
"""Share by which brightness, contrast, saturation and each colour change at most."""

_GREY = (0.299, 0.587, 0.114)


def ordinary_augmentation(images: Tensor) -> Tensor:
    """Flip, turn and recolour each image by itself, drawing from the default generators.

    One sampling of the grid does flip, quarter turn and small turn (borders are mirrored); one affine map of the
    colours does brightness, contrast, saturation and the balance of red, green and blue.

    Parameters
    ----------
    images : Tensor, shape [n, 3, H, H]
        In [-1, 1].

    Returns
    -------
    Tensor, shape [n, 3, H, H]
    """
    n, device = len(images), images.device
    angle = (torch.randint(0, 4, (n,)) * 90 + TURN * (2 * torch.rand(n) - 1)) * (math.pi / 180)
    mirror = 1 - 2.0 * torch.randint(0, 2, (n,))
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros(n)
    theta = torch.stack([cos * mirror, -sin, zero, sin * mirror, cos, zero], 1).view(n, 2, 3).to(device)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    turned = F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return recoloured(turned)


def recoloured(images: Tensor) -> Tensor:
    """Change brightness, contrast, saturation and the balance of the colours a little, image by image."""
    n = len(images)
    drawn = GAIN * (2 * torch.rand(n, 6) - 1)
    saturation, contrast = 1 + drawn[:, 0:1, None], 1 + drawn[:, 1:2, None]
    grey = torch.tensor(_GREY).expand(3, 3)
    mix = (saturation * torch.eye(3) + (1 - saturation) * grey) * contrast * (1 + drawn[:, 2:5, None] / 2)
    shift = drawn[:, 5].view(n, 1, 1)
    pixels = images.permute(0, 2, 3, 1).reshape(n, -1, 3)  # a view where channels come last
    mixed = torch.baddbmm(shift.to(images.device), pixels, mix.transpose(1, 2).to(images.device))
    return mixed.view(n, *images.shape[2:], 3).permute(0, 3, 1, 2)
