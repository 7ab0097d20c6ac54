"""CWGAN-GP: a conditional Wasserstein game with gradient penalty and no classifier (Gulrajani et al. 2017, with the
label given to both players as in Mirza & Osindero 2014)."""

from __future__ import annotations

from functools import partial

import torch

from gansynth.gans.gan import Batch, Terms, TwoPlayerGAN, register
from gansynth.gans.players import build_generator, build_label_critic
from gansynth.gans.wasserstein import critic_loss, restraints
from gansynth.recipes import GanRecipe
from gansynth.recipes.declared import WassersteinLosses


@register("cwgan-gp")
class ConditionalWGANGP(TwoPlayerGAN):
    """What C-WGAN-GP is without its third player: the critic is given the label, and no loss names a class."""

    def __init__(self, recipe: GanRecipe, n_classes: int) -> None:
        super().__init__(recipe, n_classes)
        self.generator = build_generator(recipe, n_classes)
        self.critic = build_label_critic(recipe, n_classes)

    def critic_loss(self, batch: Batch) -> Terms:
        """Gulrajani et al. 2017, eq. 3; where an image lies between a real and a generated one, its label is the real
        one's."""
        real, generated = self.augment(batch.images), self.augment(self.generate_detached(batch))
        scores = self.critic(torch.cat([real, generated]), torch.cat([batch.labels, batch.generated_labels]))
        on_real, on_generated = scores.split([len(real), len(generated)])
        terms = {"wasserstein": critic_loss(on_real, on_generated)}
        score_of_image = partial(self.critic, labels=batch.labels)
        return terms | restraints(
            score_of_image, on_real, real, generated, self.recipe.weights(WassersteinLosses), batch.step
        )

    def generator_loss(self, batch: Batch) -> Terms:
        """Minus the critic's score."""
        images = self.augment(self.generator(batch.latents, batch.generated_labels))
        return {"critic": -self.critic(images, batch.generated_labels).mean()}
