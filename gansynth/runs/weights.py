"""Tensors on disk: safetensors only, so that opening a stranger's model cannot run code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gansynth.errors import InputError
from gansynth.files.atomic import whole_file

_METADATA = "gansynth"


def write_weights(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write named tensors and string metadata to a safetensors file, whole or not at all; equal input, equal bytes."""
    # safetensors stores row-major memory; the clone also parts tensors that share it.
    plain = {k: v.detach().to("cpu").contiguous().clone() for k, v in tensors.items()}
    with whole_file(path) as temporary:
        # One entry, since the library writes several in an order that changes from process to process.
        save_file(plain, temporary, {_METADATA: json.dumps(dict(metadata), sort_keys=True)})


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors (on the CPU) and the metadata of a safetensors file.

    Raises
    ------
    InputError
        If the file is missing, truncated, or no safetensors file.
    """
    with _opened(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}, _metadata(file)  # noqa: SIM118


def read_metadata(path: Path) -> dict[str, str]:
    """Return the metadata of a safetensors file, whose tensors stay on the disk.

    Raises
    ------
    InputError
        As `read_weights`.
    """
    with _opened(path) as file:
        return _metadata(file)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            yield file
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; the folder is not a complete run") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as safetensors ({error}); it may be cut off") from None


def _metadata(file: Any) -> dict[str, str]:
    found: dict[str, str] = json.loads((file.metadata() or {}).get(_METADATA, "{}"))
    return found


def state_tensors(module: torch.nn.Module, prefix: str) -> dict[str, Tensor]:
    """Return a module's state with every name prefixed."""
    return {f"{prefix}.{name}": tensor for name, tensor in module.state_dict().items()}
