"""Projected C-WGAN-GP: the game of hazra2022 with one more critic, which looks at pretrained features.

The small Wasserstein critic watches shape and variety, the pretrained one (Sauer et al. 2021, "Projected GANs converge
faster") watches texture. A generator that is judged by one kind alone learns to please that kind.
"""

from __future__ import annotations

from dataclasses import replace

from gansynth.gans.adversarial import hinge_generator_loss
from gansynth.gans.gan import GAN, Batch, GeneratorAlone, Terms, Turn, register
from gansynth.gans.methods.c_wgan_gp import CWGANGP
from gansynth.gans.players import build_generator, build_projected_critic
from gansynth.recipes import GanRecipe
from gansynth.recipes.declared import TexturedLosses


@register("projected-c-wgan-gp")
class ProjectedCWGANGP(CWGANGP):
    """`CWGANGP` and a fourth player, `texture`: four heads on the frozen stages of an EfficientNet-Lite0.

    It joins at step ``training.texture_since``: a step without it costs a fifth, and shapes have to be learned before
    their texture can be.
    """

    pretrained = ("efficientnet-lite0",)

    def __init__(self, recipe: GanRecipe, n_classes: int) -> None:
        super().__init__(recipe, n_classes)
        self.texture = build_projected_critic(recipe, n_classes)

    @classmethod
    def to_generate(cls, recipe: GanRecipe, n_classes: int) -> GAN:
        """The generator alone: the pretrained network takes longer to open than a few images to make."""
        return GeneratorAlone(recipe, n_classes, build_generator(recipe, n_classes))

    def turns(self) -> tuple[Turn, ...]:
        *others, generator = super().turns()
        joins = max(generator.since, self.recipe.training.texture_since)
        return (
            *others,
            replace(generator, until=joins),
            Turn("texture", self.texture_loss, since=joins),
            Turn("generator", self.textured_generator_loss, since=joins),
        )

    def texture_loss(self, batch: Batch) -> Terms:
        """The hinge on real and on generated images."""
        return {"hinge": self.hinge(self.texture, batch)}

    def textured_generator_loss(self, batch: Batch) -> Terms:
        """What both critics and the classifier say of generated images."""
        images = self.generator(batch.latents, batch.generated_labels)
        seen, labels = self.augment(images), batch.generated_labels
        texture = self.recipe.weights(TexturedLosses).generator_texture * hinge_generator_loss(
            self.texture(seen, labels)
        )
        return self.judge(seen, labels) | {"texture": texture} | self.variety(images, batch)
