"""GANs: the interface, one file for each GAN, the one training loop, the run folder.

What trains is imported when it is first used: Lightning Fabric takes as long to import as torch, and whoever generates
or measures needs none of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import gansynth.gans.methods  # noqa: F401  each GAN registers itself
from gansynth.files import is_first_process
from gansynth.gans.gan import GAN, Batch, Turn, build_gan, register
from gansynth.gans.run import Run, open_run
from gansynth.plugins import load_plugins
from gansynth.runs.artifact import zoo_models

if TYPE_CHECKING:
    from gansynth.gans.engine.training import choose_recipe, train_gan

__all__ = [
    "GAN",
    "Batch",
    "Run",
    "Turn",
    "build_gan",
    "choose_recipe",
    "is_first_process",
    "open_run",
    "register",
    "train_gan",
    "zoo_models",
]

load_plugins("gansynth.gans")


def __getattr__(name: str) -> Any:
    if name in ("choose_recipe", "train_gan"):
        return getattr(import_module("gansynth.gans.engine.training"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
