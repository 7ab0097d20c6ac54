"""Exponential moving average of a network's weights, with its half-life counted in images."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Ema:
    """A slow copy of a network: what generates images once training is over.

    The half-life counts images, so that the same number means the same with another batch size
    (Karras et al. 2020, "Training GANs with limited data", appendix). Early in training it is limited to a share of
    what has been seen, so that the copy does not remember the untrained network.

    Parameters
    ----------
    network : nn.Module
        The network to follow.
    half_life : float
        Images after which half of the old weights' influence is gone.
    ramp : float or None
        The half-life never exceeds this share of the images seen so far.

    Attributes
    ----------
    seen_before : int
        Images that the network had learned from before it came here: a copy of a trained network has much to remember.
    """

    seen_before = 0

    def __init__(self, network: nn.Module, half_life: float, ramp: float | None) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.half_life, self.ramp = half_life, ramp
        slow = dict(self.network.named_parameters())
        self._pairs = [[slow[k], p] for k, p in network.named_parameters() if p.is_floating_point()]
        self._buffers = list(zip(self.network.buffers(), network.buffers(), strict=True))
        # On the weights' device, as a number that is part of a CUDA graph could not change.
        self._share = torch.zeros((), device=next(network.parameters()).device)

    def update(self, batch: int, images_seen: int) -> None:
        """Move towards the network's present weights by one batch of `batch` images."""
        self.set_pace(batch, images_seen)
        self.follow()

    def set_pace(self, batch: int, images_seen: int) -> None:
        """Decide how far the next move goes: that of one batch of `batch` images."""
        half_life = (
            self.half_life if self.ramp is None else min(self.half_life, self.ramp * (self.seen_before + images_seen))
        )
        keep = 0.5 ** (batch / max(half_life, 1e-8))
        self._share.fill_(1 - keep)

    @torch.no_grad()
    def follow(self) -> None:
        """Move towards the network's present weights, as far as `set_pace` said."""
        slow, fast = (list(side) for side in zip(*self._pairs, strict=True))
        torch._foreach_lerp_(slow, fast, [self._share] * len(slow))
        self.copy_buffers()

    @torch.no_grad()
    def copy_buffers(self) -> None:
        """Take over what is not a weight: running statistics, which code stands for which class."""
        for old, new in self._buffers:
            old.copy_(new)
