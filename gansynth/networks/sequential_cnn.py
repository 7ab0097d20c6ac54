"""The sequential CNN of hazra2022 (section 2.2.3, figure 3)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from gansynth.networks.pooled_norm import convolved_normed_pooled


class Stage(nn.Module):
    """Convolution, batch normalisation, LeakyReLU, 2 x 2 max pooling."""

    def __init__(self, inputs: int, outputs: int, negative_slope: float, *, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.activation = nn.LeakyReLU(negative_slope)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        """Return [n, outputs, H / 2, W / 2] (of the stride's maps) for [n, inputs, H, W]."""
        plain = isinstance(self.norm, nn.BatchNorm2d)
        if plain and x.device.type == "cpu" and not torch.is_autocast_enabled("cpu"):
            return convolved_normed_pooled(x, self.convolution, self.norm, self.activation.negative_slope)
        return self.in_turn(x)

    def in_turn(self, x: Tensor) -> Tensor:
        """Return the same, layer by layer."""
        return self.pool(self.activation(self.norm(self.convolution(x))))


class SequentialCNN(nn.Module):
    """Four stages, dropout, one fully connected layer; the softmax is the loss's and the classifier's.

    Parameters
    ----------
    n_classes : int
    resolution : int
        Edge length of the images, at least 16 times `stride`.
    channels : sequence of int
        Of the four stages; the paper gives none.
    kernel, stride : int
        Of the first convolution.
    dropout, negative_slope : float
    """

    def __init__(
        self,
        n_classes: int,
        resolution: int,
        channels: Sequence[int] = (16, 32, 64, 128),
        *,
        kernel: int = 3,
        stride: int = 1,
        dropout: float = 0.5,
        negative_slope: float = 0.1,
    ) -> None:
        super().__init__()
        first, *later = [
            Stage(i, o, negative_slope, kernel=kernel if i == 3 else 3, stride=stride if i == 3 else 1)
            for i, o in pairwise([3, *channels])
        ]
        self.stages = nn.Sequential(first, *later)
        self.dropout = nn.Dropout(dropout)
        edge = (resolution + stride - 1) // stride // 16
        self.logits = nn.Linear(channels[-1] * edge**2, n_classes)

    def features(self, images: Tensor) -> Tensor:
        """Return the last maps, flattened, [n, d]."""
        return torch.flatten(self.stages(images), 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [n, n_classes] for images [n, 3, resolution, resolution] in [-1, 1]."""
        return self.logits(self.dropout(self.features(images)))
