"""The sequential CNN of hazra2022 (section 2.2.3, figure 3)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class Stage(nn.Module):
    """Convolution, batch normalisation, LeakyReLU, 2 x 2 max pooling."""

    def __init__(self, inputs: int, outputs: int, negative_slope: float) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.activation = nn.LeakyReLU(negative_slope, inplace=True)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        """Return [n, outputs, H / 2, W / 2] for [n, inputs, H, W]."""
        return self.pool(self.activation(self.norm(self.convolution(x))))


class SequentialCNN(nn.Module):
    """Four stages, dropout, one fully connected layer; the softmax is the loss's and the classifier's.

    Parameters
    ----------
    n_classes : int
    resolution : int
        Edge length of the images, at least 16.
    channels : sequence of int
        Of the four stages; the paper gives none.
    dropout, negative_slope : float
    """

    def __init__(
        self,
        n_classes: int,
        resolution: int,
        channels: Sequence[int] = (16, 32, 64, 128),
        *,
        dropout: float = 0.5,
        negative_slope: float = 0.1,
    ) -> None:
        super().__init__()
        self.stages = nn.Sequential(*(Stage(i, o, negative_slope) for i, o in pairwise([3, *channels])))
        self.dropout = nn.Dropout(dropout)
        self.logits = nn.Linear(channels[-1] * (resolution // 16) ** 2, n_classes)

    def features(self, images: Tensor) -> Tensor:
        """Return the last maps, flattened, [n, d]."""
        return torch.flatten(self.stages(images), 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [n, n_classes] for images [n, 3, resolution, resolution] in [-1, 1]."""
        return self.logits(self.dropout(self.features(images)))
