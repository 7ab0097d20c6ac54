"""A network as a file that runs without gansynth, ONNX or TorchScript: compared with the network, then kept."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from gansynth.errors import InputError
from gansynth.files.atomic import refuse_used, whole_folder, write_json
from gansynth.version import __version__

Format = Literal["onnx", "torchscript"]
FORMATS: tuple[Format, ...] = get_args(Format)
FILE: dict[Format, str] = {"onnx": "model.onnx", "torchscript": "model.pt"}
ABOUT = "export.json"
About = Mapping[str, str | int | float | Sequence[str]]
_TRACED = 2


@dataclass(frozen=True)
class Portable:
    """What was written.

    Attributes
    ----------
    path : pathlib.Path
        The folder.
    file : pathlib.Path
        The network in it.
    compared : int
        Rows that were computed by both, the file and the network.
    largest_difference : float
        Between the two: grey levels of pixels, or probability.
    """

    path: Path
    file: Path
    compared: int
    largest_difference: float


def write_portable(
    network: nn.Module,
    inputs: Mapping[str, Tensor],
    output: str,
    out: str | Path,
    form: Format,
    *,
    tolerance: float,
    about: About,
) -> Portable:
    """Write a network and what it is, run the file as somebody without gansynth would, and compare.

    Parameters
    ----------
    network : nn.Module
        On the CPU, in float32. The number of rows stays free.
    inputs : mapping of str to tensor
        By name and in order, at least 3 rows each. It is traced with the first two and compared on all.
    output : str
        Name of what it returns.
    out : path-like
        A new or empty folder.
    form : {"onnx", "torchscript"}
    tolerance : float
        How far a value may be from the network's.
    about : mapping
        What else `export.json` says.

    Returns
    -------
    Portable

    Raises
    ------
    InputError
        If the folder holds anything, the format is unknown or its packages are not installed, or the file computes
        something else.
    """
    out = Path(out)
    if form not in FORMATS:
        raise InputError(f"format '{form}': give one of {', '.join(FORMATS)}")
    refuse_used(out)
    network.eval().requires_grad_(False)
    with whole_folder(out) as folder, torch.no_grad():
        file = folder / FILE[form]
        _write(network, {name: value[:_TRACED] for name, value in inputs.items()}, output, file, form)
        wanted, found = network(*inputs.values()), _run(file, form, inputs)
        apart = float((wanted.double() - found.double()).abs().max())
        if not apart <= tolerance:
            raise InputError(
                f"{form}: the exported network differs from the original by up to {apart:.3g}, so it is not kept; try "
                f"the other format ({', '.join(name for name in FORMATS if name != form)})"
            )
        n = len(wanted)
        write_json(
            folder / ABOUT,
            {
                "format": form,
                "file": FILE[form],
                "inputs": {name: _shape(value) for name, value in inputs.items()},
                "output": {output: _shape(wanted)},
                "compared": n,
                "largest_difference": apart,
                "gansynth": __version__,
                **about,
            },
        )
    return Portable(out, out / FILE[form], n, apart)


def _shape(value: Tensor) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} [{', '.join(['n', *map(str, value.shape[1:])])}]"


def _write(network: nn.Module, inputs: Mapping[str, Tensor], output: str, file: Path, form: Format) -> None:
    # What a tracer remarks about the network's Python is not for whoever exports it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if form == "torchscript":
            torch.jit.trace(network, tuple(inputs.values()), check_trace=False).save(str(file))
            return
        for package in ("onnx", "onnxscript", "onnxruntime"):
            _package(package)
        rows = torch.export.Dim("n")
        torch.onnx.export(
            network, tuple(inputs.values()), str(file), input_names=list(inputs), output_names=[output], dynamo=True,
            dynamic_shapes=tuple({0: rows} for _ in inputs), external_data=False, verbose=False,
        )  # fmt: skip


def _run(file: Path, form: Format, inputs: Mapping[str, Tensor]) -> Tensor:
    if form == "torchscript":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch announces its end; who asked for this format knows why
            found: Tensor = torch.jit.load(str(file))(*inputs.values())
        return found
    session = _package("onnxruntime").InferenceSession(str(file), providers=["CPUExecutionProvider"])
    values = session.run(None, {name: value.numpy() for name, value in inputs.items()})
    return torch.from_numpy(np.asarray(values[0]))


def _package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f"export to ONNX needs the package {name}, which is not installed; install it with "
            "`pip install 'gansynth[onnx]'`, or give --format torchscript"
        ) from error
