"""The network that FID, KID and IS are defined with, as torch-fidelity runs it, one pass for all of them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansynth.errors import InputError
from gansynth.files.regular import file_sha256
from gansynth.metrics.extractors.extractor import batches, exact_arithmetic
from gansynth.metrics.extractors.weights import INCEPTION, WeightFile, find_weights, read_state
from gansynth.runs.device import placed

BATCH = {"cpu": 8, "cuda": 64}
"""Images at a time: what fits into a processor's cache, and what fills a GPU."""


class InceptionFeatures:
    """torch-fidelity's ``inception-v3-compat``: pooled features and the logits without their bias.

    Both come from one pass; torch-fidelity makes one for each of its calls. The arithmetic is torch-fidelity's, in
    32 bits: the image is resized as TensorFlow 1 did, once along each axis instead of four times over the whole image
    (the same numbers bit for bit, in less time), and tensors lie channels-last (equal to about 1e-6).

    Parameters
    ----------
    weights_dir : path-like or None
        A folder that holds the weights, see `weights.folders`.
    device : torch.device or str
    file : WeightFile
        Which file; another one than the default only in tests.

    Raises
    ------
    MissingWeights, InputError
        See `find_weights`.

    References
    ----------
    Szegedy, C. et al. (2015), arXiv:1512.00567; Heusel, M. et al. (2017), arXiv:1706.08500.
    """

    name = "inception"

    def __init__(
        self,
        weights_dir: Path | str | None = None,
        device: torch.device | str = "cpu",
        *,
        file: WeightFile = INCEPTION,
    ) -> None:
        path = find_weights(file, weights_dir)
        self.sha256 = file_sha256(path)
        self.device = torch.device(device)
        self._network = placed(_network(path), self.device)

    @torch.inference_mode()
    def __call__(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Return "features", float32 [n, 2048], and "logits", float32 [n, 1008], of uint8 images [n, 3, H, W]."""
        features = np.empty((len(images), 2048), dtype=np.float32)
        logits = np.empty((len(images), 1008), dtype=np.float32)
        with exact_arithmetic():
            for part, batch in batches(images, BATCH.get(self.device.type, 8), self.device):
                pooled = self._pooled(batch)
                rows = part.stop - part.start
                features[part] = pooled[:rows].cpu().numpy()
                logits[part] = pooled.mm(self._network.fc.weight.T)[:rows].cpu().numpy()
        return {"features": features, "logits": logits}

    def _pooled(self, images: Tensor) -> Tensor:
        size = self._network.INPUT_IMAGE_SIZE
        x = (resized_like_tensorflow(images.float(), size) - 128) / 128
        x = x.contiguous(memory_format=torch.channels_last)
        for name, layer in self._network.named_children():
            if name != "fc":
                x = layer(x)
        return x.flatten(1)


def resized_like_tensorflow(images: Tensor, size: int) -> Tensor:
    """Resize bilinearly as TensorFlow 1 did: without antialiasing, corner to corner of the pixel grid's origin.

    Parameters
    ----------
    images : float tensor, shape [n, c, H, W]
    size : int
        Height and width of the result.
    """
    left, right, of_right = _between(images.shape[3], size, images)
    rows = images[..., left]
    rows = rows + (images[..., right] - rows) * of_right
    top, bottom, of_bottom = _between(images.shape[2], size, images)
    upper = rows[:, :, top]
    return upper + (rows[:, :, bottom] - upper) * of_bottom[:, None]


def _between(old: int, new: int, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return for each new pixel the two old ones around it, and the share of the second."""
    scale = torch.tensor(old / new, dtype=torch.float32, device=like.device)
    at = torch.arange(new, dtype=like.dtype, device=like.device) * scale
    first = at.long()
    return first, (first + 1).clamp_max(old - 1), at - first.float()


def _network(path: Path) -> Any:
    """Return torch-fidelity's network, whose parts have no types."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    # torch-fidelity unpickles whatever its file holds. It is given these tensors, read safely, in a file in memory.
    safe = io.BytesIO()
    torch.save(dict(read_state(path)), safe)
    safe.seek(0)
    try:
        return FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=safe
        )
    except (RuntimeError, TypeError, AttributeError):
        raise InputError(
            f"{path}: holds no Inception weights as torch-fidelity publishes them; give that file"
        ) from None
