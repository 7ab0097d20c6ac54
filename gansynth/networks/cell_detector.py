"""A small fully convolutional network that finds cells in a smear field: where their centres are, and their edges."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gansynth.networks.cell_encoder import ResidualBlock

STRIDE = 4
"""Pixels of the field for one position of the maps."""

DEEPEST = 16
"""Edges of what the network sees are multiples of this."""


class CellDetectorNetwork(nn.Module):
    """Centre maps (CenterNet, Zhou et al. 2019, section 3) and distances to the edges (FCOS, Tian et al. 2019).

    Residual blocks at a quarter, an eighth and a sixteenth of the field's size; what the deeper ones know is enlarged
    and added on the way back to a quarter. There, every position says how sure it is that a cell of each kind has its
    centre there, and how far the edges of that cell's box are. At width 16: 0.36 million weights.

    Parameters
    ----------
    n_kinds : int
        Kinds of cells.
    width : int
        Channels of the first layer; they double at each of the next two.
    """

    def __init__(self, n_kinds: int = 2, width: int = 16) -> None:
        super().__init__()
        self.n_kinds, self.width = n_kinds, width
        narrow, wide = 2 * width, 4 * width
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )
        self.quarter = nn.Sequential(ResidualBlock(width, narrow, 2), ResidualBlock(narrow, narrow, 1))
        self.eighth = nn.Sequential(ResidualBlock(narrow, wide, 2), ResidualBlock(wide, wide, 1))
        self.sixteenth = nn.Sequential(ResidualBlock(wide, wide, 2), ResidualBlock(wide, wide, 1))
        self.merge_eighth = nn.Sequential(nn.Conv2d(wide, narrow, 1), ResidualBlock(narrow, narrow, 1))
        self.merge_quarter = ResidualBlock(narrow, narrow, 1)
        self.centres = nn.Conv2d(narrow, n_kinds, 1)
        self.edges = nn.Conv2d(narrow, 4, 1)
        # Few positions are centres: so sure that nothing is one does the training begin (Lin et al. 2017, section 4.1).
        assert self.centres.bias is not None
        nn.init.constant_(self.centres.bias, -math.log(99.0))

    def forward(self, density: Tensor) -> tuple[Tensor, Tensor]:
        """Say where cells are.

        Parameters
        ----------
        density : Tensor, shape [n, 3, H, W]
            Optical density against the clean slide; H and W multiples of 16.

        Returns
        -------
        tuple of Tensor
            Logits of centres, [n, n_kinds, H / 4, W / 4], and the distances from the middle of each position to the
            left, upper, right and lower edge of the cell there, [n, 4, H / 4, W / 4], above 0, in usual red cells'
            radii.
        """
        quarter = self.quarter(self.stem(density))
        eighth = self.eighth(quarter)
        deep = self.sixteenth(eighth)
        eighth = self.merge_eighth(eighth + F.interpolate(deep, scale_factor=2.0, mode="nearest"))
        quarter = self.merge_quarter(quarter + F.interpolate(eighth, scale_factor=2.0, mode="nearest"))
        return self.centres(quarter), torch.exp(self.edges(quarter).clamp(-4, 4))
