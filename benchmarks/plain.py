"""The networks of hazra2022 as they are usually written: contiguous tensors, nothing in place."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PlainBlock(nn.Module):
    """The residual block as it is usually written: nothing in place."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.first, self.second = block.first, block.second

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(F.leaky_relu(x, 0.2))
        return x + self.second(F.leaky_relu(h, 0.2))


def plain(network: nn.Module) -> nn.Module:
    """Return a contiguous copy whose residual blocks are plain."""
    network = copy.deepcopy(network).to(memory_format=torch.contiguous_format)
    for child in network.modules():
        if isinstance(child, nn.Sequential):
            for i, block in enumerate(child):
                if hasattr(block, "second"):
                    child[i] = PlainBlock(block)
    return network
