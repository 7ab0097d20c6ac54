"""What the tests of classifiers share: a recipe that trains within a second, on two easy classes of phantom cells."""

from __future__ import annotations

from functools import cache

import numpy as np

from gansynth.data.dataset import CellDataset
from gansynth.data.phantom import phantom_dataset
from gansynth.recipes.classifier import NeuralRecipe, load_classifier_recipe

TINY = ("resolution=16", "network.channels=[4, 8, 8, 8]", "training.batch_size=8", "training.epochs=4")


def tiny_recipe(*changes: str) -> NeuralRecipe:
    """Return a sequential CNN for 16 px."""
    recipe = load_classifier_recipe("sequential-cnn", [*TINY, *changes])
    assert isinstance(recipe, NeuralRecipe)
    return recipe


@cache
def tiny_cells() -> tuple[CellDataset, CellDataset]:
    """Return 40 training and 20 validation images of eosinophils and platelets, which a child distinguishes."""
    cells = phantom_dataset({"eosinophil": 36, "platelet": 24}, size=16)
    order = np.random.default_rng(0).permutation(60)
    return cells.select(order[:40]), cells.select(order[40:])
