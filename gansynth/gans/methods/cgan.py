"""CGAN: generator and discriminator are both given the label (Mirza & Osindero 2014)."""

from __future__ import annotations

import torch

from gansynth.gans.adversarial import binary_critic_loss, binary_generator_loss
from gansynth.gans.gan import Batch, Terms, TwoPlayerGAN, register
from gansynth.gans.players import build_generator, build_label_critic
from gansynth.recipes import GanRecipe


@register("cgan")
class CGAN(TwoPlayerGAN):
    """The game of Mirza & Osindero 2014, eq. 2: the label lies beside the image, and no loss names a class."""

    def __init__(self, recipe: GanRecipe, n_classes: int) -> None:
        super().__init__(recipe, n_classes)
        self.generator = build_generator(recipe, n_classes)
        self.critic = build_label_critic(recipe, n_classes)

    def critic_loss(self, batch: Batch) -> Terms:
        """Minus the value of eq. 2."""
        real, generated = self.augment(batch.images), self.augment(self.generate_detached(batch))
        scores = self.critic(torch.cat([real, generated]), torch.cat([batch.labels, batch.generated_labels]))
        return {"source": binary_critic_loss(*scores.split([len(real), len(generated)]))}

    def generator_loss(self, batch: Batch) -> Terms:
        """The generator's side of eq. 2, in the form that does not saturate."""
        images = self.augment(self.generator(batch.latents, batch.generated_labels))
        return {"source": binary_generator_loss(self.critic(images, batch.generated_labels))}
