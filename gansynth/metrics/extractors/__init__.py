"""Frozen networks in whose features images are compared, and the published files they need."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, overload

import torch

from gansynth.errors import InputError
from gansynth.metrics.extractors.alex import AlexFeatures
from gansynth.metrics.extractors.dinobloom import HOW, METRICS, DinoBloomFeatures
from gansynth.metrics.extractors.extractor import Extractor
from gansynth.metrics.extractors.inception import InceptionFeatures
from gansynth.metrics.extractors.lite import LiteFeatures
from gansynth.metrics.extractors.weights import MissingWeights, find_weights

__all__ = [
    "AlexFeatures",
    "DinoBloomFeatures",
    "Extractor",
    "InceptionFeatures",
    "LiteFeatures",
    "MissingWeights",
    "find_weights",
    "open_extractor",
]


@overload
def open_extractor(
    name: Literal["alex"], weights_dir: Path | str | None = ..., device: torch.device | str = ..., file: None = ...
) -> AlexFeatures: ...


@overload
def open_extractor(
    name: Literal["inception", "dinobloom", "lite2", "lite0"],
    weights_dir: Path | str | None = ...,
    device: torch.device | str = ...,
    file: Path | str | None = ...,
) -> Extractor: ...


@overload
def open_extractor(
    name: str, weights_dir: Path | str | None = ..., device: torch.device | str = ..., file: Path | str | None = ...
) -> Any: ...


def open_extractor(
    name: str, weights_dir: Path | str | None = None, device: torch.device | str = "cpu", file: Path | str | None = None
) -> Any:
    """Open an extractor by its name.

    Parameters
    ----------
    name : {"inception", "alex", "dinobloom", "lite2", "lite0"}
        "alex" gives the features that LPIPS is computed from, layer by layer; the others follow `Extractor`.
    weights_dir : path-like or None
        A folder of published weights, see `weights.folders`.
    device : torch.device or str
    file : path-like or None
        For "dinobloom": the user's own weight file.

    Raises
    ------
    MissingWeights
        If the weights are not there: it says which file, where it was looked for and how to get it.
    InputError
        If the weights are not the published ones, or there is no extractor of that name.
    """
    if name == "inception":
        return InceptionFeatures(weights_dir, device)
    if name == "alex":
        return AlexFeatures(weights_dir, device)
    if name == "dinobloom":
        if file is None:
            raise MissingWeights(METRICS, "DinoBloom-S.pth", "", HOW)
        return DinoBloomFeatures(file, device)
    if name in ("lite2", "lite0"):
        return LiteFeatures(int(name[-1]), device)
    raise InputError(f"no extractor '{name}'; choose inception, alex, dinobloom, lite2 or lite0")
