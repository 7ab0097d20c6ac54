"""C-WGAN-GP: generator, Wasserstein critic with gradient penalty, and a separate classifier (hazra2022, section
2.2.2)."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from gansynth.gans.gan import Batch, Terms, ThreePlayerGAN, Turn, register
from gansynth.gans.players import build_classifier, build_critic, build_generator
from gansynth.gans.wasserstein import critic_loss, restraints
from gansynth.recipes import GanRecipe
from gansynth.recipes.declared import ThreePlayerLosses, ThreePlayerNetworks, WassersteinLosses


@register("c-wgan-gp")
class CWGANGP(ThreePlayerGAN):
    """The three-player game.

    * The critic distinguishes real from generated (eq. 3) under the gradient penalty (eq. 4).
    * The classifier learns classes, from real images only: what it learned from generated ones would be the
    generator's mistakes.
    * The generator is trained from both: it raises the critic's score and is to be classified as the class it was
    asked for.
    * For ``training.warm_up`` steps the classifier learns alone.

    The critic of the paper never sees a label. A compact recipe may let it (``networks.projection``).
    """

    def __init__(self, recipe: GanRecipe, n_classes: int) -> None:
        super().__init__(recipe, n_classes)
        self.generator = build_generator(recipe, n_classes)
        self.critic = build_critic(recipe, n_classes)
        self.classifier = build_classifier(recipe, n_classes)
        self._sees_labels = isinstance(recipe.networks, ThreePlayerNetworks) and recipe.networks.projection

    def turns(self) -> tuple[Turn, ...]:
        begin = self.recipe.training.warm_up
        return (
            Turn("critic", self.critic_loss, repeats=self.recipe.training.critic_steps, since=begin),
            Turn("classifier", self.classifier_loss),
            Turn("generator", self.generator_loss, since=begin),
        )

    def score(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return the critic's scores [n]; the labels reach it only where the recipe asks for projection."""
        scores: Tensor = self.critic(images, labels) if self._sees_labels else self.critic(images)
        return scores.float()

    def critic_loss(self, batch: Batch) -> Terms:
        """Eq. 3 and 4, on real images and images of the same label distribution."""
        real, generated = self.augment(batch.images), self.augment(self.generate_detached(batch))
        # One pass for both: the critic has no batch statistics that could leak from one half to the other.
        scores = self.score(torch.cat([real, generated]), torch.cat([batch.labels, batch.generated_labels]))
        on_real, on_generated = scores.split([len(real), len(generated)])
        terms = {"wasserstein": critic_loss(on_real, on_generated)}
        score_of_image = partial(self.score, labels=batch.labels)
        return terms | restraints(
            score_of_image, on_real, real, generated, self.recipe.weights(WassersteinLosses), batch.step
        )

    def generator_loss(self, batch: Batch) -> Terms:
        """Minus the critic's score, and the classifier's cross entropy against the labels that were asked for."""
        images = self.generator(batch.latents, batch.generated_labels)
        return self.judge(self.augment(images), batch.generated_labels) | self.variety(images, batch)

    def judge(self, images: Tensor, labels: Tensor) -> Terms:
        """What the other players say of augmented generated images [n, 3, R, R] that were asked for as `labels`."""
        weights = self.recipe.weights(ThreePlayerLosses)
        logits = self.classifier(images).float()
        return {
            "critic": -weights.generator_critic * self.score(images, labels).mean(),
            "class": weights.generator_class * F.cross_entropy(logits, labels),
        }

    def variety(self, images: Tensor, batch: Batch) -> Terms:
        """What generated images [n, 3, R, R] owe to their latents, where the recipe gives that a weight."""
        weight = self.recipe.weights(ThreePlayerLosses).mode_seeking
        return {"mode_seeking": weight * mode_seeking(images, batch)} if weight else {}


def mode_seeking(images: Tensor, batch: Batch) -> Tensor:
    """Return how little images of a class change when their latents do (Mao et al. 2019, eq. 3, inverted).

    Neighbours in the batch that share a label are compared; the value falls as they grow apart. Only the middle of the
    images counts, a quarter of their area: there the white cell lies, and a generator whose background alone varies
    would else get off lightly.
    """
    edge = images.shape[-1]
    images = images[..., edge // 4 : edge - edge // 4, edge // 4 : edge - edge // 4]
    order = torch.argsort(batch.generated_labels, stable=True)
    images, z, labels = images[order].float(), batch.latents[order], batch.generated_labels[order]
    same = (labels[1:] == labels[:-1]).float()
    apart = (images[1:] - images[:-1]).abs().mean(dim=(1, 2, 3)) / (z[1:] - z[:-1]).abs().mean(dim=1)
    return (same / (apart + 1e-5)).sum() / same.sum().clamp(min=1) / 10
