"""Several backbones under one block of attention: the Ensemble-CBAM of abouali2023 (section 3.5.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gansynth.networks.backbone import Preparation
from gansynth.networks.depthwise import with_fast_depthwise


class PerceptronAttention(nn.Module):
    """Spatial attention: every position is weighted by a perceptron that sees its channels, and the mean and maximum of
    each channel over all positions (abouali2023, eq. 2).

    Parameters
    ----------
    channels : int
    hidden : int
        Width of the hidden layer; the paper gives none.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Conv2d(3 * channels, hidden, 1)
        self.weight = nn.Conv2d(hidden, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return maps [n, c, h, w], weighted."""
        pooled = [p.expand_as(x) for p in (x.mean(dim=(2, 3), keepdim=True), x.amax(dim=(2, 3), keepdim=True))]
        return x * torch.sigmoid(self.weight(torch.relu(self.hidden(torch.cat([x, *pooled], dim=1)))))


class CbamEnsemble(nn.Module):
    """The last maps of every trunk side by side, channel and spatial attention, mean over positions, two layers.

    The channel attention is that of Woo et al. 2018 (abouali2023, eq. 1), the spatial one by choice a perceptron
    (abouali2023, eq. 2) or a convolution over the mean and the maximum of the channels (Woo et al. 2018, eq. 3). The
    paper says that the maps are combined by them under a multi-layer perceptron, and gives no widths.

    Parameters
    ----------
    trunks : sequence of nn.Module
        Each: images [n, 3, S, S] to maps [n, c, h, w].
    preparations : sequence of Preparation
        One for each trunk.
    channels : sequence of int
        c of each trunk.
    n_classes : int
    reduction : int
        By how much the hidden layers of both attentions are narrower than the maps.
    hidden : int
        Width of the head's hidden layer.
    frozen : bool
        The trunks do not learn, and their normalisations keep the statistics they came with.
    dropout : float
    spatial : {"perceptron", "convolution"}
    """

    def __init__(
        self,
        trunks: Sequence[nn.Module],
        preparations: Sequence[Preparation],
        channels: Sequence[int],
        n_classes: int,
        *,
        reduction: int = 16,
        hidden: int = 256,
        frozen: bool = False,
        dropout: float = 0.0,
        spatial: Literal["perceptron", "convolution"] = "perceptron",
    ) -> None:
        super().__init__()
        from timm.layers.cbam import CbamModule

        self.trunks, self.preparations = with_fast_depthwise(nn.ModuleList(trunks)), nn.ModuleList(preparations)
        self.frozen = frozen
        width = sum(channels)
        self.attention = CbamModule(width, rd_channels=max(1, width // reduction))
        if spatial == "perceptron":
            self.attention.add_module("spatial", PerceptronAttention(width, max(1, width // reduction)))
        self.hidden = nn.Linear(width, hidden)
        self.dropout = nn.Dropout(dropout)
        self.logits = nn.Linear(hidden, n_classes)
        self.trunks.requires_grad_(not frozen)

    def train(self, mode: bool = True) -> CbamEnsemble:
        """Set the mode; frozen trunks stay as they are."""
        super().train(mode)
        if self.frozen:
            self.trunks.eval()
        return self

    def take_trunk(self, k: int, trunk: nn.Module) -> None:
        """Put a trunk that was tuned alone, and makes the same maps, in the place of the k-th."""
        self.trunks[k] = trunk.requires_grad_(not self.frozen)

    def maps(self, images: Tensor) -> Tensor:
        """Return the trunks' maps [n, sum of c, h, w] for images [n, 3, H, H] in [-1, 1]; h is the smallest trunk's."""
        found = [trunk(prepare(images)) for trunk, prepare in zip(self.trunks, self.preparations, strict=True)]
        edge = min(m.shape[-1] for m in found)
        return torch.cat([m if m.shape[-1] == edge else F.adaptive_avg_pool2d(m, edge) for m in found], dim=1)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [n, n_classes]. While it learns, nothing passes back through frozen trunks."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not (self.frozen and self.training)):
            maps = self.maps(images)
        features = self.attention(maps).mean(dim=(2, 3))
        return self.logits(self.dropout(torch.relu(self.hidden(features))))
