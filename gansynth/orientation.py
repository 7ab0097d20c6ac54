"""The eight orientations of the square: no orientation of a cell is special."""

from __future__ import annotations

import torch
from torch import Tensor


def orient(images: Tensor, k: int) -> Tensor:
    """Return images [..., H, W] in orientation k of the square: 0..3 turned by k x 90 degrees, 4..7 also
    flipped."""
    turned = torch.rot90(images, k % 4, (-2, -1))
    return turned.flip(-1) if k >= 4 else turned
