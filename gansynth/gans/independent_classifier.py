"""A small classifier that takes no part in the game: it watches the training and screens what is generated.

The third player trained the generator, so it is the last to ask whether the images are right. This one learns from
the real training images only, before the game starts, and is kept in the run.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from gansynth.data.dataset import CellDataset
from gansynth.data.loader import ClassSampler
from gansynth.errors import InputError
from gansynth.networks.images import orient_each, to_float
from gansynth.networks.small_cnn import SmallCNN
from gansynth.runs.device import has_bf16, placed
from gansynth.runs.weights import read_weights, widened, write_weights

EDGE = 64
"""Images are brought to this edge length before they are classified."""


class IndependentClassifier:
    """Probabilities and features of a small CNN trained on real training images only.

    Parameters
    ----------
    network : SmallCNN
    device : torch.device
    """

    def __init__(self, network: SmallCNN, device: torch.device) -> None:
        self.network = placed(network, device).eval()
        self.device = device

    @torch.inference_mode()
    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return class probabilities [n, C] for uint8 images [n, 3, H, W]."""
        return self._in_batches(images, lambda x: F.softmax(self.network(x), dim=1))

    @torch.inference_mode()
    def features(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the features [n, d] before the last layer for uint8 images [n, 3, H, W]."""
        return self._in_batches(images, self.network.features)

    def _in_batches(self, images: NDArray[np.uint8], function: Callable[[Tensor], Tensor]) -> NDArray[np.float32]:
        parts = []
        for start in range(0, len(images), 256):
            x = to_float(torch.from_numpy(np.ascontiguousarray(images[start : start + 256])).to(self.device))
            parts.append(function(_resized(x)).float().cpu().numpy())
        width = 0 if parts else function(torch.zeros(1, 3, EDGE, EDGE, device=self.device)).shape[1]
        return np.concatenate(parts) if parts else np.zeros((0, width), dtype=np.float32)

    def save(self, path: Path) -> None:
        """Write weights and shape to a safetensors file."""
        shape = {"n_classes": str(self.network.n_classes), "width": str(self.network.width)}
        write_weights(path, dict(self.network.state_dict()), shape)

    @classmethod
    def load(cls, path: Path, device: torch.device) -> IndependentClassifier:
        """Read a file that `save` wrote."""
        tensors, shape = read_weights(path)
        try:
            network = SmallCNN(int(shape["n_classes"]), int(shape["width"]))
            network.load_state_dict(widened(tensors))
        except (KeyError, ValueError, RuntimeError):
            raise InputError(f"{path}: is not an independent classifier of gansynth; the run was edited") from None
        return cls(network, device)


def _resized(x: Tensor) -> Tensor:
    if x.shape[-1] == EDGE:
        return x
    return F.interpolate(x, size=(EDGE, EDGE), mode="bilinear", align_corners=False, antialias=True)


def train_independent_classifier(
    train: CellDataset,
    *,
    seed: int,
    device: torch.device,
    images: int | None = None,
    width: int = 32,
    on_step: Callable[[int, int], None] | None = None,
) -> IndependentClassifier:
    """Train a `SmallCNN` on a training split.

    Parameters
    ----------
    train : CellDataset
        Real training images; nothing else may be in it.
    seed : int
        Decides initialisation, order and augmentation; the caller's random state is left as it was.
    images : int, optional
        Images to see in all. Default: 20 times the training split, at least 6,400 and at most 100,000.
    width : int
        Channels of the first layer.
    on_step : callable, optional
        Called with (steps done, steps in all).
    """
    batch_size = 64
    budget = images or int(np.clip(20 * len(train), 6_400, 100_000))
    steps = max(1, budget // batch_size)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        network = placed(SmallCNN(len(train.class_names), width), device).train()
        optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2, fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
        sampler = ClassSampler(train.labels, len(train.class_names), mode="tempered", alpha=0.5)
        order = torch.Generator().manual_seed(seed)
        for step in range(steps):
            labels = sampler.draw_labels(batch_size, order)
            index = sampler.draw_images(labels, order).numpy()
            x = to_float(torch.from_numpy(train.images[index]).to(device))
            x = orient_each(_resized(x))
            with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device)):
                logits = network(_jittered(x))
            loss = F.cross_entropy(logits.float(), labels.to(device), label_smoothing=0.05)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            if on_step is not None:
                on_step(step + 1, steps)
    return IndependentClassifier(network, device)


def _jittered(x: Tensor) -> Tensor:
    """Change brightness and contrast a little, so that illumination does not decide the class."""
    gain = 1 + 0.2 * (torch.rand(len(x), 1, 1, 1, device=x.device) - 0.5)
    shift = 0.2 * (torch.rand(len(x), 1, 1, 1, device=x.device) - 0.5)
    return x * gain + shift
