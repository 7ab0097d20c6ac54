"""The eight orientations of the square: no orientation of a cell is special."""

from __future__ import annotations

import torch
from torch import Tensor


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
