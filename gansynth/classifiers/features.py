"""What a classical classifier looks at: pixels, what is measured of nuclei, or the features of a network."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gansynth.cells.nuclei import COLUMNS, nucleus_features
from gansynth.cells.segmentation import segment_cell
from gansynth.classifiers.backbones import build_backbone, published_weights
from gansynth.classifiers.cell_encoder import CellEncoder, open_encoder, train_cell_encoder
from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.networks.backbone import Backbone, Preparation
from gansynth.networks.efficientnet_lite import LiteStages, channel_moments
from gansynth.networks.images import resized, to_float
from gansynth.recipes.classifier import BackboneRecipe, load_classifier_recipe
from gansynth.runs.device import chosen_device, placed

PIXEL_EDGE = 32
"""Larger images are averaged down to this edge before their pixels count: principal components keep no more."""

BATCH = 256

FROZEN_BATCH = 32
"""Images that a frozen network describes at a time, always so many."""

REMEMBERED = 2**28
"""Bytes of features of frozen networks that a process keeps: those of 40,000 images by EfficientNet-Lite0."""

SMALLEST_CELL = 32
"""Edge, in pixels, of the smallest images in which nuclei are measured."""


class Features(ABC):
    """Numbers that describe an image.

    Attributes
    ----------
    weights : str
        "pretrained" or "none" for a backbone, else "".
    """

    weights: str = ""

    @property
    def seen_sha256(self) -> frozenset[str]:
        """The sha256 of every image that they were fitted on, none for pixels."""
        return frozenset()

    @abstractmethod
    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Describe images: uint8 [n, 3, H, W] to float32 [n, d]; row i depends on image i only."""


class Pixels(Features):
    """Every pixel's three colours, 0..1, after averaging to at most 32 x 32 px.

    Examples
    --------
    >>> Pixels()(np.full((2, 3, 64, 64), 255, np.uint8)).shape
    (2, 3072)
    """

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        edge = min(PIXEL_EDGE, images.shape[-1])
        found = np.empty((len(images), 3 * edge * edge), dtype=np.float32)
        for start in range(0, len(images), BATCH):
            part = torch.from_numpy(np.array(images[start : start + BATCH])).float().div_(255)
            found[start : start + BATCH] = resized(part, edge).flatten(1).numpy()
        return found


class NucleusMeasures(Features):
    """What `gansynth.cells.nuclei` measures of a cell (alkrimi2023, section 2.2), and whether its cut is good.

    Where a nucleus was found it is measured even if the cut of its cell is not to be trusted; where there was none,
    every number is 0. An image is measured once in a process: folds, arms and seeds ask for the same ones again.
    """

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        if images.shape[-1] < SMALLEST_CELL:
            raise InputError(
                f"features 'nuclei': nuclei cannot be cut out at {images.shape[-1]} pixels; set resolution to "
                f"{SMALLEST_CELL} or more, best 128"
            )
        found = np.empty((len(images), 1 + len(COLUMNS)), dtype=np.float32)
        for row, image in zip(found, images, strict=True):
            pixels = np.ascontiguousarray(image)
            name = hashlib.blake2b(pixels.tobytes(), digest_size=16).digest()
            if name not in _MEASURED:
                _MEASURED[name] = _nucleus_row(pixels)
            row[:] = _MEASURED[name]
        return found


_MEASURED: dict[bytes, NDArray[np.float32]] = {}  # a hundred bytes for an image, a tenth of a second to find them


def _nucleus_row(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    masks = segment_cell(image)
    if not masks.nucleus.any():
        return np.zeros(1 + len(COLUMNS), np.float32)
    return np.array([masks.problem is None, *nucleus_features(image, masks).values()], np.float32)


@dataclass(frozen=True)
class EncoderFeatures(Features):
    """The features of a cell encoder."""

    encoder: CellEncoder

    @property
    def seen_sha256(self) -> frozenset[str]:
        return self.encoder.training_sha256

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.encoder(images)["features"]


class FrozenFeatures(Features):
    """What a frozen network makes of images.

    An image is described once in a process: folds, arms and seeds ask for the same ones again, in other company, and
    the network takes longer over them than the classifier that learns from its features. It is remembered by its pixels
    and by the network's weights. Batches are always of one size, filled up where images run short: an image's features
    round differently in a batch of another size, and must not depend on who asked for what before.

    Parameters
    ----------
    network : Module
        Already where it computes, in evaluation mode.
    edge : int
        Pixels to which it brings images.
    width : int
        Features of an image.
    """

    weights = "pretrained"

    def __init__(self, network: nn.Module, edge: int, width: int) -> None:
        self.network, self.width = network, width
        tensors = [*network.parameters(), *network.buffers()]
        self.device = tensors[0].device
        self._name = hashlib.blake2b(f"{network} {edge} {self.device}".encode())
        for tensor in tensors:
            self._name.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())

    @abstractmethod
    def described(self, images: Tensor) -> Tensor:
        """Describe a batch: uint8 tensor [n, 3, H, W] to float tensor [n, width]."""

    @torch.inference_mode()
    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        found = np.empty((len(images), self.width), np.float32)
        room = REMEMBERED - sum(one.nbytes for one in _DESCRIBED.values())
        new: dict[bytes, list[int]] = {}
        for i, image in enumerate(images):
            digest = self._name.copy()
            digest.update(repr(image.shape).encode() + image.tobytes())
            name = digest.digest()
            if name in _DESCRIBED:
                found[i] = _DESCRIBED[name]
            else:
                new.setdefault(name, []).append(i)
        asked = list(new.items())
        for start in range(0, len(asked), FROZEN_BATCH):
            part = asked[start : start + FROZEN_BATCH]
            rows = [where[0] for _, where in part]
            full = rows + rows[:1] * (FROZEN_BATCH - len(rows))
            batch = torch.from_numpy(np.asarray(images[full])).to(self.device)
            features = self.described(batch)[: len(rows)].float().cpu().numpy()
            for (name, where), one in zip(part, features, strict=True):
                found[where] = one
                if one.nbytes <= room:
                    _DESCRIBED[name], room = one.copy(), room - one.nbytes
        return found


