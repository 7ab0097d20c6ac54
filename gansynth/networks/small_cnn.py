"""A small convolutional classifier of 64 px cells: quick to train on a laptop, and no relative of any GAN's player."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


class SmallCNN(nn.Module):
    """Four times convolution, batch normalisation, ReLU and max pooling; the mean over positions; dropout; linear.

    Parameters
    ----------
    n_classes : int
    width : int
        Channels of the first stage; doubled at each of the first three.
    """

    def __init__(self, n_classes: int, width: int = 32) -> None:
        super().__init__()
        self.n_classes, self.width = n_classes, width
        channels = [3, width, 2 * width, 4 * width, 4 * width]
        self.stages = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(i, o, 3, padding=1, bias=False),
                    nn.BatchNorm2d(o),
                    nn.ReLU(inplace=True),
                    nn.MaxPool2d(2),
                )
                for i, o in pairwise(channels)
            )
        )
        self.dropout = nn.Dropout(0.2)
        self.logits = nn.Linear(2 * channels[-1], n_classes)

    def features(self, images: Tensor) -> Tensor:
        """Return features [n, 8 * width] for images [n, 3, H, W] in [-1, 1]: mean and maximum over positions."""
        h = self.stages(images)
        return torch.cat([h.mean(dim=(2, 3)), h.amax(dim=(2, 3))], dim=1)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [n, n_classes]."""
        return self.logits(self.dropout(self.features(images)))
