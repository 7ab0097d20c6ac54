"""Depthwise convolutions whose gradients a processor computes in float32, where the rest is bfloat16.

oneDNN (3.12, on a Xeon with AMX) has no fast kernel for some gradients of depthwise convolutions in bfloat16: that of
the input where they stride, and that of the weights from 5 x 5 on or where the map is smaller than the kernel. Each
takes 3 to 60 times as long as in float32, and in an EfficientNet together more than everything else.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TypeVar

import torch
from torch import Tensor, nn

_N = TypeVar("_N", bound=nn.Module)


def with_fast_depthwise(network: _N) -> _N:
    """Let the depthwise convolutions of a network compute in float32 where their gradients are slow; return it.

    Its weights and their names stay, and so does what it computes without a gradient; with one, values differ by the
    rounding that is left out.
    """
    fast: dict[type[nn.Conv2d], type[nn.Conv2d]] = {}
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.groups == module.in_channels > 1:
            kind = type(module)
            if kind not in fast:
                fast[kind] = _fast(kind)
            module.__class__ = fast[kind]
    return network


def _fast(kind: type[nn.Conv2d]) -> type[nn.Conv2d]:
    """Return a kind of convolution that chooses its precision (as torch's own parametrizations swap classes)."""

    class Depthwise(kind):  # type: ignore[misc, valid-type]  # a base class that is known when it runs
        def forward(self, x: Tensor) -> Tensor:
            slow = _is_slow(self, x)
            with torch.autocast("cpu", enabled=False) if slow else nullcontext():
                y: Tensor = super().forward(x.float() if slow else x)
            return y.bfloat16() if slow else y

    return Depthwise


def _is_slow(conv: nn.Conv2d, x: Tensor) -> bool:
    if x.device.type != "cpu" or not torch.is_autocast_enabled("cpu") or not torch.is_grad_enabled():
        return False
    return conv.weight.requires_grad or (x.requires_grad and max(conv.stride) > 1)
