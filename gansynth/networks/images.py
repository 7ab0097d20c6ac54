"""Between stored pixels (uint8, 0..255) and what networks see (float, -1..1)."""

from __future__ import annotations

import torch
from torch import Tensor


def to_float(images: Tensor) -> Tensor:
    """Return uint8 images [n, 3, H, W] as float32 in [-1, 1], channels last."""
    return images.to(memory_format=torch.channels_last).float().div_(127.5).sub_(1)


def to_uint8(images: Tensor) -> Tensor:
    """Return float images in [-1, 1] as uint8, rounded to the nearest level."""
    return images.float().add(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
