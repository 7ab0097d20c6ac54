"""Recipes: what is trained and how, as YAML. Here those of GANs; `recipes.classifier` has those of classifiers."""

from gansynth.recipes.gan import Augmentation, GanRecipe, load_recipe, recipe_names

__all__ = ["Augmentation", "GanRecipe", "load_recipe", "recipe_names"]
