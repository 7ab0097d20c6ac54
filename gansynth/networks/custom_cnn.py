"""The customised CNN of abouali2023 (figure 9)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class CustomCNN(nn.Module):
    """Four times convolution, ReLU and max pooling; two fully connected layers. 3,310,251 parameters with 11 classes
    at 224 px.

    Parameters
    ----------
    n_classes : int
    resolution : int
        Edge length of the images, at least 16.
    channels : sequence of int
    hidden : int
        Width of the first fully connected layer.
    """

    def __init__(
        self, n_classes: int, resolution: int = 224, channels: Sequence[int] = (16, 32, 64, 128), hidden: int = 128
    ) -> None:
        super().__init__()
        # Pooling before the ReLU gives the same values and passes over a quarter of them.
        self.stages = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(inplace=True))
                for i, o in pairwise([3, *channels])
            )
        )
        self.hidden = nn.Linear(channels[-1] * (resolution // 16) ** 2, hidden)
        self.logits = nn.Linear(hidden, n_classes)

    def features(self, images: Tensor) -> Tensor:
        """Return the hidden layer, [n, hidden]."""
        return torch.relu(self.hidden(torch.flatten(self.stages(images), 1)))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [n, n_classes] for images [n, 3, resolution, resolution] in [-1, 1]."""
        return self.logits(self.features(images))
