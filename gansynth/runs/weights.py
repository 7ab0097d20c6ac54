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
from gansynth.files import NoSuchFile, open_regular, shown
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
        If the file is missing, truncated, or no safetensors file; or if a number in it is not finite.
    """
    with _opened(path) as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = _metadata(file)
    refuse_not_finite(tensors, path)
    return tensors, metadata


def halved(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors with their float32 numbers in 16 bits, for a file that is to be small."""
    return {name: t.to(torch.float16) if t.dtype == torch.float32 else t for name, t in tensors.items()}


def widened(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors with all their fractional numbers as float32, which networks compute in."""
    return {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}


def refuse_not_finite(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Refuse weights with NaN or infinity: what is computed with them looks like a result and is none.

    Raises
    ------
    InputError
        Naming the file and the tensor.
    """
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            wrong = int((~torch.isfinite(tensor)).sum())
            raise InputError(
                f"{shown(path)}: {wrong} of the {tensor.numel()} numbers of {name:.80} are not finite (NaN or "
                "infinity); the training diverged or the file is damaged, so restore it or train again"
            )


def read_metadata(path: Path) -> dict[str, str]:
    """Return the metadata of a safetensors file, whose tensors stay on the disk.

    Raises
    ------
    InputError
        As `read_weights`.
    """
    with _opened(path) as file:
        return _metadata(file)


def refuse_other_run(card: Mapping[str, str], info: Mapping[str, Any], path: Path) -> None:
    """Refuse weights that `run.json` beside them does not describe.

    With other classes, or in another order, each class would be called by the name of another. With weights of another
    run of the same classes nothing would look wrong, and images be tested on that these weights have learned from.

    Parameters
    ----------
    card : mapping of str to str
        The weights' metadata: "class_names", and the "identity" of the training that wrote them.
    info : mapping
        What `run.json` holds, its "class_names" and "identity" among it.
    path : pathlib.Path
        Of the weights.

    Raises
    ------
    InputError
        If they differ, or only one of the two names a training: models of the zoo are older than that, and their
        weights belong to no run that does. A card without classes is left to the weights' shapes.
    """
    written = card.get("class_names")
    if written is not None and written != json.dumps([str(name) for name in info["class_names"]]):
        raise InputError(
            f"{shown(path)}: is of other classes than run.json beside it names, or has them in another order; one of "
            "the two is of another run or was edited, so restore it"
        )
    if card.get("identity") != info.get("identity"):
        raise InputError(
            f"{shown(path)}: was written by another training than run.json beside it describes; one of the two is of "
            "another run, so put back the one that belongs here"
        )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        open_regular(path).close()  # a pipe would be waited for
        with safe_open(path, framework="pt", device="cpu") as file:
            yield file
    except NoSuchFile:
        raise InputError(f"{shown(path)}: no such file; the folder is not a complete run") from None
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise InputError(f"{shown(path)}: cannot be read as safetensors ({error}); it may be cut off") from None


def _metadata(file: Any) -> dict[str, str]:
    found = json.loads((file.metadata() or {}).get(_METADATA, "{}"))
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError("its metadata is not what gansynth writes")
    return found


def state_tensors(module: torch.nn.Module, prefix: str) -> dict[str, Tensor]:
    """Return a module's state with every name prefixed."""
    return {f"{prefix}.{name}": tensor for name, tensor in module.state_dict().items()}
