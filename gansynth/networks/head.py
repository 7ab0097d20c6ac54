"""The last linear layer of a network, and what may stand in its place: cosines with a margin, or shifted logits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gansynth.errors import InputError


def with_head(network: nn.Module, n_classes: int, make: Callable[[nn.Linear], nn.Module]) -> nn.Module:
    """Put what `make` returns for the network's last linear layer in its place; return the network.

    Raises
    ------
    InputError
        If no linear layer gives the logits.
    """
    heads = [name for name, module in network.named_modules() if _gives(module, n_classes)]
    if not heads:
        raise InputError(f"{type(network).__name__}: no linear layer gives its logits, and the remedy needs one")
    parent, _, own = heads[-1].rpartition(".")
    old = network.get_submodule(heads[-1])
    assert isinstance(old, nn.Linear)
    setattr(network.get_submodule(parent), own, make(old))
    return network


def _gives(module: nn.Module, n_classes: int) -> bool:
    return isinstance(module, nn.Linear) and module.out_features == n_classes


class CosineLinear(nn.Module):
    """scale cos(x, w_c): neither long features nor long weights make a class likelier.

    Parameters
    ----------
    width : int
        d.
    n_classes : int
    scale : float
    """

    def __init__(self, width: int, n_classes: int, scale: float) -> None:
        super().__init__()
        self.in_features, self.out_features, self.scale = width, n_classes, scale
        self.weight = nn.Parameter(torch.empty(n_classes, width))
        nn.init.normal_(self.weight)
        with torch.no_grad():
            self.weight.copy_(F.normalize(self.weight, dim=1))

    def forward(self, features: Tensor) -> Tensor:
        """Return logits [n, n_classes] in [-scale, scale] for features [n, d]; always computed in 32 bits."""
        with torch.autocast(features.device.type, enabled=False):
            return self.scale * F.linear(F.normalize(features.float(), dim=1), F.normalize(self.weight, dim=1))


def with_cosine_head(network: nn.Module, n_classes: int, scale: float) -> nn.Module:
    """Put a `CosineLinear` in the place of the network's last linear layer; return the network.

    Raises
    ------
    InputError
        If no linear layer gives the logits.
    """
    return with_head(network, n_classes, lambda linear: CosineLinear(linear.in_features, n_classes, scale))


class ShiftedLinear(nn.Linear):
    """A linear layer that adds a number to each logit.

    Parameters
    ----------
    linear : nn.Linear
        Its weights are taken over.
    shifts : sequence of float, length C
    """

    shifts: Tensor

    def __init__(self, linear: nn.Linear, shifts: Sequence[float]) -> None:
        nn.Module.__init__(self)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.weight, self.bias = linear.weight, linear.bias
        self.register_buffer("shifts", torch.tensor(shifts, dtype=torch.float32, device=linear.weight.device))

    def forward(self, features: Tensor) -> Tensor:
        """Return logits [n, C] for features [n, d]."""
        return super().forward(features).float() + self.shifts


def with_shifted_head(network: nn.Module, n_classes: int, shifts: Sequence[float] | None = None) -> nn.Module:
    """Put a `ShiftedLinear` in the place of the network's last linear layer; return the network.

    Parameters
    ----------
    network : nn.Module
    n_classes : int
    shifts : sequence of float, length C, optional
        Default: zeros, for weights that are loaded with their shifts.

    Raises
    ------
    InputError
        If no linear layer gives the logits.
    """
    return with_head(network, n_classes, lambda linear: ShiftedLinear(linear, shifts or [0.0] * n_classes))
