"""The smallest real training: phantom cells of three very unequal classes, 16 px, a few thousand weights."""

from __future__ import annotations

from collections.abc import Sequence

from gansynth.data import CellDataset
from gansynth.data.phantom import phantom_dataset
from gansynth.recipes import GanRecipe, load_recipe

SMALL = (
    "resolution=16",
    "latent=8",
    "networks.generator=[8,8,8]",
    "networks.critic=[8,8]",
    "networks.classifier=[8,8]",
    "networks.channels=[8,16]",
    "networks.attention=[8]",
    "networks.sampling_steps=3",
    "networks.style=8",
    "networks.projected_edge=32",
    "training.batch_size=8",
    "training.critic_steps=2",
    "reports.log_every=3",
    "reports.sheet_every=4",
    "reports.save_every=2",
    "reports.watch_images=4",
    "reports.pretrained_judge=false",
    "reports.sheet_columns=2",
    "reports.classifier_images=128",
)


def that_fit(name: str, changes: Sequence[str]) -> list[str]:
    """Leave out what a recipe's networks do not have: no two GANs have the same players."""
    known = load_recipe(name).networks.model_dump()
    return [c for c in changes if not c.startswith("networks.") or c.partition("=")[0].split(".")[1] in known]


def tiny_recipe(*changes: str) -> GanRecipe:
    return load_recipe("c-wgan-gp-64", [*that_fit("c-wgan-gp-64", SMALL), *changes])


def tiny_dataset(size: int = 16) -> CellDataset:
    return phantom_dataset({"eosinophil": 40, "lymphocyte": 12, "smudge cell": 3}, size=size)
