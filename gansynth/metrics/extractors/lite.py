"""EfficientNet-Lite, pretrained on natural images: a judge of another kind than the networks that learn from cells."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from gansynth.metrics.extractors.extractor import batches, exact_arithmetic
from gansynth.networks.efficientnet_lite import SHA256, STAGE_CHANNELS, LiteStages, channel_moments
from gansynth.runs.device import placed

EDGE = 128
"""Pixels along each side at which images are looked at."""

BATCH = 32


class LiteFeatures:
    """EfficientNet-Lite 0, 1 or 2, all seven stages: of each channel, mean and standard deviation over the image.

    Nothing in it has seen a cell, and it looks at texture where a small network trained on cells looks at shape: a
    generator that pleases only judges of its own kind is found out here.

    Every image is brought to 128 px: a smaller one is enlarged bilinearly, a larger one reduced (bilinearly,
    antialiased), so that features of any two sets compare, and a judge costs the same at any size.

    The features are as they come. What is computed in them standardises each by real images first
    (`gansynth.studies.quality.views.View`, `gansynth.metrics.linear_head`): a stage with large values would else
    outweigh the others.

    Parameters
    ----------
    version : {0, 1, 2}
    device : torch.device or str
    bfloat16 : bool
        Whether to compute in bfloat16: twice as fast where the processor has it, and not to be compared with other
        features.

    Attributes
    ----------
    name : str
        "lite0", "lite1" or "lite2".
    sha256 : str
        Of the package's weight file.
    width : int
        Features of an image: 2 * (16 + 24 + 48 + 88 + 120 + 208 + 352) = 1,712 for Lite2, 1,568 for the others.

    Raises
    ------
    InputError
        If the package with the weights is not installed, or its file is not the published one.

    References
    ----------
    Tan, M. & Le, Q. (2019). EfficientNet. arXiv:1905.11946. A network that a generator was trained with cannot judge
    it: Kynkaanniemi, T. et al. (2023). The role of ImageNet classes in Frechet inception distance. arXiv:2203.06026.
    """

    def __init__(self, version: int = 2, device: torch.device | str = "cpu", *, bfloat16: bool = False) -> None:
        self.version, self.name, self.sha256 = version, f"lite{version}", SHA256[version]
        self.width = 2 * sum(STAGE_CHANNELS[version])
        self.device, self._bfloat16 = torch.device(device), bfloat16
        self._stages = _opened(version, self.device)

    @torch.inference_mode()
    def __call__(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Return "features", float32 [n, width], of uint8 images [n, 3, H, W]: the seven stages one after the other,
        means before standard deviations in each."""
        features = np.empty((len(images), self.width), dtype=np.float32)
        with exact_arithmetic():
            for part, batch in batches(images, BATCH, self.device):
                with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bfloat16):
                    maps = self._stages(_at_edge(batch.float() / 127.5 - 1))
                features[part] = (
                    torch.cat([channel_moments(h) for h in maps], dim=1)[: part.stop - part.start].cpu().numpy()
                )
        return {"features": features}


@cache
def _opened(version: int, device: torch.device) -> LiteStages:
    """Open the frozen stages once in a process: a benchmark asks the same judge about every run."""
    return placed(LiteStages(version), device)


def _at_edge(x: Tensor) -> Tensor:
    if x.shape[-2:] == (EDGE, EDGE):
        return x.contiguous(memory_format=torch.channels_last)
    smaller = max(x.shape[-2:]) > EDGE
    x = F.interpolate(x, (EDGE, EDGE), mode="bilinear", align_corners=False, antialias=smaller)
    return x.contiguous(memory_format=torch.channels_last)
