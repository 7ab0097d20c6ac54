"""AC-GAN: one discriminator that distinguishes real from generated and names the class (Odena et al. 2017)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gansynth.gans.adversarial import binary_critic_loss, binary_generator_loss
from gansynth.gans.gan import Batch, Terms, TwoPlayerGAN, register
from gansynth.gans.players import build_critic, build_generator, build_head
from gansynth.networks.conditioning import TwoHeadedCritic
from gansynth.recipes import GanRecipe
from gansynth.recipes.declared import ACGANLosses


@register("ac-gan")
class ACGAN(TwoPlayerGAN):
    """The game of Odena et al. 2017, eq. 2 and 3.

    * The discriminator has two heads on one trunk: the source (real or generated) and the class. It never sees a
    label; it learns the class of real *and* of generated images.
    * The generator wants the source mistaken and the class recognised.
    """

    def __init__(self, recipe: GanRecipe, n_classes: int) -> None:
        super().__init__(recipe, n_classes)
        self.generator = build_generator(recipe, n_classes)
        critic = build_critic(recipe, n_classes, projection=False)
        self.critic = TwoHeadedCritic(critic, build_head(recipe, critic, n_classes))

    def critic_loss(self, batch: Batch) -> Terms:
        """Minus L_S (eq. 2) and minus L_C (eq. 3), on real and on generated images."""
        real, generated = self.augment(batch.images), self.augment(self.generate_detached(batch))
        scores, logits = self.critic(torch.cat([real, generated]))
        on_real, on_generated = scores.split([len(real), len(generated)])
        return {
            "source": binary_critic_loss(on_real, on_generated),
            "class": self.recipe.weights(ACGANLosses).critic_class * self._of_both(logits, batch),
        }

    @staticmethod
    def _of_both(logits: Tensor, batch: Batch) -> Tensor:
        of_real, of_generated = logits.split([len(batch.labels), len(batch.generated_labels)])
        return F.cross_entropy(of_real, batch.labels) + F.cross_entropy(of_generated, batch.generated_labels)

    def generator_loss(self, batch: Batch) -> Terms:
        """L_S, in the form that does not saturate, and minus L_C."""
        scores, logits = self.critic(self.augment(self.generator(batch.latents, batch.generated_labels)))
        return {
            "source": binary_generator_loss(scores),
            "class": self.recipe.weights(ACGANLosses).generator_class * F.cross_entropy(logits, batch.generated_labels),
        }
