"""InfoGAN: classes found without labels (Chen et al. 2016), and named afterwards."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gansynth.gans.adversarial import binary_critic_loss, binary_generator_loss
from gansynth.gans.gan import Batch, Terms, TwoPlayerGAN, register
from gansynth.gans.players import build_critic, build_generator, build_head
from gansynth.networks.conditioning import TwoHeadedCritic
from gansynth.networks.images import to_float
from gansynth.recipes import GanRecipe
from gansynth.recipes.declared import InfoGANLosses


@register("infogan")
class InfoGAN(TwoPlayerGAN):
    """The game of Chen et al. 2016, eq. 6, with one categorical code of as many values as there are classes.

    * The discriminator sees images only. A second head on its trunk, Q, guesses the code of a generated image.
    * The generator wants the source mistaken and the code recognised: that bounds their mutual information from below
    (eq. 5). Q is trained with the discriminator, on the same term.
    * No label is used in the game. `align` looks afterwards at what Q says of labelled training images and gives each
    class the code that fits it best. Codes need not be classes: with unequal classes the game may as well put a
    stain or a background into them.
    """

    def __init__(self, recipe: GanRecipe, n_classes: int) -> None:
        super().__init__(recipe, n_classes)
        self.generator = build_generator(recipe, n_classes)
        self.generator.register_buffer("code_of_class", torch.arange(n_classes))
        critic = build_critic(recipe, n_classes, projection=False)
        self.critic = TwoHeadedCritic(critic, build_head(recipe, critic, n_classes))

    def critic_loss(self, batch: Batch) -> Terms:
        """Minus the value of the game, and the cross entropy of Q on the codes of generated images."""
        real, generated = self.augment(batch.images), self.augment(self.generate_detached(batch))
        scores, logits = self.critic(torch.cat([real, generated]))
        on_real, on_generated = scores.split([len(real), len(generated)])
        return {
            "source": binary_critic_loss(on_real, on_generated),
            "information": self._information(logits[len(real) :], batch.generated_labels),
        }

    def generator_loss(self, batch: Batch) -> Terms:
        """The generator's side of eq. 6; `generated_labels` are codes here."""
        scores, logits = self.critic(self.augment(self.generator(batch.latents, batch.generated_labels)))
        return {
            "source": binary_generator_loss(scores),
            "information": self._information(logits, batch.generated_labels),
        }

    def _information(self, logits: Tensor, codes: Tensor) -> Tensor:
        """Minus the lower bound of eq. 5, without the constant entropy of the codes."""
        return self.recipe.weights(InfoGANLosses).information * F.cross_entropy(logits, codes)

    def generate(self, latents: Tensor, labels: Tensor) -> Tensor:
        images: Tensor = self.generator(latents, self.generator.get_buffer("code_of_class")[labels])
        return images

    @torch.no_grad()
    def align(self, images: Tensor, labels: Tensor) -> None:
        """Give each class the code that Q sees most in its training images, no code twice, best in sum."""
        from scipy.optimize import linear_sum_assignment  # takes a tenth as long to import as torch

        buffer = self.generator.get_buffer("code_of_class")
        seen = torch.zeros(self.n_classes, self.n_classes, dtype=torch.float64)
        for part, known in zip(images.split(64), labels.split(64), strict=True):
            codes = self.critic(to_float(part.to(buffer.device)))[1].argmax(dim=1).cpu()
            seen.index_put_((known, codes), torch.ones(len(known), dtype=torch.float64), accumulate=True)
        shares = seen / seen.sum(dim=1, keepdim=True).clamp(min=1)
        buffer.copy_(torch.from_numpy(linear_sum_assignment(shares.numpy(), maximize=True)[1]))
