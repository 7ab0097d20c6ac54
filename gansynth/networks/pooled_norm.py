"""Batch normalisation, LeakyReLU and 2 x 2 max pooling in one pass less: the maxima are taken first.

Normalising with a positive weight and a LeakyReLU keep the order of numbers, so the maximum may be taken before them,
and they pass over a quarter of the numbers. The statistics are still those of all of them. On the CPU, where these
layers wait for memory, forward and backward take about half the time; the values are the same.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def convolved_normed_pooled(x: Tensor, convolution: nn.Conv2d, norm: nn.BatchNorm2d, negative_slope: float) -> Tensor:
    """Return max_pool(leaky_relu(norm(convolution(x)))), [n, c, H / 2, W / 2].

    A channel whose weight in `norm` is negative is turned round, with its filter.
    """
    sign = torch.where(norm.weight.detach() < 0, -1.0, 1.0)
    weight = convolution.weight * sign.view(-1, 1, 1, 1)
    y = F.conv2d(x, weight, None, convolution.stride, convolution.padding)
    gain = norm.weight * sign
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None and variance is not None and norm.momentum is not None
    if not norm.training:
        scale = gain * (variance + norm.eps).rsqrt()
        pooled = F.max_pool2d(y, 2)
        shift = norm.bias - sign * mean * scale
        return F.leaky_relu(pooled * scale.view(-1, 1, 1) + shift.view(-1, 1, 1), negative_slope, inplace=True)
    if norm.num_batches_tracked is not None:
        norm.num_batches_tracked.add_(1)
    turned = mean * sign
    out: Tensor = _NormedPooled.apply(y, gain, norm.bias, turned, variance, norm.momentum, norm.eps, negative_slope)
    mean.copy_(turned * sign)
    return out


class _NormedPooled(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        y: Tensor,
        gain: Tensor,
        bias: Tensor,
        running_mean: Tensor,
        running_var: Tensor,
        momentum: float,
        eps: float,
        negative_slope: float,
    ) -> Tensor:
        # Not in torch's stubs.
        mean, variance = torch.batch_norm_update_stats(y, running_mean, running_var, momentum)  # type: ignore[attr-defined]
        spread = (variance + eps).rsqrt()
        largest, index = F.max_pool2d(y, 2, return_indices=True)
        normed = (largest - mean.view(-1, 1, 1)).mul_(spread.view(-1, 1, 1))
        z = normed * gain.view(-1, 1, 1) + bias.view(-1, 1, 1)
        ctx.save_for_backward(y, index, normed, z > 0, gain, mean, spread)
        ctx.negative_slope = negative_slope
        return F.leaky_relu_(z, negative_slope)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        y, index, normed, positive, gain, mean, spread = ctx.saved_tensors
        (gradient,) = gradients
        g = torch.where(positive, gradient, gradient * ctx.negative_slope)
        of_bias = g.sum(dim=(0, 2, 3))
        of_gain = (g * normed).sum(dim=(0, 2, 3))
        n = y.numel() // y.shape[1]
        a = gain * spread
        g *= a.view(-1, 1, 1)
        # The normalisation's own gradient (Ioffe and Szegedy 2015, section 3): what each number adds to mean and
        # variance is the same line in y for a whole channel.
        slope = -a * spread * of_gain / n
        level = -a * of_bias / n - slope * mean
        of_y = torch.ops.aten.max_pool2d_with_indices_backward(g, y, [2, 2], [2, 2], [0, 0], [1, 1], False, index)
        of_y.addcmul_(y, slope.view(-1, 1, 1)).add_(level.view(-1, 1, 1))
        return of_y, of_gain, of_bias, None, None, None, None, None
