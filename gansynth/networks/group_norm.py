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
    """Return the same, with mean and inverse deviation of the groups [n, groups, 1], in 32 bits at least."""
    wide = torch.promote_types(x.dtype, torch.float32)
    places = x.shape[2] * x.shape[3]
    mean = _of_groups(x.mean((2, 3), dtype=wide), groups)
    square = _of_groups(torch.linalg.vector_norm(x, dim=(2, 3), dtype=wide).square(), groups) / places
    variance = torch.addcmul(square, mean, mean, value=-1).clamp(min=0)
    inverse = (variance + EPSILON).rsqrt()
    slope = inverse * _by_group(scale, groups)
    return _line(x, slope, torch.addcmul(_by_group(shift, groups), mean, slope, value=-1)), mean, inverse


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
        gradient, groups, places = gradient.to(x.dtype), ctx.groups, x.shape[2] * x.shape[3]
        total = gradient.sum((2, 3), dtype=mean.dtype)
        products = (gradient * x).sum((2, 3), dtype=mean.dtype)
        along = inverse * torch.addcmul(_by_group(products, groups), mean, _by_group(total, groups), value=-1)
        slope = inverse * _by_group(scale, groups)
        # What each group's mean and deviation take back.
        by_mean = _of_groups(scale * total, groups) * inverse / -places
        back = _of_groups(scale * along.view_as(scale), groups) * inverse.square() / -places
        rest = _line(x, back.expand_as(slope), torch.addcmul(by_mean, mean, back, value=-1).expand_as(slope))
        by_x = torch.addcmul(rest, gradient, _over_places(slope, x))
        return by_x, None, along.view_as(scale).to(scale.dtype), total.to(ctx.kind)


def _by_group(values: Tensor, groups: int) -> Tensor:
    """Return values of channels [n, C] as [n, groups, C / groups]."""
    return values.reshape(values.shape[0], groups, -1)


def _of_groups(values: Tensor, groups: int) -> Tensor:
    """Return the mean of each group [n, groups, 1] for values of channels [n, C]."""
    return _by_group(values, groups).mean(dim=2, keepdim=True)


def _line(x: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
    """Return offset + slope * x, each [n, groups, C / groups], in the type of `x`."""
    return torch.addcmul(_over_places(offset, x), x, _over_places(slope, x))


def _over_places(values: Tensor, x: Tensor) -> Tensor:
    return values.to(x.dtype).reshape(*x.shape[:2], 1, 1)
