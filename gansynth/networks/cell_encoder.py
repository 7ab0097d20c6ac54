"""A small residual network for 64 px cells, whose layers are worth measuring distances in."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions and a way past them (He et al. 2016, figure 5 left), batch-normalised.

    Where the size is halved the way past is a 2 x 2 mean and a 1 x 1 convolution (ResNet-D, He et al. 2019), so that
    no pixel is passed over.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels_out)
        self.second = nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels_out)
        # A block begins as the way past it (Goyal et al. 2017): short trainings start faster.
        nn.init.zeros_(self.second_norm.weight)
        self.past: nn.Module = nn.Identity()
        if stride != 1:
            mean = nn.AvgPool2d(stride)
            self.past = nn.Sequential(
                mean, nn.Conv2d(channels_in, channels_out, 1, bias=False), nn.BatchNorm2d(channels_out)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return [n, channels_out, H / stride, W / stride] for [n, channels_in, H, W]."""
        h = F.relu(self.first_norm(self.first(x)), inplace=True)
        return F.relu(self.second_norm(self.second(h)) + self.past(x), inplace=True)


class CellEncoderNetwork(nn.Module):
    """A 4 x 4 convolution to half the size, then residual blocks at a quarter, an eighth and a sixteenth of it.

    At 64 px and the default width: 1.5 million weights, about 60 million multiplications an image.

    Parameters
    ----------
    n_classes : int
    width : int
        Channels of the stem; they double at each of the three stages.

    Attributes
    ----------
    scale : Tensor, shape []
        What features are multiplied by before a distance is measured in them; takes no part in the logits.
    """

    scale: Tensor

    def __init__(self, n_classes: int, width: int = 32) -> None:
        super().__init__()
        self.n_classes, self.width = n_classes, width
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )
        self.stages = nn.ModuleList(
            [
                ResidualBlock(width, 2 * width, 2),
                nn.Sequential(ResidualBlock(2 * width, 4 * width, 2), ResidualBlock(4 * width, 4 * width, 1)),
                ResidualBlock(4 * width, 8 * width, 2),
            ]
        )
        self.dropout = nn.Dropout(0.2)
        self.logits = nn.Linear(8 * width, n_classes)
        self.register_buffer("scale", torch.ones(()))

    def features(self, images: Tensor) -> Tensor:
        """Return the last maps' means over positions, [n, 8 * width]: what the logits are made of.

        Images are [n, 3, H, W] in [-1, 1], H and W multiples of 16.
        """
        h = self.stem(images)
        for stage in self.stages:
            h = stage(h)
        return h.mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [n, n_classes] for images [n, 3, H, W] in [-1, 1]."""
        return self.logits(self.dropout(self.features(images)))
