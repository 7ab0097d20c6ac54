"""Batch normalisation of a batch whose first images are real and whose last are synthetic."""

from __future__ import annotations

import copy
from typing import Any, Literal

import torch
from torch import Tensor, nn


class SplitBatchNorm2d(nn.Module):
    """A `BatchNorm2d` that does not learn its statistics from synthetic images.

    Parameters
    ----------
    norm : nn.BatchNorm2d
        Of the real images; it is what remains after the training (`joined`).
    statistics : {"real", "own"}
        Whether synthetic images are normalised by the statistics of the real ones in their batch, which they do not
        change; or by a second normalisation with statistics, gain and shift of its own.

    Attributes
    ----------
    real : int or None
        How many images of the next batch, from the first, are real; None: all.

    References
    ----------
    Xie et al. 2020, "Adversarial examples improve image recognition", CVPR, section 4.2 (auxiliary batch norms).
    """

    def __init__(self, norm: nn.BatchNorm2d, statistics: Literal["real", "own"]) -> None:
        super().__init__()
        self.norm = norm
        self.auxiliary = copy.deepcopy(norm) if statistics == "own" else None
        self.real: int | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised maps [n, c, h, w]."""
        if not self.training or self.real is None or self.real >= len(x):
            of_all: Tensor = self.norm(x)
            return of_all
        if self.auxiliary is None:
            y = _normalised_by_the_first(x, self.real, self.norm)
            for after in ("drop", "act"):  # timm's normalisations have their activation in them
                y = getattr(self.norm, after, nn.Identity())(y)
            return y
        real, synthetic = x.split([self.real, len(x) - self.real])
        return torch.cat([self.norm(real), self.auxiliary(synthetic)])


def _normalised_by_the_first(x: Tensor, n: int, norm: nn.BatchNorm2d) -> Tensor:
    """Return maps [b, c, h, w] normalised by the statistics of the first n of them, which `norm` learns."""
    assert norm.num_batches_tracked is not None
    norm.num_batches_tracked.add_(1)
    statistics = norm.running_mean, norm.running_var
    normalised: Tensor = _ByTheFirst.apply(x, norm.weight, norm.bias, n, statistics, norm.momentum, norm.eps)
    return normalised


class _ByTheFirst(torch.autograd.Function):
    """y = gain (x - mean) + bias, gain = weight / sqrt(variance + eps), with mean and variance of the first n images.

    The gradient passes through mean and variance, also that of the other images. Were they taken for constants, as at
    prediction, the loss of synthetic images would pull the layer before along its scale and its shift, which the next
    batch's statistics undo: weights grow and nothing is learned. Written by hand, since torch differentiates the same
    lines in twice the time.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        n: int,
        statistics: tuple[Tensor, Tensor],
        momentum: float,
        eps: float,
    ) -> Tensor:
        first, mean, inverse = torch.native_batch_norm(x[:n], weight, bias, *statistics, True, momentum, eps)
        gain = weight * inverse
        ctx.save_for_backward(x, mean, inverse, gain, weight)
        ctx.n, ctx.eps = n, eps
        others = torch.addcmul(_channels(bias - mean * gain, x), x[n:], _channels(gain, x))
        return torch.cat([first, others])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,), (x, mean, inverse, gain, weight) = grads, ctx.saved_tensors
        # Sums over all images of grad, and of grad times normalised x: what the kernel gives for any mean and variance.
        _, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            grad, x, weight, None, None, mean, inverse, True, ctx.eps, [False, True, True]
        )
        # What reaches the first images through their variance (slope times x - mean) and through their mean (level).
        count = ctx.n * x.shape[2] * x.shape[3]
        slope = -gain * inverse * of_weight / count
        near = mean.to(x.dtype)  # x - mean is small beside x: the mean's own rounding is added afterwards
        level = -gain * of_bias / count - slope * (mean - near)
        of_x = grad * _channels(gain, x)
        of_x[: ctx.n] += torch.addcmul(_channels(level, x), x[: ctx.n] - _channels(near, x), _channels(slope, x))
        return of_x, of_weight, of_bias, None, None, None, None


def _channels(values: Tensor, like: Tensor) -> Tensor:
    return values.to(like.dtype)[:, None, None]


def split(network: nn.Module, statistics: Literal["real", "own"]) -> nn.Module:
    """Put a `SplitBatchNorm2d` in the place of each batch normalisation; return the network."""
    for name, child in list(network.named_children()):
        if isinstance(child, nn.BatchNorm2d):
            setattr(network, name, SplitBatchNorm2d(child, statistics))
        else:
            split(child, statistics)
    return network


def joined(network: nn.Module) -> nn.Module:
    """Put the normalisations of the real images back where `split` took them; return the network."""
    for name, child in list(network.named_children()):
        if isinstance(child, SplitBatchNorm2d):
            setattr(network, name, child.norm)
        else:
            joined(child)
    return network


def say_how_many_are_real(network: nn.Module, real: int | None) -> None:
    """Say it to every `SplitBatchNorm2d` of a network, for its next batch."""
    for module in network.modules():
        if isinstance(module, SplitBatchNorm2d):
            module.real = real
