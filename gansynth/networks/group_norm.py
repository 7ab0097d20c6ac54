"""Group normalisation that leaves images where convolutions want them on a GPU: channels last, in 16 bits.

torch's own on CUDA brings every input into another order first, and under autocast into 32 bits; a U-Net's time then
goes into copies.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

EPSILON = 1e-5


def group_norm(x: Tensor, groups: int, scale: Tensor, shift: Tensor) -> Tensor:
    """Return normalised features (Wu & He 2018), scaled and shifted, in the type and memory order of `x`.

    Parameters
    ----------
    x : float tensor [n, C, H, W]
    groups : int
        A divisor of C. The features of a group, at all places, get mean 0 and variance 1.
    scale, shift : float tensors [n, C]
        Of each image's own.
    """
    if torch.is_grad_enabled():
        y: Tensor = GroupNorm.apply(x, groups, scale, shift)
        return y
    return normalised(x, groups, scale, shift)[0]


def normalised(x: Tensor, groups: int, scale: Tensor, shift: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the same, with the mean and the inverse deviation of each channel's group [n, C], in 32 bits at least."""
    places, wide = x.shape[2] * x.shape[3], torch.promote_types(x.dtype, torch.float32)
    mean = x.mean((2, 3), dtype=wide)
    square = torch.linalg.vector_norm(x, dim=(2, 3), dtype=wide).square() / places
    mean, square = _of_groups(mean, groups), _of_groups(square, groups)
    inverse = (square - mean.square()).clamp(min=0).add(EPSILON).rsqrt()
    slope = inverse * scale
    return _line(x, slope, shift - mean * slope), mean, inverse


class GroupNorm(torch.autograd.Function):
    """`normalised`, whose gradient takes two passes over the features and no copy of them in 32 bits."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, groups: int, scale: Tensor, shift: Tensor) -> Tensor:
        y, mean, inverse = normalised(x, groups, scale, shift)
        ctx.save_for_backward(x, scale, mean, inverse)
        ctx.groups, ctx.kind = groups, shift.dtype
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, Tensor, Tensor]:
        x, scale, mean, inverse = ctx.saved_tensors
        gradient = gradient.to(x.dtype)
        total = gradient.sum((2, 3), dtype=mean.dtype)
        along = inverse * ((gradient * x).sum((2, 3), dtype=mean.dtype) - mean * total)
        # What each group's mean and deviation take back of the gradient (d means derivative of the loss by ...).
        places = x.shape[2] * x.shape[3]
        by_mean = _of_groups(scale * total, ctx.groups) / places
        by_deviation = _of_groups(scale * along, ctx.groups) / places
        slope = -inverse.square() * by_deviation
        rest = _line(x, slope, -inverse * by_mean - mean * slope)
        by_x = torch.addcmul(rest, gradient, (inverse * scale)[:, :, None, None].to(x.dtype))
        return by_x, None, along.to(scale.dtype), total.to(ctx.kind)


def _of_groups(values: Tensor, groups: int) -> Tensor:
    """Return for each channel [n, C] the mean of its group."""
    n, c = values.shape
    means = values.view(n, groups, c // groups).mean(dim=2, keepdim=True)
    return means.expand(n, groups, c // groups).reshape(n, c)


def _line(x: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
    """Return offset + slope * x, each [n, C], in the type of `x`."""
    return torch.addcmul(offset[:, :, None, None].to(x.dtype), x, slope[:, :, None, None].to(x.dtype))
