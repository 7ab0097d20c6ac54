"""Compact networks for small images and small machines.

What takes the place of the tables of hazra2022, and why: 5 x 5 deconvolutions leave a checkerboard and a
fully connected layer of 33 M parameters is most of the model, so the generator starts at 4 x 4, upsamples and
convolves, and adds up RGB images of growing resolution (skip connections: Karras et al. 2020, "Analyzing and
improving the image quality of StyleGAN", section 4.1). The label and the latent steer every layer by modulated
convolutions (ibid., section 2.2). The critic opens with a 5 x 5 convolution of stride 2, as table 4 does. Learning
rates are equalised at run time (Karras et al. 2018, "Progressive growing of GANs", section 4.1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.2
GAIN = math.sqrt(2 / (1 + SLOPE**2))
"""Keeps the variance through a LeakyReLU of that slope (He et al. 2015)."""


class EqualLinear(nn.Module):
    """Fully connected layer with equalised learning rate."""

    def __init__(self, inputs: int, outputs: int, *, bias: float = 0.0, gain: float = 1.0, rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.scale, self.rate = gain * rate / math.sqrt(inputs), rate

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias * self.rate)


class EqualConv2d(nn.Module):
    """Convolution with equalised learning rate and "same" padding."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, gain: float = GAIN) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.scale, self.stride, self.padding = gain / math.sqrt(inputs * kernel**2), stride, kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, self.bias, stride=self.stride, padding=self.padding)


