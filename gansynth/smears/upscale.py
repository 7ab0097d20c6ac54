"""Enlarging a piece of a smear field: by Lanczos's filter, or by a super-resolution network of the user's.

pasupa2020, algorithm 1, line 3, enlarges with Waifu2x. Weights of such networks are read by spandrel, which knows the
published families by their weights; it is not a dependency of gansynth, and nothing is downloaded.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansynth.data.folders import shown
from gansynth.errors import InputError
from gansynth.files import open_regular


@dataclass(frozen=True)
class SuperResolution:
    """A network that enlarges.

    Attributes
    ----------
    enlarge : callable
        Takes uint8 [h, w, 3], gives uint8 [factor h, factor w, 3].
    factor : int
    name : str
        Family of the network, as spandrel calls it.
    """

    enlarge: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
    factor: int
    name: str


def open_super_resolution(path: str | Path, device: str = "cpu") -> SuperResolution:
    """Open a super-resolution network from its weight file.

    Parameters
    ----------
    path : path-like
        `.safetensors`, or `.pth` / `.pt` that holds tensors only.
    device : {"auto", "cpu", "cuda"}
        Where it runs.

    Raises
    ------
    InputError
        If spandrel is not installed, there is no such device, or the file is not a network that enlarges RGB images.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{shown(path)}: no such weight file; check the path, or leave --super-resolution out")
    try:
        spandrel = importlib.import_module("spandrel")
    except ImportError as error:
        raise InputError(
            "super-resolution needs the package spandrel, which is not installed; "
            "install it (pip install spandrel), or leave --super-resolution out"
        ) from error
    try:
        model = spandrel.ModelLoader(device="cpu").load_from_state_dict(_tensors(path, spandrel))
    except spandrel.UnsupportedModelError as error:
        raise InputError(
            f"{shown(path)}: spandrel knows no network with these weights; give weights of a published family"
        ) from error
    except InputError:
        raise
    except Exception as error:  # whatever a network's code makes of wrong shapes
        raise InputError(
            f"{shown(path)}: these weights do not fit together ({_line(error)}); load them anew"
        ) from error
    if not isinstance(model, spandrel.ImageModelDescriptor) or (model.input_channels, model.output_channels) != (3, 3):
        raise InputError(f"{shown(path)}: no network from RGB to RGB images; give a super-resolution network")
    if model.scale < 2:
        raise InputError(f"{shown(path)}: a network that enlarges {model.scale} times; give one for 2 times or more")
    from gansynth.runs.device import chosen_device

    model.to(chosen_device(device))
    model.model.eval()
    return SuperResolution(lambda pixels: _enlarged(model, pixels), model.scale, model.architecture.name)


def _tensors(path: Path, spandrel: Any) -> dict[str, Any]:
    import torch
    from safetensors.torch import load_file

    from gansynth.runs.weights import refuse_not_finite

    open_regular(path).close()  # a pipe would be waited for
    try:
        # weights_only: a weight file is data, and must not be able to run code.
        held = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except Exception as error:  # damaged in any way, or more than tensors
        raise InputError(
            f"{shown(path)}: cannot be read as weights ({_line(error)}); give a .safetensors file, or a .pth of tensors"
        ) from error
    if not isinstance(held, dict):
        raise InputError(f"{shown(path)}: holds no named tensors; give the network's state dict")
    state = dict(spandrel.canonicalize_state_dict(held))
    refuse_not_finite({name: value for name, value in state.items() if isinstance(value, torch.Tensor)}, path)
    return state


def _enlarged(model: Any, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import torch

    with torch.inference_mode():
        image = torch.from_numpy(np.array(pixels)).to(model.device).permute(2, 0, 1)[None].float() / 255
        values = (model(image)[0].clamp(0, 1) * 255).round().to(torch.uint8)
    return np.asarray(values.permute(1, 2, 0).cpu().numpy())


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
