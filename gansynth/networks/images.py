"""Pixels as networks see them (float, -1..1), and the eight orientations of the square: none of a cell is special."""

from __future__ import annotations

import torch
from torch import Tensor


def to_float(images: Tensor) -> Tensor:
    """Return uint8 images [n, 3, H, W] as float32 in [-1, 1], channels last."""
    return images.to(memory_format=torch.channels_last).float().div_(127.5).sub_(1)


def to_uint8(images: Tensor) -> Tensor:
    """Return float images in [-1, 1] as uint8, rounded to the nearest level."""
    return images.float().add(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def orient(images: Tensor, k: int) -> Tensor:
    """Return images [..., H, W] in orientation k of the square: 0..3 turned by k x 90 degrees, 4..7 also
    flipped."""
    turned = torch.rot90(images, k % 4, (-2, -1))
    return turned.flip(-1) if k >= 4 else turned


def orient_each(images: Tensor) -> Tensor:
    """Put each of images [n, C, H, H] into an orientation of its own, drawn here: two flips and a transposition give
    all eight."""
    k = torch.randint(0, 8, (len(images), 1, 1, 1), device=images.device)
    images = torch.where((k & 1).bool(), images.flip(3), images)
    images = torch.where((k & 2).bool(), images.flip(2), images)
    return torch.where((k & 4).bool(), images.transpose(2, 3), images)
