"""A last layer that shifts its logits: it takes the place of a network's own once that has learned."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gansynth.networks.head import with_head


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
