"""LPIPS, one image at a time: features whose squared differences are the distance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansynth.errors import InputError
from gansynth.metrics.extractors.extractor import batches, exact_arithmetic
from gansynth.metrics.extractors.weights import (
    ALEXNET,
    WeightFile,
    file_sha256,
    find_weights,
    only_tensors,
    read_state,
)

SMALLEST = 31
"""Pixels an image needs along each side for AlexNet's five layers."""

BATCH = 64

_TAPPED = (1, 4, 7, 9, 11)
"""Where AlexNet's five rectified convolutions stand in ``features`` (Krizhevsky 2014, as in torchvision)."""


class AlexFeatures:
    """The trunk and the linear heads of LPIPS-Alex 0.1, applied to single images.

    LPIPS compares unit-normalised features f with weights w >= 0 on the squared difference of each channel:
    w (f_a - f_b)^2 = (sqrt(w) f_a - sqrt(w) f_b)^2. So with features times sqrt(w) computed once for each image, any
    number of distances costs no further pass.

    Parameters
    ----------
    weights_dir : path-like or None
        A folder that holds AlexNet's weights, see `weights.folders`; the linear heads come with the package lpips.
    device : torch.device or str
    file : WeightFile
        Which file; another one than the default only in tests.

    Raises
    ------
    MissingWeights, InputError
        See `find_weights`.

    References
    ----------
    Zhang, R. et al. (2018). The unreasonable effectiveness of deep features as a perceptual metric. arXiv:1801.03924,
    eq. 1.
    """

    name = "alex"

    def __init__(
        self,
        weights_dir: Path | str | None = None,
        device: torch.device | str = "cpu",
        *,
        file: WeightFile = ALEXNET,
    ) -> None:
        path = find_weights(file, weights_dir)
        self.sha256 = file_sha256(path)
        self.device = torch.device(device)
        self._trunk = _trunk(path).to(self.device)
        self._roots = [root.to(self.device) for root in _roots_of_linear_weights()]

    @torch.inference_mode()
    def __call__(self, images: NDArray[np.uint8]) -> list[Tensor]:
        """Return the five layers' features, on the extractor's device.

        Parameters
        ----------
        images : uint8 array, shape [n, 3, H, W]
            RGB, 0..255, at least 31 px along each side.

        Returns
        -------
        list of float32 tensors, shape [n, c, h, w]
            At each place of unit length over the channels, then times the square root of the linear head's weights.
            LPIPS of two images is the sum over the layers of the mean over the places of the squared difference
            summed over the channels: ``sum((a - b).square().sum(1).mean((1, 2)) for a, b in zip(one, other))``.
            At 64 px an image takes 128 kB, at 128 px 0.6 MB.

        Raises
        ------
        InputError
            If the images are smaller than 31 px.
        """
        if min(images.shape[2:]) < SMALLEST:
            height, width = images.shape[2:]
            raise InputError(
                f"LPIPS needs images of at least {SMALLEST} x {SMALLEST} px; these have {width} x {height}"
            )
        found: list[list[Tensor]] = [[] for _ in _TAPPED]
        with exact_arithmetic():
            for part, batch in batches(images, min(BATCH, max(len(images), 1)), self.device):
                for layers, layer in zip(found, self._layers(batch), strict=True):
                    layers.append(layer[: part.stop - part.start])
        return [torch.cat(layers) for layers in found]

    def _layers(self, images: Tensor) -> list[Tensor]:
        # From 0..255 to -1..1, then to the statistics of ImageNet in that range, as in lpips.ScalingLayer.
        shift = torch.tensor([-0.030, -0.088, -0.188], device=self.device).view(3, 1, 1)
        scale = torch.tensor([0.458, 0.448, 0.450], device=self.device).view(3, 1, 1)
        x = (2 * (images.float() / 255) - 1 - shift) / scale
        tapped = []
        for place, layer in enumerate(self._trunk):
            x = layer(x)
            if place in _TAPPED:
                tapped.append(x)
        lengths = [layer.square().sum(dim=1, keepdim=True).sqrt() + 1e-10 for layer in tapped]
        return [f / length * root for f, length, root in zip(tapped, lengths, self._roots, strict=True)]


def _trunk(path: Path) -> torch.nn.Sequential:
    from torchvision.models import alexnet

    with torch.device("meta"):
        trunk = alexnet(weights=None).features[: _TAPPED[-1] + 1]
    state = {k.removeprefix("features."): v for k, v in only_tensors(read_state(path)).items() if k[:9] == "features."}
    try:
        trunk.load_state_dict(state, assign=True)
    except RuntimeError:
        raise InputError(f"{path}: holds no AlexNet weights as torchvision publishes them; give that file") from None
    return trunk.requires_grad_(False).eval()


def _roots_of_linear_weights() -> list[Tensor]:
    import lpips

    state = only_tensors(read_state(Path(lpips.__file__).parent / "weights" / "v0.1" / "alex.pth"))
    weights = [state[f"lin{layer}.model.1.weight"] for layer in range(len(_TAPPED))]
    if any(bool((w < 0).any()) for w in weights):
        raise InputError("this version of lpips has negative linear weights, which LPIPS has not; install lpips 0.1.4")
    return [w.float().sqrt() for w in weights]
