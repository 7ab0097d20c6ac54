"""Players by the family that a recipe names; every GAN builds its own from these."""

from __future__ import annotations

from torch import nn

from gansynth.networks import compact, hazra2022
from gansynth.recipes import GanRecipe, PaperNetworks


def build_generator(recipe: GanRecipe, n_classes: int) -> nn.Module:
    """Return an untrained generator: (latents [n, latent], labels [n]) to images [n, 3, R, R] in [-1, 1]."""
    networks = recipe.networks
    if isinstance(networks, PaperNetworks):
        return hazra2022.Generator(n_classes, recipe.latent, networks.width, recipe.resolution)
    return compact.SkipGenerator(n_classes, recipe.latent, recipe.resolution, networks.generator, networks.style)


def build_critic(recipe: GanRecipe, n_classes: int) -> nn.Module:
    """Return an untrained critic: images [n, 3, R, R] (and labels, where the recipe wants projection) to scores [n]."""
    networks = recipe.networks
    if isinstance(networks, PaperNetworks):
        return hazra2022.Critic(networks.width, recipe.resolution)
    return compact.CompactCritic(
        recipe.resolution,
        networks.critic,
        n_classes=n_classes if networks.projection else None,
        group=networks.deviation_group,
    )


def build_classifier(recipe: GanRecipe, n_classes: int) -> nn.Module:
    """Return an untrained classifier: images [n, 3, R, R] to logits [n, n_classes]."""
    networks = recipe.networks
    if isinstance(networks, PaperNetworks):
        return hazra2022.Classifier(n_classes, networks.width, recipe.resolution)
    return compact.CompactClassifier(n_classes, recipe.resolution, networks.classifier)
