"""A last layer that gives scaled cosines between features and classes, as losses with margins want it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gansynth.networks.head import with_head


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
