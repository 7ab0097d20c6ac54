"""Which device a name means, which arithmetic it is fast in, and memory that stays in the process."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import nn

from gansynth.errors import InputError

_N = TypeVar("_N", bound=nn.Module)

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_NEVER = 2**31 - 1


@dataclass(frozen=True)
class Devices:
    """Devices of one kind that share every batch.

    Attributes
    ----------
    kind : {"auto", "cpu", "cuda"}
    count : int
        Processes, one for each; where a training runs on several machines, on each of them.
    """

    kind: str = "auto"
    count: int = 1


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
    """Move a network to a device with its weights as convolutions are fastest, channels last; return it.

    On a processor, freed memory stays in the process from then on (`keep_freed_memory`).
    """
    if device is None or torch.device(device).type == "cpu":
        keep_freed_memory()
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


def keep_freed_memory() -> None:
    """Tell glibc not to return freed blocks to the kernel.

    Activations are megabytes each and live for milliseconds. By default every one of them is mapped anew and
    zeroed page by page; without that a training step takes about a fifth less (`benchmarks/train_step.py`).
    Elsewhere than on glibc it does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, _NEVER)
    except (OSError, AttributeError):  # musl has no mallopt; nothing depends on it
        return