_DESCRIBED: dict[bytes, NDArray[np.float32]] = {}


class BackboneFeatures(FrozenFeatures):
    """What lies under the head of a backbone, with weights that were published."""

    network: Backbone

    def __init__(self, network: Backbone) -> None:
        super().__init__(network, network.prepare.input_size, network.head.in_features)

    def described(self, images: Tensor) -> Tensor:
        features: Tensor = self.network.features(to_float(images))
        return features


class StageFeatures(FrozenFeatures):
    """Mean and standard deviation of every map after each of the seven stages of a frozen EfficientNet-Lite.

    The middle stages know more of cells than the last one does, which has learned to name photographs.

    Parameters
    ----------
    recipe : BackboneRecipe
        Of an EfficientNet-Lite with its published weights; images are brought to its `input_size`.
    device : torch.device

    Raises
    ------
    InputError
        If the recipe is of another network, or its images do not halve five times.
    """

    def __init__(self, recipe: BackboneRecipe, device: torch.device) -> None:
        published, edge = published_weights(recipe.name, recipe.network), recipe.network.input_size
        if published.lite is None:
            raise InputError(
                f"features 'stages:{recipe.name}': {recipe.network.model} is not an EfficientNet-Lite; take "
                f"stages:efficientnet-lite0, or backbone:{recipe.name}"
            )
        if edge % 32:
            raise InputError(f"features 'stages:{recipe.name}': network.input_size {edge} is not a multiple of 32")
        stages = LiteStages(published.lite)
        prepare = Preparation(edge, published.mean, published.std)
        super().__init__(placed(nn.Sequential(prepare, stages), device), edge, 2 * sum(stages.channels))

    def described(self, images: Tensor) -> Tensor:
        maps = self.network(to_float(images))
        return torch.cat([channel_moments(m) for m in maps], dim=1)


def open_features(
    spec: str,
    real: CellDataset,
    *,
    seed: int = 0,
    device: str = "auto",
    weights_dir: Path | None = None,
) -> Features:
    """Return the features that a classical recipe names.

    Parameters
    ----------
    spec : str
        "pixels"; "nuclei", see `NucleusMeasures`; "encoder", a cell encoder trained on `real`; "encoder:NAME", one that
        ships or a folder; "backbone:RECIPE", what lies under the head of a backbone; "stages:RECIPE", see
        `StageFeatures`.
    real : CellDataset
        The real images that may be learned from.
    seed : int
    device : {"auto", "cpu", "cuda"}
    weights_dir : path, optional
        Where published weights of backbones lie.

    Raises
    ------
    InputError
        If there are no such features, or an encoder does not say which images it was trained on: nobody could know
        then whether test images were among them.
    """
    kind, _, name = spec.partition(":")
    if kind != "encoder":
        return published_features(spec, device=device, weights_dir=weights_dir)
    where = chosen_device(device)
    if not name:
        if not len(real):
            raise InputError("'encoder' features are learned from real images, and this arm has none; use pixels")
        return EncoderFeatures(train_cell_encoder(real, seed=seed, device=where))
    encoder = open_encoder(name, where)
    if not encoder.training_sha256:
        raise InputError(
            f"cell encoder {name} does not say which images it was trained on, so a leak of test images could not be "
            "seen; use 'encoder' (one is trained on the training split), or train it anew"
        )
    return EncoderFeatures(encoder)


def published_features(spec: str, *, device: str = "auto", weights_dir: Path | None = None) -> Features:
    """Return features that nothing here was fitted for: pixels, nuclei, or those of published weights.

    Raises
    ------
    InputError
        If the recipe is not that of a backbone, or has no published weights.
    """
    if spec == "pixels":
        return Pixels()
    if spec == "nuclei":
        return NucleusMeasures()
    kind, _, name = spec.partition(":")
    recipe = load_classifier_recipe(name)
    if not isinstance(recipe, BackboneRecipe) or recipe.network.weights != "pretrained":
        raise InputError(
            f"features '{spec}': the recipe is not a backbone with published weights; take {kind}:efficientnet-lite0"
        )
    where = chosen_device(device)
    if kind == "stages":
        return StageFeatures(recipe, where)
    return BackboneFeatures(build_backbone(recipe, 1, weights_dir).to(where).eval())
