"""The state of a training between two steps, in one safetensors file.

A training's random numbers are functions of (seed, step, process): see `seed_step`. So a state is the players, the slow
generator, the optimizers and a step number, and a training resumed from it is the training that was never interrupted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.optim import Optimizer

from gansynth.errors import InputError
from gansynth.gans.ema import Ema
from gansynth.gans.gan import GAN
from gansynth.gans.weights import read_weights, state_tensors, write_weights

KEPT = 2
"""How many states stay on disk: the newest, and one before it."""


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes
    ----------
    step : int
        Generator iterations done.
    images : int
        Real images the critic has seen.
    seconds : float
        Wall time spent in training, over all sessions.
    """

    step: int = 0
    images: int = 0
    seconds: float = 0.0


def seed_step(seed: int, step: int, process: int) -> None:
    """Seed every random generator for one step: iteration k draws the same numbers however it was reached."""
    digest = hashlib.blake2b(f"{seed}/{step}/{process}".encode(), digest_size=8).digest()
    torch.manual_seed(int.from_bytes(digest, "little") >> 1)


def save_state(
    folder: Path, gan: GAN, ema: Ema, optimizers: Mapping[str, Optimizer], progress: Progress, identity: str
) -> Path:
    """Write a state as ``state/step-NNNNNNNN.safetensors``, whole, and drop all but the `KEPT` newest."""
    tensors = state_tensors(gan, "gan") | state_tensors(ema.network, "ema")
    for player, optimizer in optimizers.items():
        for index, values in optimizer.state_dict()["state"].items():
            for name, value in values.items():
                tensors[f"optimizer.{player}.{index}.{name}"] = torch.as_tensor(value)
    path = folder / "state" / f"step-{progress.step:08d}.safetensors"
    metadata = {"images": str(progress.images), "seconds": repr(progress.seconds), "identity": identity}
    write_weights(path, tensors, metadata)
    for old in _states(folder)[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def load_state(folder: Path, gan: GAN, ema: Ema, optimizers: Mapping[str, Optimizer], identity: str) -> Progress:
    """Restore the newest state in `folder`; a fresh `Progress` where there is none.

    Raises
    ------
    InputError
        If the newest state is unreadable or belongs to another data set, recipe or seed.
    """
    states = _states(folder)
    if not states:
        return Progress()
    path = states[-1]
    try:
        tensors, metadata = read_weights(path)
    except InputError as error:
        before = f"; remove it to resume from {states[-2].name}" if len(states) > 1 else ""
        raise InputError(f"{error}{before}") from None
    if metadata.get("identity") != identity:
        raise InputError(
            f"{path}: was trained on other images, with another recipe or another seed; "
            "resume with the same data, recipe and --seed, or train into another folder"
        )
    gan.load_state_dict(_under(tensors, "gan"))
    ema.network.load_state_dict(_under(tensors, "ema"))
    for player, optimizer in optimizers.items():
        parameters = optimizer.param_groups[0]["params"]
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in _under(tensors, f"optimizer.{player}").items():
            index, name = key.split(".", 1)
            parameter = parameters[int(index)]
            if value.shape == parameter.shape:  # a fused optimizer walks memory, so both must lie in it alike
                value = torch.empty_like(parameter, memory_format=torch.preserve_format).copy_(value)
            state.setdefault(int(index), {})[name] = value
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    step = int(path.stem.removeprefix("step-"))
    return Progress(step, int(metadata["images"]), float(metadata["seconds"]))


def newest_state(folder: Path) -> Path | None:
    """Return the newest state file in a run, or None."""
    states = _states(folder)
    return states[-1] if states else None


def _states(folder: Path) -> list[Path]:
    return sorted(p for p in (folder / "state").glob("step-*.safetensors") if re.fullmatch(r"step-\d{8,}", p.stem))


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{prefix}."): t for name, t in tensors.items() if name.startswith(f"{prefix}.")}
