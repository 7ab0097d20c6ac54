"""Batch normalisation of a batch whose first images are real and whose last are synthetic."""

from __future__ import annotations

import copy
from typing import Literal

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
        real, synthetic = x.split([self.real, len(x) - self.real])
        others = self._by_the_real(real, synthetic) if self.auxiliary is None else self.auxiliary(synthetic)
        return torch.cat([self.norm(real), others])

    def _by_the_real(self, real: Tensor, synthetic: Tensor) -> Tensor:
        """Return synthetic maps normalised by the statistics of the real ones, through which the gradient passes.

        Taken for constants, as at prediction, they would let the loss of synthetic images pull the layer before along
        its scale and its shift, which the next batch's statistics undo: weights grow and nothing is learned.
        """
        rows = real.float().permute(0, 2, 3, 1).flatten(0, 2)  # on a processor var_mean takes three times as long
        mean = rows.mean(dim=0)
        variance = (rows - mean).square().mean(dim=0)
        gain = self.norm.weight * torch.rsqrt(variance + self.norm.eps)
        shift = self.norm.bias - mean * gain
        return torch.addcmul(shift[:, None, None], synthetic, gain[:, None, None]).to(synthetic.dtype)


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
