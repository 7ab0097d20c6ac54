"""Pixels as networks see them (float, -1..1), their size, and the eight orientations of the square, of which a cell has
no special one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def to_float(images: Tensor) -> Tensor:
    """Return uint8 images [n, 3, H, W] as float32 in [-1, 1], channels last."""
    return images.to(memory_format=torch.channels_last).float().div_(127.5).sub_(1)


def to_uint8(images: Tensor) -> Tensor:
    """Return float images in [-1, 1] as uint8, rounded to the nearest level."""
    return images.float().add(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def resized(x: Tensor, edge: int) -> Tensor:
    """Return images [n, 3, H, W] at `edge` x `edge` px, antialiased; as they are where they have that size."""
    if x.shape[-2:] == (edge, edge):
        return x
    return F.interpolate(x, size=(edge, edge), mode="bilinear", align_corners=False, antialias=True)


def orient(images: Tensor, k: int) -> Tensor:
    """Return images [..., H, W] in orientation k of the square: 0..3 turned by k x 90 degrees, 4..7 also
    flipped."""
    turned = torch.rot90(images, k % 4, (-2, -1))
    return turned.flip(-1) if k >= 4 else turned


def orient_each(images: Tensor) -> Tensor:
    """Put each of images [n, C, H, H] into an orientation of its own, drawn here."""
    return orient_by(images, torch.randint(0, 8, (len(images),), device=images.device))


def orient_by(images: Tensor, k: Tensor) -> Tensor:
    """Put images [n, C, H, H] into the orientations k, int64 [n] of 0..7, and 0 leaves one as it is: two flips and a
    transposition give all eight, in another order than that of `orient`."""
    k = k[:, None, None, None]
    images = torch.where((k & 1).bool(), images.flip(3), images)
    images = torch.where((k & 2).bool(), images.flip(2), images)
    return torch.where((k & 4).bool(), images.transpose(2, 3), images)
