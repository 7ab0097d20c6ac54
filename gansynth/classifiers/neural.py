"""Neural classifiers: a network with what it was trained for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gansynth.classifiers.backbones import build_backbone, build_cbam
from gansynth.classifiers.classifier import Classifier
from gansynth.classifiers.curves import Epoch
from gansynth.classifiers.registry import MAKERS, register
from gansynth.networks.custom_cnn import CustomCNN
from gansynth.networks.images import to_float
from gansynth.networks.sequential_cnn import SequentialCNN
from gansynth.recipes.classifier import BackboneRecipe, CbamRecipe, CustomRecipe, NeuralRecipe, SequentialRecipe
from gansynth.runs.device import has_bf16

BATCH = 128
"""Images that pass together where nothing is learned."""


class NeuralClassifier(Classifier):
    """A network that has learned.

    Parameters
    ----------
    network : nn.Module
        Images [n, 3, R, R] in [-1, 1] to logits [n, C].
    recipe : NeuralRecipe
    class_names : tuple of str
    device : torch.device
    seen_sha256, chosen_on_sha256, curve, weights
        See `Classifier`.
    """

    recipe: NeuralRecipe

    def __init__(
        self,
        network: nn.Module,
        recipe: NeuralRecipe,
        class_names: tuple[str, ...],
        device: torch.device,
        *,
        seen_sha256: frozenset[str] = frozenset(),
        chosen_on_sha256: frozenset[str] = frozenset(),
        curve: list[Epoch] | None = None,
        weights: str = "",
    ) -> None:
        self.network, self.recipe, self.class_names, self.device = network, recipe, class_names, device
        self.seen_sha256, self.chosen_on_sha256 = seen_sha256, chosen_on_sha256
        self.curve, self.weights = curve or [], weights

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        self.refuse_other_size(images)
        if len(images) == 0:
            return np.empty((0, len(self.class_names)))
        return probabilities_of(self.network, images, self.device, bf16=computes_in_bf16(self.recipe, self.device))


@register(SequentialRecipe)
def _sequential(recipe: SequentialRecipe, n_classes: int, weights_dir: Path | None) -> nn.Module:
    n = recipe.network
    return SequentialCNN(
        n_classes, recipe.resolution, n.channels, kernel=n.kernel, stride=recipe.stride, dropout=n.dropout,
        negative_slope=n.negative_slope,
    )  # fmt: skip


@register(CustomRecipe)
def _custom(recipe: CustomRecipe, n_classes: int, weights_dir: Path | None) -> nn.Module:
    return CustomCNN(n_classes, recipe.resolution, recipe.network.channels, recipe.network.hidden)


register(BackboneRecipe)(build_backbone)
register(CbamRecipe)(build_cbam)


def build_network(recipe: NeuralRecipe, n_classes: int, weights_dir: Path | None = None) -> nn.Module:
    """Return an untrained network (a backbone: with its published weights and a new head).

    Raises
    ------
    InputError
        If the weights of a backbone are missing, or it is unknown.
    """
    network: nn.Module = MAKERS[type(recipe)](recipe, n_classes, weights_dir)
    return network


@torch.inference_mode()
def probabilities_of(
    network: nn.Module, images: NDArray[np.uint8], device: torch.device, *, bf16: bool
) -> NDArray[np.float64]:
    """Return the softmax of a network's logits, float64 [n, C]; the network is left in the mode it was in."""
    training = network.training
    network.eval()
    found = []
    for start in range(0, len(images), BATCH):
        batch = torch.from_numpy(np.ascontiguousarray(images[start : start + BATCH])).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            logits = network(to_float(batch))
        found.append(logits.double().softmax(dim=1).cpu().numpy())
    network.train(training)
    return np.concatenate(found)


def computes_in_bf16(recipe: NeuralRecipe, device: torch.device) -> bool:
    """Return whether a recipe computes in bfloat16 on a device."""
    precision = recipe.training.precision
    return precision == "bf16" or (precision == "auto" and has_bf16(device))
