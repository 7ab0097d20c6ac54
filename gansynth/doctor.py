"""`gansynth doctor`: what this machine has, and what to expect of it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from gansynth.classifiers.published_files import look_for_weights
from gansynth.data.pack import default_cache
from gansynth.gans.engine.speed import TrainingSpeed, training_speed
from gansynth.runs.artifact import Kind, shipped
from gansynth.runs.device import chosen_device, has_bf16
from gansynth.version import __version__

PACKAGES = ("torch", "torchvision", "lightning-fabric", "numpy", "scikit-learn", "timm", "pillow")
RECIPE = "c-wgan-gp-64"
_KINDS: tuple[Kind, ...] = ("generator", "cell encoder", "cell detector")
LITTLE_SPACE = 2 * 10**9
"""Bytes: a run with its states and sheets, and a pack of some ten thousand cells."""
_SLOW_MINUTES = 24 * 60


@dataclass(frozen=True)
class Space:
    """Free space where something is written."""

    what: str
    folder: str
    free_bytes: int


@dataclass(frozen=True)
class Checkup:
    """What was found.

    Attributes
    ----------
    versions : dict of str to str
    system : str
    processors : int
        That this process may use.
    threads : int
        That torch computes with.
    load : float or None
        Processes that computed before the test, the mean of a minute; None where the system does not say.
    device : str
        What `--device auto` takes here: "cpu", or the GPU's name.
    bfloat16 : bool
        Whether that device computes faster in bfloat16 than in float32.
    space : list of Space
    models : dict of str to (list of str)
        What ships trained, by kind.
    weights : dict of str to str
        Published weight files: "present", "missing" or "wrong".
    speed : TrainingSpeed or None
    problems : list of str
        What will get in the way, a sentence each.
    """

    versions: dict[str, str]
    system: str
    processors: int
    threads: int
    load: float | None
    device: str
    bfloat16: bool
    space: list[Space]
    models: dict[str, list[str]]
    weights: dict[str, str]
    speed: TrainingSpeed | None
    problems: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return what `doctor --json` prints."""
        found = asdict(self)
        if self.speed is not None:
            found["speed"] |= {"images_per_second": self.speed.images_per_second, "minutes": self.speed.minutes}
        return found


def check_up(*, device: str = "auto", seconds: float = 12.0, folder: str | Path = ".") -> Checkup:
    """Look at this machine.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        What to test.
    seconds : float
        Of the speed test; 0 leaves it out.
    folder : path-like
        Where results would be written.

    Returns
    -------
    Checkup

    Raises
    ------
    InputError
        If there is no such device.
    """
    where, load = chosen_device(device), _load()
    space = [_space("this folder", Path(folder)), _space("decoded images ($GANSYNTH_CACHE)", default_cache())]
    looks = look_for_weights()
    speed = training_speed(RECIPE, seconds=seconds, device=device) if seconds > 0 else None
    problems = [
        f"{one.folder}: only {one.free_bytes / 1e9:.1f} GB are free; make room before a training"
        for one in space
        if one.free_bytes < LITTLE_SPACE
    ]
    problems += dict.fromkeys(look.problem for look in looks if look.state == "wrong")
    if speed is not None and load is not None and load > _processors() / 2:
        problems.append(
            f"the speed is that of a busy machine: before the test, other work had a load of {load:.1f} on "
            f"{_processors()} processors"
        )
    if speed is not None and speed.minutes > _SLOW_MINUTES:
        problems.append(
            f"a training by {speed.recipe} takes {speed.minutes / 60:.0f} hours here; begin with --from pbc-64, which "
            "needs fewer steps, or use a GPU"
        )
    return Checkup(
        versions={"gansynth": __version__, "python": platform.python_version()} | _versions(),
        system=f"{platform.system()} {platform.release()}, {platform.machine()}",
        processors=_processors(),
        threads=torch.get_num_threads(),
        load=load,
        device=torch.cuda.get_device_name(where) if where.type == "cuda" else "cpu",
        bfloat16=has_bf16(where),
        space=space,
        models={kind: [model.name for model in shipped(kind)] for kind in _KINDS},
        weights={look.name: look.state for look in looks},
        speed=speed,
        problems=problems,
    )


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _load() -> float | None:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _space(what: str, folder: Path) -> Space:
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    return Space(what, str(folder.absolute()), shutil.disk_usage(there).free)