class ModulatedConv2d(nn.Module):
    """3 x 3 convolution whose input channels are scaled by a style and whose output variance is restored.

    Restored to `GAIN` squared, so that a LeakyReLU after it gives unit variance. The form that scales activations, not
    weights: equal in value, and one convolution serves the whole batch.

    With `noise`, a map of normal numbers is added, one for the image, as strongly as each channel has learned to take
    it (Karras et al. 2019, "A style-based generator architecture", section 3.2): what is random in a texture need not
    be made from the latent. With `upsample`, maps are doubled in height and width first.
    """

    def __init__(self, inputs: int, outputs: int, style: int, *, upsample: bool = False, noise: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.style = EqualLinear(style, inputs, bias=1.0)
        self.scale, self.upsample = 1 / math.sqrt(inputs * 9), upsample
        self.noise = nn.Parameter(torch.zeros(outputs)) if noise else None

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return [n, outputs, H, W] for x [n, inputs, H, W], styles w [n, style] and a map of noise [n, 1, H, W]."""
        style = self.style(w)
        weight = self.weight * self.scale
        h = x * style[:, :, None, None].to(x.dtype)
        if self.upsample:  # after the style: maps to scale are a quarter as large
            h = _doubled(h)
        h = F.conv2d(h, weight, padding=1)
        variance = style.float().square() @ weight.float().square().sum(dim=(2, 3)).t()
        restoring = (GAIN * torch.rsqrt(variance + 1e-8))[:, :, None, None]
        h = torch.addcmul(self.bias[:, None, None].to(h.dtype), h, restoring.to(h.dtype))
        if self.noise is not None and noise is not None:
            h = torch.addcmul(h, self.noise[:, None, None].to(h.dtype), noise.to(h.dtype))
        return h


class ToRGB(nn.Module):
    """1 x 1 convolution to RGB, modulated by a style: a small matrix for each image instead of scaled maps."""

    def __init__(self, inputs: int, style: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.style = EqualLinear(style, inputs, bias=1.0)
        self.scale = 1 / math.sqrt(inputs)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Return [n, 3, H, W] for x [n, inputs, H, W] and styles w [n, style]."""
        n, _, height, width = x.shape
        matrices = self.style(w)[:, :, None] * (self.weight * self.scale).flatten(1).t()
        pixels = x.permute(0, 2, 3, 1).reshape(n, height * width, -1)  # a view where channels lie last
        colours = torch.baddbmm(self.bias.to(x.dtype), pixels, matrices.to(x.dtype))
        return colours.view(n, height, width, 3).permute(0, 3, 1, 2)


class SynthesisBlock(nn.Module):
    """Upsample, two modulated convolutions, and an RGB image that is added to the upsampled one below."""

    def __init__(self, inputs: int, outputs: int, style: int, *, upsample: bool, noise: bool) -> None:
        super().__init__()
        self.upsample = upsample
        self.first = ModulatedConv2d(inputs, outputs, style, upsample=upsample, noise=noise)
        self.second = ModulatedConv2d(outputs, outputs, style, noise=noise)
        self.to_rgb = ToRGB(outputs, style)

    def forward(
        self, h: Tensor, rgb: Tensor, w: Tensor, noise: tuple[Tensor, Tensor] | tuple[None, None]
    ) -> tuple[Tensor, Tensor]:
        h = F.leaky_relu(self.first(h, w, noise[0]), SLOPE, inplace=True)
        h = F.leaky_relu(self.second(h, w, noise[1]), SLOPE, inplace=True)
        image = self.to_rgb(h, w).float()
        return h, image + _doubled(rgb) if self.upsample else image


def _doubled(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=False)


class SkipGenerator(nn.Module):
    """Latent and label to an image through modulated convolutions and RGB skip connections.

    Parameters
    ----------
    n_classes : int
    latent : int
        Length of z.
    resolution : int
        Edge length in pixels, 4 times a power of two.
    channels : sequence of int
        Channels at 4, 8, 16, ... pixels; one number per resolution.
    style : int
        Length of the vector that steers the layers.
    mapping : int
        Fully connected layers from latent and class to that vector.
    noise : bool
        Whether each layer adds noise to its maps.
    embedding_noise : float
        Normal noise of this standard deviation is added to the class embedding, whose elements begin as standard
        normal numbers: a class is a cloud, not a point at which the latent is ignored (Rangwani et al. 2023,
        "NoisyTwins", section 4.1). Images are drawn from the same cloud when it is used: they then vary as those that
        its critics have seen.
    frozen : int
        Up to this edge length in pixels it draws as it does: neither these layers nor those that steer them learn, and
        a gradient stops there. What a smaller generator knows stays, while layers above it learn to draw finer (Sauer
        et al. 2022, "StyleGAN-XL", section 3.2). 0: all learn.

    Attributes
    ----------
    n_noise : int
        Numbers of noise in an image, which may follow z: its place in the cloud of its class, and its layers' noise.
    """

    mean_styles: Tensor | None
    reach: Tensor | None

    def __init__(
        self,
        n_classes: int,
        latent: int,
        resolution: int,
        channels: Sequence[int],
        style: int = 128,
        *,
        mapping: int = 2,
        noise: bool = False,
        embedding_noise: float = 0.0,
        frozen: int = 0,
    ) -> None:
        super().__init__()
        self.latent, self.embedding_noise = latent, embedding_noise
        self.n_frozen = sum(4 * 2**k <= frozen for k in range(len(channels)))
        self.embedding = nn.Embedding(n_classes, style)
        inputs = [latent + style, *[style] * (mapping - 1)]
        self.mapping = nn.ModuleList(EqualLinear(n, style, gain=GAIN, rate=0.1) for n in inputs)
        self.constant = nn.Parameter(torch.randn(1, channels[0], 4, 4))
        self.start = EqualLinear(style, channels[0] * 16)
        nn.init.zeros_(self.start.weight)
        widths = [channels[0], *channels]
        self.blocks = nn.ModuleList(
            SynthesisBlock(i, o, style, upsample=k > 0, noise=noise)
            for k, (i, o) in enumerate(zip(widths, channels, strict=False))
        )
        if 4 * 2 ** (len(channels) - 1) != resolution:
            raise ValueError(
                f"{len(channels)} channel numbers give {4 * 2 ** (len(channels) - 1)} px, not {resolution}"
            )
        self._areas = [(4 * 2**k) ** 2 for k in range(len(channels)) for _ in range(2)] if noise else []
        self.n_cloud = style if embedding_noise else 0
        self.n_noise = self.n_cloud + sum(self._areas)
        self.register_buffer("mean_styles", None, persistent=False)
        self.register_buffer("reach", None, persistent=False)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return images in [-1, 1], shape [n, 3, R, R], for z [n, latent] and int64 labels [n].

        Each row of z may go on with the image's `n_noise` numbers of noise, those of its class vector first; else they
        are drawn here.
        """
        return self.synthesise(self.style(z, labels), z)

    def synthesise(self, w: Tensor, z: Tensor) -> Tensor:
        """Return images [n, 3, R, R] for styles w [n, style]; z is asked for the noise of its layers only."""
        # A constant that styles alone modulate makes neighbours hard to move: where red cells lie comes from here.
        with self._learning(0):
            h = self.constant + self.start(w).view(-1, *self.constant.shape[1:])
            h = h.contiguous(memory_format=torch.channels_last)
            rgb = h.new_zeros(())  # the first block has nothing below it
        for k, (block, of_block) in enumerate(zip(self.blocks, self._noise(z), strict=True)):
            with self._learning(k):
                h, rgb = block(h, rgb, w, of_block)
        return torch.tanh(rgb)

    def style(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return the vectors that steer the layers, [n, style], for z [n, latent] or longer and labels [n].

        Where the class vectors were trained with noise, a class is a cloud, and the image's own place in it is in its
        row of z; without that, it is drawn in training, and the middle of the cloud otherwise.
        """
        with self._learning(0):
            embedded = self.embedding(labels)
            place = z[:, self.latent : self.latent + self.n_cloud]
            if self.n_cloud and self.training and not place.shape[1]:
                place = torch.randn_like(embedded)
            if place.shape[1]:
                embedded = embedded + self.embedding_noise * place
            w = torch.cat([_unit(z[:, : self.latent]), _unit(embedded)], dim=1)
            for layer in self.mapping:
                w = F.leaky_relu(layer(w), SLOPE)
        if self.mean_styles is None or self.reach is None:
            return w
        return torch.lerp(self.mean_styles[labels], w, self.reach[labels, None])

    @torch.no_grad()
    def truncate(self, shares: Tensor) -> None:
        """Multiply each style's distance from the mean style of its class: below 1 images are more typical and less
        varied (Karras et al. 2019, "A style-based generator architecture", appendix B), above 1 more varied.

        Of a trained generator, before it is used; the means are those of 4,096 latents, always the same.

        Parameters
        ----------
        shares : float32 tensor [n_classes]
        """
        self.mean_styles = None
        drawn = torch.randn(4096, self.latent + self.n_cloud, generator=torch.Generator().manual_seed(0))
        z = drawn.to(self.constant.device)
        classes = torch.arange(self.embedding.num_embeddings, device=z.device)
        self.eval()
        self.mean_styles = torch.stack([self.style(z, c.expand(len(z))).mean(dim=0) for c in classes])
        self.reach = shares.to(self.mean_styles)

    def _learning(self, block: int) -> AbstractContextManager[object]:
        """Return where a block is computed: with a gradient, where one is wanted, unless it is frozen."""
        return torch.no_grad() if block < self.n_frozen else nullcontext()

    def _noise(self, z: Tensor) -> list[tuple[Tensor, Tensor] | tuple[None, None]]:
        """Return two maps of noise for each block."""
        if not self._areas:
            return [(None, None)] * len(self.blocks)
        numbers = z[:, self.latent + self.n_cloud :]
        if not numbers.shape[1]:
            numbers = torch.randn(len(z), sum(self._areas), device=z.device, dtype=z.dtype)
        parts = zip(numbers.split(self._areas, dim=1), self._areas, strict=True)
        maps = [part.unflatten(1, (1, math.isqrt(area), -1)) for part, area in parts]
        return list(zip(maps[::2], maps[1::2], strict=True))


def _unit(x: Tensor) -> Tensor:
    return x * torch.rsqrt(x.float().square().mean(dim=1, keepdim=True) + 1e-8).to(x.dtype)


class DownBlock(nn.Module):
    """Two convolutions, the second with stride 2, beside an average-pooled shortcut."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = EqualConv2d(inputs, inputs, 3)
        self.second = EqualConv2d(inputs, outputs, 3, stride=2)
        self.shortcut = EqualConv2d(inputs, outputs, 1, gain=1.0)

    def forward(self, x: Tensor) -> Tensor:
        h = F.leaky_relu(self.first(x), SLOPE, inplace=True)
        h = F.leaky_relu(self.second(h), SLOPE, inplace=True)
        return (h + self.shortcut(F.avg_pool2d(x, 2))) * math.sqrt(0.5)


class CompactTrunk(nn.Module):
    """An image to a 4 x 4 map: a 5 x 5 convolution of stride 2 (as tables 4 and 5), then `DownBlock`."""

    def __init__(self, resolution: int, channels: Sequence[int], inputs: int = 3) -> None:
        super().__init__()
        if resolution != 4 * 2 ** len(channels):
            raise ValueError(f"{len(channels)} channel numbers take {4 * 2 ** len(channels)} px, not {resolution}")
        self.convolution = EqualConv2d(inputs, channels[0], 5, stride=2)
        self.blocks = nn.ModuleList(DownBlock(i, o) for i, o in pairwise(channels))

    def forward(self, images: Tensor) -> Tensor:
        h = F.leaky_relu(self.convolution(images), SLOPE, inplace=True)
        for block in self.blocks:
            h = block(h)
        return h


class MinibatchDeviation(nn.Module):
    """Append the standard deviation over a group of images as one more channel (Karras et al. 2018, section 3).

    Groups are runs of consecutive images, so that a batch of real images followed by generated ones is never mixed.
    """

    def __init__(self, group: int = 4) -> None:
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        n, _, height, width = x.shape
        group = math.gcd(n, self.group)
        h = x.float().permute(0, 2, 3, 1).reshape(n // group, group, -1)  # a view where channels lie last
        variance = (h - h.mean(dim=1, keepdim=True)).square().mean(dim=1)
        deviation = torch.sqrt(variance + 1e-8).mean(dim=1)
        deviation = deviation.repeat_interleave(group).to(x.dtype)
        return torch.cat([x, deviation[:, None, None, None].expand(n, 1, height, width)], dim=1)


class CompactCritic(nn.Module):
    """An image to one unbounded score.

    With `n_classes`, the score also says how well the image fits its label, by projection
    (Miyato & Koyama 2018, "cGANs with projection discriminator", eq. 3).

    Attributes
    ----------
    n_features : int
        Length of what `features` gives.
    """

    def __init__(
        self,
        resolution: int,
        channels: Sequence[int],
        *,
        n_classes: int | None = None,
        group: int = 4,
        inputs: int = 3,
    ) -> None:
        super().__init__()
        last = self.n_features = channels[-1]
        self.trunk = CompactTrunk(resolution, channels, inputs)
        self.deviation = MinibatchDeviation(group)
        self.convolution = EqualConv2d(last + 1, last, 3)
        self.fully_connected = EqualLinear(last * 16, last, gain=GAIN)
        self.score = EqualLinear(last, 1)
        self.projection = nn.Embedding(n_classes, last) if n_classes else None
        self.projection_scale = 1 / math.sqrt(last)

    def features(self, images: Tensor) -> Tensor:
        """Return what the score is a function of, [n, n_features], for images [n, 3, R, R] in [-1, 1]."""
        h = F.leaky_relu(self.convolution(self.deviation(self.trunk(images))), SLOPE)
        return F.leaky_relu(self.fully_connected(h.flatten(1)), SLOPE)

    def judge(self, features: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return scores [n] for features [n, n_features] and, for a critic with projection, labels [n]."""
        score = self.score(features).squeeze(1).float()
        if self.projection is not None and labels is not None:
            score = score + self.projection_scale * (self.projection(labels) * features.float()).sum(dim=1)
        return score

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return scores [n] for images [n, 3, R, R] in [-1, 1] and, for a critic with projection, labels [n]."""
        return self.judge(self.features(images), labels)


class CompactClassifier(nn.Module):
    """An image to one logit per class, by the same trunk as the critic and a mean over positions."""

    def __init__(self, n_classes: int, resolution: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.trunk = CompactTrunk(resolution, channels)
        self.logits = EqualLinear(channels[-1], n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [n, n_classes] for images [n, 3, R, R] in [-1, 1]."""
        return self.logits(self.trunk(images).mean(dim=(2, 3)))
