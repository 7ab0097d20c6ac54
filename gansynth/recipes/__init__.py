"""Recipes: what is trained and how, as YAML. Here those of GANs; `recipes.classifier` has those of classifiers."""

from gansynth.recipes.gan import (
    Augmentation,
    CompactNetworks,
    GanRecipe,
    PaperNetworks,
    WassersteinLosses,
    load_recipe,
    recipe_names,
)

__all__ = [
    "Augmentation",
    "CompactNetworks",
    "GanRecipe",
    "PaperNetworks",
    "WassersteinLosses",
    "load_recipe",
    "recipe_names",
]
