"""Differentiable augmentation of what the critic sees (Zhao et al. 2020, "Differentiable augmentation for
data-efficient GAN training"), with a preset for stained cells.

In stained cells hue is diagnostic: a preset that shifts colors as far as the original does would teach the generator
that an eosinophil may be blue. `stain` changes brightness and contrast a little, saturation less, and hue not at all.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gansynth.networks.images import orient_each
from gansynth.recipes import Augmentation

_STRENGTH = {"stain": (0.15, 0.15, 0.15), "color": (0.5, 1.0, 0.5)}
"""Half-widths of the uniform changes of brightness, saturation and contrast; "color" is the original's."""


class DiffAugment(nn.Module):
    """Change a batch of images at random, each in its own way, and differentiably.

    Parameters
    ----------
    settings : Augmentation
        Orientations, policy, translation (share of the edge) and cutout (edge of the square, as a share of the
        image's).
    """

    def __init__(self, settings: Augmentation) -> None:
        super().__init__()
        self.settings = settings

    def forward(self, images: Tensor) -> Tensor:
        """Return images [n, 3, H, W] in about [-1, 1], augmented."""
        s = self.settings
        if s.orientations:
            images = orient_each(images)
        if s.policy == "none":
            return images
        images = _color(images, *_STRENGTH[s.policy])
        if s.translation > 0:
            images = _translate(images, s.translation)
        if s.cutout > 0:
            images = _cut_out(images, s.cutout)
        return images


def _uniform(images: Tensor, half_width: float, center: float) -> Tensor:
    noise = torch.rand(len(images), 1, 1, 1, device=images.device, dtype=images.dtype)
    return center + half_width * (2 * noise - 1)


def _color(images: Tensor, brightness: float, saturation: float, contrast: float) -> Tensor:
    images = images + _uniform(images, brightness, 0.0)
    grey = images.mean(dim=1, keepdim=True)
    images = torch.lerp(grey, images, _uniform(images, saturation, 1.0))
    level = images.mean(dim=(1, 2, 3), keepdim=True)
    return torch.lerp(level, images, _uniform(images, contrast, 1.0))


def _translate(images: Tensor, share: float) -> Tensor:
    """Shift each image by whole pixels; what comes in is a mirror of the edge, as a smear's background would be."""
    n, _, height, width = images.shape
    most = max(1, round(share * height))
    padded = F.pad(images, (most,) * 4, mode="reflect")
    shift = torch.randint(0, 2 * most + 1, (2, n), device=images.device)
    rows = shift[0][:, None] + torch.arange(height, device=images.device)
    columns = shift[1][:, None] + torch.arange(width, device=images.device)
    first = torch.arange(n, device=images.device)[:, None, None]
    moved = padded.permute(0, 2, 3, 1)[first, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def _cut_out(images: Tensor, share: float) -> Tensor:
    n, _, height, width = images.shape
    edge = max(1, round(share * height))
    corner = torch.rand(2, n, 1, device=images.device)
    top = corner[0] * height - edge / 2
    left = corner[1] * width - edge / 2
    y = torch.arange(height, device=images.device)
    x = torch.arange(width, device=images.device)
    inside_y = (y >= top) & (y < top + edge)
    inside_x = (x >= left) & (x < left + edge)
    hole = inside_y[:, :, None] & inside_x[:, None, :]
    return images * (~hole)[:, None].to(images.dtype)
