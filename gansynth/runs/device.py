"""Which device a name means, and which arithmetic it is fast in."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

from gansynth.errors import InputError

_N = TypeVar("_N", bound=nn.Module)


def chosen_device(name: str) -> torch.device:
    """Return the device for "auto" (a GPU where there is one), "cpu" or "cuda".

    Raises
    ------
    InputError
        If the name is unknown, or there is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(f"no device '{name}'; choose auto, cpu or cuda") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError("no GPU that torch can use on this machine; choose --device cpu or auto")
    return device


def placed(network: _N, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> _N:
    """Move a network to a device with its weights as convolutions are fastest, channels last; return it."""
    # torch knows the call, its type stubs do not.
    return network.to(device=device, dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def has_bf16(device: torch.device) -> bool:
    """Return whether a device computes in bfloat16 faster than in float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def allow_fast_arithmetic(device: torch.device) -> None:
    """Let a GPU choose the fastest convolution for each shape, and TensorFloat-32 where float32 is asked for.

    Not where deterministic algorithms were asked for (`torch.use_deterministic_algorithms`).
    """
    if device.type == "cuda" and not torch.are_deterministic_algorithms_enabled():
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = True
        torch.set_float32_matmul_precision("high")
