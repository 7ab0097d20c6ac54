"""GANs: the interface, one file for each GAN, the one training loop, the run folder."""

import gansynth.gans.methods  # noqa: F401  each GAN registers itself
from gansynth.files import is_first_process
from gansynth.gans.engine.training import choose_recipe, train_gan
from gansynth.gans.gan import GAN, Batch, Turn, build_gan, register
from gansynth.gans.run import Run, open_run
from gansynth.plugins import load_plugins
from gansynth.runs.artifact import zoo_models

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
