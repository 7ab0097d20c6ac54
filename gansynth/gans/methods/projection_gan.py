"""Projection GAN: the label enters the critic as an inner product with its features (Miyato & Koyama 2018), under
spectral norm and the hinge (Miyato et al. 2018)."""

from __future__ import annotations

from gansynth.gans.adversarial import hinge_generator_loss
from gansynth.gans.gan import Batch, Terms, TwoPlayerGAN, register
from gansynth.gans.players import build_critic, build_generator
from gansynth.networks.conditioning import normalise_spectrally
from gansynth.recipes import GanRecipe


@register("projection-gan")
class ProjectionGAN(TwoPlayerGAN):
    """A critic with projection (Miyato & Koyama 2018, eq. 3), every layer of spectral norm 1; no loss names a class."""

    def __init__(self, recipe: GanRecipe, n_classes: int) -> None:
        super().__init__(recipe, n_classes)
        self.generator = build_generator(recipe, n_classes)
        self.critic = normalise_spectrally(build_critic(recipe, n_classes, projection=True))

    def critic_loss(self, batch: Batch) -> Terms:
        """The hinge on real and on generated images."""
        return {"hinge": self.hinge(self.critic, batch)}

    def generator_loss(self, batch: Batch) -> Terms:
        """Minus the critic's score."""
        images = self.augment(self.generator(batch.latents, batch.generated_labels))
        return {"hinge": hinge_generator_loss(self.critic(images, batch.generated_labels))}
