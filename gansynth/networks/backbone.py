"""A backbone of torchvision or timm under a new head."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gansynth.networks.depthwise import with_fast_depthwise


class Preparation(nn.Module):
    """Images brought to the size and the scale that a trunk was trained with.

    Parameters
    ----------
    input_size : int
        Edge length in pixels.
    mean, std : sequence of float
        What the trunk expects the colours (0..1) to be centred and scaled by.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, input_size: int, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.input_size = input_size
        centre, spread = torch.tensor(mean).view(3, 1, 1), torch.tensor(std).view(3, 1, 1)
        self.register_buffer("scale", 0.5 / spread, persistent=False)
        self.register_buffer("shift", (0.5 - centre) / spread, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return [n, 3, S, S] for images [n, 3, H, H] in [-1, 1] of any size."""
        if images.shape[-1] != self.input_size:
            edge = (self.input_size, self.input_size)
            images = F.interpolate(images, edge, mode="bilinear", align_corners=False, antialias=True)
        return images * self.scale + self.shift


class Backbone(nn.Module):
    """The images prepared for a trunk, the trunk, dropout, one linear layer.

    Parameters
    ----------
    trunk : nn.Module
        Images [n, 3, S, S] to features [n, d].
    width : int
        d.
    n_classes : int
    input_size : int
        S.
    mean, std : sequence of float
        What the trunk expects the colours (0..1) to be centred and scaled by.
    frozen : bool
        The trunk does not learn, and its normalisations keep the statistics they came with.
    dropout : float
    """

    def __init__(
        self,
        trunk: nn.Module,
        width: int,
        n_classes: int,
        *,
        input_size: int,
        mean: Sequence[float],
        std: Sequence[float],
        frozen: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.prepare = Preparation(input_size, mean, std)
        self.trunk, self.frozen = with_fast_depthwise(trunk), frozen
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, n_classes)
        trunk.requires_grad_(not frozen)

    def train(self, mode: bool = True) -> Backbone:
        """Set the mode; a frozen trunk stays as it is."""
        super().train(mode)
        if self.frozen:
            self.trunk.eval()
        return self

    def features(self, images: Tensor) -> Tensor:
        """Return features [n, d] for images [n, 3, H, H] in [-1, 1] of any size."""
        return self.trunk(self.prepare(images))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [n, n_classes]. While it learns, nothing passes back through a frozen trunk."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not (self.frozen and self.training)):
            features = self.features(images)
        return self.head(self.dropout(features))
