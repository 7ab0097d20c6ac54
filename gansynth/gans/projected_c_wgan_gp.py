"""Projected C-WGAN-GP: the game of hazra2022 with one more critic, which looks at pretrained features.

The small Wasserstein critic watches shape and variety, the pretrained one (Sauer et al. 2021, "Projected GANs converge
faster") watches texture. A generator that is judged by one kind alone learns to please that kind.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gansynth.gans.adversarial import hinge_critic_loss, hinge_generator_loss
from gansynth.gans.c_wgan_gp import CWGANGP
from gansynth.gans.gan import Batch, Terms, Turn, register
from gansynth.gans.players import build_projected_critic
from gansynth.recipes import GanRecipe


@register("projected-c-wgan-gp")
class ProjectedCWGANGP(CWGANGP):
    """`CWGANGP` and a fourth player, `texture`: four heads on the frozen stages of an EfficientNet-Lite0."""

    pretrained = ("efficientnet-lite0",)

    def __init__(self, recipe: GanRecipe, n_classes: int) -> None:
        super().__init__(recipe, n_classes)
        self.texture = build_projected_critic(recipe, n_classes)

    def turns(self) -> tuple[Turn, ...]:
        *others, generator = super().turns()
        return (*others, Turn("texture", self.texture_loss, since=generator.since), generator)

    def texture_loss(self, batch: Batch) -> Terms:
        """The hinge on real and on generated images."""
        real, generated = self.augment(batch.images), self.augment(self.generate_detached(batch))
        scores: Tensor = self.texture(torch.cat([real, generated]), torch.cat([batch.labels, batch.generated_labels]))
        return {"hinge": hinge_critic_loss(*scores.split([len(real), len(generated)]))}

    def judge(self, images: Tensor, labels: Tensor) -> Terms:
        """What both critics and the classifier say of augmented generated images."""
        scores = self.texture(images, labels)
        return super().judge(images, labels) | {
            "texture": self.recipe.losses.generator_texture * hinge_generator_loss(scores)
        }
