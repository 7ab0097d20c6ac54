"""How far a training is, where its state lies, of a GAN's or a classifier's, and how it is read again.

``state/step-NNNNNNNN.safetensors`` holds tensors under a prefix for each part (``gan.``, ``optimizer.``) and a card of
texts, the identity of the training among them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor
from torch.optim import Optimizer

from gansynth.errors import InputError
from gansynth.files import NoSuchFile, read_json
from gansynth.runs.folder import INFO
from gansynth.runs.weights import read_metadata, read_weights, write_weights

KEPT = 2
"""How many states stay on disk: the newest, and one before it."""
_THREADS = "threads"
_SEAL = "seal"
"""What the card calls the digest of all but the numbers: a state that lost its moments, or has others, would go on as
another training."""


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
    number = int.from_bytes(digest, "little") >> 1
    if _accelerated():
        torch.manual_seed(number)
    else:  # where torch could use a GPU and there is none, it notes for a millisecond where it was called from
        torch.default_generator.manual_seed(number)


@lru_cache
def _accelerated() -> bool:
    return torch.accelerator.is_available()


@dataclass(frozen=True)
class StateFile:
    """A state as it was read.

    Attributes
    ----------
    path : pathlib.Path
    step : int
    tensors : dict of str to Tensor
    card : dict of str to str
    """

    path: Path
    step: int
    tensors: Mapping[str, Tensor]
    card: Mapping[str, str]

    def under(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors of one part by their names in it."""
        start = f"{prefix}."
        return {name.removeprefix(start): t for name, t in self.tensors.items() if name.startswith(start)}

    def restore(self, optimizer: Optimizer, prefix: str) -> None:
        """Load what `optimizer_tensors` gave, whose names begin with `prefix`."""
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in self.under(prefix).items():
            index, name = key.split(".", 1)
            parameter = parameters[int(index)]
            if value.shape == parameter.shape:  # a fused optimizer walks memory, so both must lie in it alike
                value = torch.empty_like(parameter, memory_format=torch.preserve_format).copy_(value)
            state.setdefault(int(index), {})[name] = value
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def optimizer_tensors(optimizer: Optimizer, prefix: str) -> dict[str, Tensor]:
    """Return the moments of an optimizer, named ``prefix.PARAMETER.NAME``."""
    return {
        f"{prefix}.{index}.{name}": torch.as_tensor(value)
        for index, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }


def write_state(folder: Path, step: int, tensors: Mapping[str, Tensor], card: Mapping[str, str]) -> Path:
    """Write a state, whole, and drop all but the `KEPT` newest; return its path."""
    path = folder / "state" / f"step-{step:08d}.safetensors"
    card = {**card, _THREADS: str(torch.get_num_threads())}
    write_weights(path, dict(tensors), {**card, _SEAL: _seal(tensors, card)})
    for old in _states(folder)[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def read_newest_state(folder: Path, identity: str, another: str, anew: str) -> StateFile | None:
    """Read the newest state in a run; None where its training has not come to write one.

    Parameters
    ----------
    folder : pathlib.Path
    identity : str
        That of the training which is to go on; the card's "identity" must be the same.
    another : str
        How the sentence ends that refuses another training's state.
    anew : str
        What to do where a trained run has lost its state; the end of that sentence.

    Raises
    ------
    InputError
        If the newest state is unreadable, incomplete, or belongs to another training; or if there is none although the
        run was trained: it would begin at step 0, over what is finished.
    """
    states = _states(folder)
    if not states:
        _refuse_lost_state(folder, anew)
        return None
    path = states[-1]
    try:
        tensors, card = read_weights(path)
    except InputError as error:
        before = f"; remove it to resume from {states[-2].name}" if len(states) > 1 else ""
        raise InputError(f"{error}{before}") from None
    if card.get("identity") != identity:
        raise InputError(f"{path}: was trained on other images, {another}")
    if card.pop(_SEAL, "") != _seal(tensors, card):
        raise InputError(
            f"{path}: holds other tensors, or other notes of them, than were written; restore the file, or {anew}"
        )
    return StateFile(path, int(path.stem.removeprefix("step-")), tensors, card)


def _seal(tensors: Mapping[str, Tensor], card: Mapping[str, str]) -> str:
    """Return the digest of what tensors are called, their shapes and kinds, and of the card."""
    kinds = [f"{name} {tuple(one.shape)} {one.dtype}" for name, one in sorted(tensors.items())]
    text = "\n".join([*kinds, *(f"{key}={card[key]}" for key in sorted(card))])
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _refuse_lost_state(folder: Path, anew: str) -> None:
    try:
        info = read_json(folder / INFO)
    except NoSuchFile:
        return
    step = info.get("step") if isinstance(info, dict) else None
    if step:
        raise InputError(
            f"{folder}: was trained for {step} steps and has no state to go on from; restore its state folder, "
            f"or {anew}"
        )


def newest_state(folder: Path) -> Path | None:
    """Return the newest state file in a run, or None."""
    states = _states(folder)
    return states[-1] if states else None


def recorded_threads(folder: Path) -> int | None:
    """Return on how many threads the newest state in a run was computed; None where it has none, or cannot be read,
    which `read_newest_state` says."""
    state = newest_state(folder)
    try:
        said = "" if state is None else read_metadata(state).get(_THREADS, "")
    except InputError:
        return None
    return int(said) if said.isdecimal() and int(said) else None


def _states(folder: Path) -> list[Path]:
    return sorted(p for p in (folder / "state").glob("step-*.safetensors") if re.fullmatch(r"step-\d{8,}", p.stem))
