"""A judge of another kind for the class watch: a network pretrained on natural images, with a linear head.

The independent classifier is a small network, as the players are, and sees what they see: shape. This one sees texture.
Its head learns from the run's real training images, once, and is kept in the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.metrics.extractors.lite import LiteFeatures
from gansynth.metrics.linear_head import LinearHead, Standardisation, fit_linear_head
from gansynth.runs.device import has_bf16
from gansynth.runs.weights import read_weights, write_weights

JUDGE = "pretrained_judge.safetensors"
"""The head's file in a run."""

VERSIONS = (2, 0)
"""EfficientNet-Lite's versions that may judge; the first that no player looks through does."""

_READ = 256


class PretrainedJudge:
    """Classes and features of images, by a network that no player has to do with.

    Parameters
    ----------
    version : {2, 0}
        Of EfficientNet-Lite.
    head : LinearHead
    device : torch.device
    """

    def __init__(self, version: int, head: LinearHead, device: torch.device) -> None:
        self.version, self.head, self.name = version, head, f"lite{version}"
        self._features = _extractor(version, device)
        self.width = self._features.width

    def look(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the class [n] of each image uint8 [n, 3, H, W], and its standardised features [n, d]."""
        features = self._features(images)["features"]
        return self.head(features), self.head.standardise(features)

    def save(self, path: Path) -> None:
        """Write the head to a safetensors file; the network's own weights come from its package."""
        tensors = {
            "mean": self.head.standardise.mean,
            "scale": self.head.standardise.scale,
            "weight": self.head.weight,
            "bias": self.head.bias,
        }
        shape = {"efficientnet_lite": str(self.version)}
        write_weights(path, {name: torch.from_numpy(np.ascontiguousarray(x)) for name, x in tensors.items()}, shape)

    @classmethod
    def load(cls, path: Path, device: torch.device) -> PretrainedJudge:
        """Read a file that `save` wrote.

        Raises
        ------
        InputError
            If it is none.
        """
        tensors, shape = read_weights(path)
        held = {name: tensor.numpy() for name, tensor in tensors.items()}
        try:
            head = LinearHead(Standardisation(held["mean"], held["scale"]), held["weight"], held["bias"])
            version = VERSIONS[VERSIONS.index(int(shape["efficientnet_lite"]))]
            judge = cls(version, head, device)
        except (KeyError, ValueError):
            raise InputError(f"{path}: is not a pretrained judge that gansynth wrote; the run was edited") from None
        width = (judge.width,)
        if not head.weight.shape[1:] == head.standardise.mean.shape == width or len(head.weight) != len(head.bias):
            raise InputError(f"{path}: does not fit EfficientNet-Lite{version}; the run was edited")
        return judge


def judging_version(players: Sequence[str]) -> int | None:
    """Return the version that judges a GAN whose players look through the pretrained networks named, such as
    "efficientnet-lite0"; None where none is left."""
    return next((version for version in VERSIONS if f"efficientnet-lite{version}" not in players), None)


def learn_pretrained_judge(
    train: CellDataset,
    version: int,
    *,
    per_class: int = 200,
    device: torch.device,
    on_step: Callable[[int, int], None] | None = None,
) -> PretrainedJudge:
    """Learn the head from a training split.

    Parameters
    ----------
    train : CellDataset
        Real training images of two classes or more.
    version : {2, 0}
        See `judging_version`.
    per_class : int
        Images of each class to learn from, at most; every class weighs the same.
    device : torch.device
    on_step : callable, optional
        Called with (images done, images in all).
    """
    n_classes = len(train.class_names)
    index = np.sort(np.concatenate([np.flatnonzero(train.labels == c)[:per_class] for c in range(n_classes)]))
    extractor, parts = _extractor(version, device), []
    for start in range(0, len(index), _READ):
        parts.append(extractor(train.images[index[start : start + _READ]])["features"])
        if on_step is not None:
            on_step(min(start + _READ, len(index)), len(index))
    return PretrainedJudge(version, fit_linear_head(np.concatenate(parts), train.labels[index], n_classes), device)


def _extractor(version: int, device: torch.device) -> LiteFeatures:
    # A look must not cost much of a training: bfloat16 where that is faster, on real and on generated images alike.
    return LiteFeatures(version, device, bfloat16=has_bf16(device))
