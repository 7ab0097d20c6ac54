"""Players by the family that a recipe names; every GAN builds its own from these."""

from __future__ import annotations

from torch import nn

from gansynth.errors import InputError
from gansynth.networks import compact, hazra2022
from gansynth.networks.conditioning import PLANES, Critic, LabelPlanesCritic
from gansynth.networks.group_norm_classifier import GroupNormClassifier
from gansynth.networks.projected import ProjectedCritic
from gansynth.recipes import GanRecipe
from gansynth.recipes.declared import (
    CompactGenerator,
    PaperNetworks,
    ProjectedNetworks,
    TexturedNetworks,
    ThreePlayerNetworks,
    TwoPlayerNetworks,
)


def build_generator(recipe: GanRecipe, n_classes: int) -> nn.Module:
    """Return an untrained generator: (latents [n, latent], labels [n]) to images [n, 3, R, R] in [-1, 1]."""
    networks = recipe.networks
    if isinstance(networks, PaperNetworks):
        return hazra2022.Generator(n_classes, recipe.latent, networks.width, recipe.resolution)
    if not isinstance(networks, CompactGenerator):
        raise _other_networks(recipe, "generator")
    return compact.SkipGenerator(
        n_classes,
        recipe.latent,
        recipe.resolution,
        networks.generator,
        networks.style,
        mapping=networks.mapping,
        noise=networks.noise,
        embedding_noise=networks.embedding_noise,
        frozen=networks.frozen,
    )


def build_critic(recipe: GanRecipe, n_classes: int, *, projection: bool | None = None, inputs: int = 3) -> Critic:
    """Return an untrained critic: images [n, inputs, R, R] (and labels, for projection) to scores [n].

    Parameters
    ----------
    recipe : GanRecipe
    n_classes : int
    projection : bool, optional
        Whether the score says how well the image fits its label. Default: what the recipe says, where it has
        ``networks.projection``, else no.
    inputs : int
        Channels of the images.
    """
    networks = recipe.networks
    if isinstance(networks, PaperNetworks):
        return hazra2022.Critic(
            networks.width, recipe.resolution, n_classes=n_classes if projection else None, inputs=inputs
        )
    if not isinstance(networks, TwoPlayerNetworks):
        raise _other_networks(recipe, "critic")
    if projection is None:
        projection = isinstance(networks, ThreePlayerNetworks) and networks.projection
    return compact.CompactCritic(
        recipe.resolution,
        networks.critic,
        n_classes=n_classes if projection else None,
        group=networks.deviation_group,
        inputs=inputs,
    )


def build_label_critic(recipe: GanRecipe, n_classes: int) -> LabelPlanesCritic:
    """Return an untrained critic that is given the label beside the image (Mirza & Osindero 2014): images and labels
    to scores [n]."""
    return LabelPlanesCritic(build_critic(recipe, n_classes, projection=False, inputs=3 + PLANES), n_classes)


def build_projected_critic(recipe: GanRecipe, n_classes: int) -> ProjectedCritic:
    """Return a critic on pretrained features, its heads untrained: images and labels to scores [n, 64].

    Raises
    ------
    InputError
        If the GAN declares no networks with such a critic, or the pretrained weights are not installed.
    """
    if not isinstance(recipe.networks, TexturedNetworks | ProjectedNetworks):
        raise _other_networks(recipe, "critic on pretrained features")
    return ProjectedCritic(n_classes, recipe.networks.projected_edge, recipe.networks.deviation_group)


def build_head(recipe: GanRecipe, critic: Critic, outputs: int) -> nn.Module:
    """Return an untrained linear layer from a critic's features to so many numbers."""
    layer = nn.Linear if isinstance(recipe.networks, PaperNetworks) else compact.EqualLinear
    return layer(critic.n_features, outputs)


def build_classifier(recipe: GanRecipe, n_classes: int) -> nn.Module:
    """Return an untrained classifier: images [n, 3, R, R] to logits [n, n_classes].

    Raises
    ------
    InputError
        If the GAN declares no networks with one.
    """
    networks = recipe.networks
    if isinstance(networks, PaperNetworks):
        return hazra2022.Classifier(n_classes, networks.width, recipe.resolution)
    if not isinstance(networks, ThreePlayerNetworks | ProjectedNetworks):
        raise _other_networks(recipe, "classifier")
    if networks.classifier_norm == "group":
        return GroupNormClassifier(n_classes, recipe.resolution, networks.classifier)
    return compact.CompactClassifier(n_classes, recipe.resolution, networks.classifier)


def _other_networks(recipe: GanRecipe, player: str) -> InputError:
    return InputError(
        f"recipe {recipe.name}: the networks that gan {recipe.gan} declares ({type(recipe.networks).__name__}) have no "
        f"{player}; register it with networks that do (gansynth.recipes.declared)"
    )
