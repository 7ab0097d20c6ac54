"""GANs: the interface, one file for each GAN, the one training loop, the run folder."""

import pkgutil
from importlib import import_module

from gansynth.gans.gan import GAN, Batch, Turn, build_gan, register
from gansynth.gans.run import Run, open_run
from gansynth.gans.training import choose_recipe, is_first_process, train_gan
from gansynth.shipped import zoo_models

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

for _module in pkgutil.iter_modules(__path__):  # a GAN registers itself when its file is imported
    import_module(f"{__name__}.{_module.name}")
