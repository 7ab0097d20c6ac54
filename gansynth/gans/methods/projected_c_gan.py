"""Projected C-GAN: generator, a critic on pretrained features, and a separate classifier.

The three players of hazra2022 (section 2.2.2); the critic's network and its loss are those of Sauer et al. 2021,
"Projected GANs converge faster".
"""

from __future__ import annotations

from torch.nn import functional as F

from gansynth.gans.adversarial import hinge_generator_loss
from gansynth.gans.gan import GAN, Batch, GeneratorAlone, Terms, ThreePlayerGAN, Turn, register
from gansynth.gans.players import build_classifier, build_generator, build_projected_critic
from gansynth.recipes import GanRecipe
from gansynth.recipes.declared import ProjectedLosses


@register("projected-c-gan")
class ProjectedCGAN(ThreePlayerGAN):
    """The three-player game with a critic that has seen photographs; only its four heads learn.

    * The critic distinguishes real from generated under the hinge, in each head and at each place by itself.
    * The classifier learns classes from real images only.
    * The generator is trained from both.
    """

    pretrained = ("efficientnet-lite0",)

    def __init__(self, recipe: GanRecipe, n_classes: int) -> None:
        super().__init__(recipe, n_classes)
        self.generator = build_generator(recipe, n_classes)
        self.critic = build_projected_critic(recipe, n_classes)
        self.classifier = build_classifier(recipe, n_classes)

    @classmethod
    def to_generate(cls, recipe: GanRecipe, n_classes: int) -> GAN:
        """The generator alone: the pretrained network takes longer to open than a few images to make."""
        return GeneratorAlone(recipe, n_classes, build_generator(recipe, n_classes))

    def turns(self) -> tuple[Turn, ...]:
        return (
            Turn("critic", self.critic_loss, repeats=self.recipe.training.critic_steps),
            Turn("classifier", self.classifier_loss),
            Turn("generator", self.generator_loss),
        )

    def critic_loss(self, batch: Batch) -> Terms:
        """The hinge on real and on generated images."""
        return {"hinge": self.hinge(self.critic, batch)}

    def generator_loss(self, batch: Batch) -> Terms:
        """Minus the critic's scores, and the classifier's cross entropy against the labels that were asked for."""
        weights = self.recipe.weights(ProjectedLosses)
        images = self.augment(self.generator(batch.latents, batch.generated_labels))
        logits = self.classifier(images).float()
        return {
            "critic": weights.generator_texture * hinge_generator_loss(self.critic(images, batch.generated_labels)),
            "class": weights.generator_class * F.cross_entropy(logits, batch.generated_labels),
        }
