"""Backbones with published weights: what file a network's weights are, and how they get into it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from gansynth.classifier_recipes import BackboneNetwork, BackboneRecipe
from gansynth.errors import InputError
from gansynth.gans.run import nearest_name
from gansynth.metrics.extractors.weights import MissingWeights, WeightFile, find_weights, only_tensors, read_state
from gansynth.networks.backbone import Backbone


@dataclass(frozen=True)
class Published:
    """What a library says about the weights of one of its networks.

    Attributes
    ----------
    file : WeightFile
    mean, std : sequence of float
        What colours (0..1) were centred and scaled by.
    """

    file: WeightFile
    mean: Sequence[float]
    std: Sequence[float]


def build_backbone(recipe: BackboneRecipe, n_classes: int, weights_dir: Path | None = None) -> Backbone:
    """Return a backbone with its published weights (or none, where the recipe says so) and an untrained head.

    Raises
    ------
    MissingWeights
        If the weight file is in none of the folders (see `gansynth.metrics.extractors.weights.folders`).
    InputError
        If the library has no such network, or the file is another one.
    """
    network = recipe.network
    published = published_weights(recipe.name, network)
    state: Mapping[str, Tensor] | None = None
    if network.weights == "pretrained":
        state = read_published(published.file, weights_dir)
    build = _torchvision_trunk if network.library == "torchvision" else _timm_trunk
    try:
        trunk, width = build(network.model, state)
    except RuntimeError as error:
        if state is None:
            raise
        reason = str(error).splitlines()[-1].strip()
        raise InputError(
            f"{published.file.name}: does not fit {network.library}'s {network.model} ({reason})"
        ) from None
    return Backbone(
        trunk, width, n_classes, input_size=network.input_size, mean=published.mean, std=published.std,
        frozen=network.frozen, dropout=network.dropout,
    )  # fmt: skip


def published_weights(name: str, network: BackboneNetwork) -> Published:
    """Return which file a library publishes for a network, and how its images are scaled.

    Parameters
    ----------
    name : str
        The recipe, for messages.
    network : BackboneNetwork

    Raises
    ------
    InputError
        If the library has no such network; a near miss is suggested.
    """
    return (_of_torchvision if network.library == "torchvision" else _of_timm)(name, network.model)


def read_published(file: WeightFile, weights_dir: Path | None = None) -> dict[str, Tensor]:
    """Read a published weight file, and say what can be done without it."""
    try:
        path = find_weights(file, weights_dir)
    except MissingWeights as error:
        how = f"{error.how}, or train from scratch with --weights none"
        raise MissingWeights(error.metric, error.file, error.looked_in, how) from None
    if path.suffix == ".safetensors":
        from gansynth.gans.weights import read_weights

        return read_weights(path)[0]
    return only_tensors(read_state(path))


def _of_torchvision(name: str, model: str) -> Published:
    from torchvision import models

    known = models.list_models(module=models)  # classifiers of images, not of videos or pixels
    if model not in known:
        raise InputError(_unknown(name, "torchvision", model, known))
    default: Any = models.get_model_weights(model).DEFAULT  # type: ignore[attr-defined]
    transforms = default.transforms()
    return Published(_file(name, default.url), transforms.mean, transforms.std)


def _of_timm(name: str, model: str) -> Published:
    import timm

    if not timm.is_model(model):
        raise InputError(_unknown(name, "timm", model, timm.list_models()))
    config = timm.models.get_pretrained_cfg(model)
    if config is None:
        raise InputError(f"recipe {name}: timm publishes no weights of {model}; give another network.model")
    if config.url:
        return Published(_file(name, str(config.url)), config.mean, config.std)
    url = f"https://huggingface.co/{config.hf_hub_id}/resolve/main/model.safetensors"
    saved_as = f"{model}.{config.tag}.safetensors"
    return Published(WeightFile(saved_as, "", f"recipe {name}", f"{url} as {saved_as}"), config.mean, config.std)


def _file(name: str, url: str) -> WeightFile:
    file = url.rsplit("/", 1)[-1]
    digits = re.search(r"-([0-9a-f]{8,})\.", file)
    return WeightFile(file, digits[1] if digits else "", f"recipe {name}", url)


def _unknown(name: str, library: str, model: str, known: Sequence[str]) -> str:
    near = nearest_name(model, list(known))
    hint = f"did you mean '{near}'?" if near else f"see the list of {library}'s models"
    return f"recipe {name}: {library} has no network '{model}'; {hint}"


def _torchvision_trunk(model: str, state: Mapping[str, Tensor] | None) -> tuple[nn.Module, int]:
    from torchvision.models import get_model

    # Inception's own first step turns ImageNet's scale into the one it was trained with.
    options: dict[str, Any] = {"inception_v3": {"transform_input": True, "init_weights": state is None}}.get(model, {})
    network = get_model(model, weights=None, **options)
    if state is not None:
        network.load_state_dict(_as_torchvision_names(state))
    if model == "inception_v3":  # the second head serves a training from scratch on ImageNet
        network.aux_logits, network.AuxLogits = False, None
    path, last = [(path, m) for path, m in network.named_modules() if isinstance(m, nn.Linear)][-1]
    parent, _, own = path.rpartition(".")
    setattr(network.get_submodule(parent), own, nn.Identity())
    return network, last.in_features


def _as_torchvision_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights under the names of today: DenseNet's published files have those of torch 0.4."""
    old = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.((?:[12])\.(?:weight|bias|running_mean|running_var))$")
    return {old.sub(r"\1\2", name): tensor for name, tensor in state.items()}


def _timm_trunk(model: str, state: Mapping[str, Tensor] | None) -> tuple[nn.Module, int]:
    import timm

    network: Any = timm.create_model(model, pretrained=False)
    if state is not None:
        network.load_state_dict(state)
    network.reset_classifier(0)
    return network, network.num_features
