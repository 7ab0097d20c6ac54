"""BAGAN-GP: a supervised autoencoder first, then a conditional Wasserstein game with its parts (Huang & Jafari 2021,
"Enhanced balancing GAN: minority-class image generation")."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from gansynth.gans.gan import GAN, Batch, Terms, Turn, register
from gansynth.gans.players import build_critic, build_generator, build_head
from gansynth.gans.wasserstein import critic_loss, restraints
from gansynth.networks.conditioning import Critic
from gansynth.recipes import GanRecipe
from gansynth.recipes.declared import WassersteinLosses


class EncodingCritic(nn.Module):
    """A critic whose features are also those of an encoder: what the encoder learned, the critic begins with."""

    def __init__(self, critic: Critic, latent: nn.Module) -> None:
        super().__init__()
        self.critic, self.latent = critic, latent

    def encode(self, images: Tensor) -> Tensor:
        """Return latents [n, latent] for images [n, 3, R, R]."""
        z: Tensor = self.latent(self.critic.features(images))
        return z.float()

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return scores [n] for images [n, 3, R, R] and int64 labels [n]."""
        scores: Tensor = self.critic(images, labels)
        return scores.float()


@register("bagan-gp")
class BAGANGP(GAN):
    """Two acts.

    * For ``training.warm_up`` steps the critic, as an encoder, and the generator, as a decoder that is given the class,
    learn to give back real images (mean absolute error).
    * Then they play: the critic is to score a real image with its class above a generated one, and above a real one
    with a wrong class, under the gradient penalty.
    """

    def __init__(self, recipe: GanRecipe, n_classes: int) -> None:
        super().__init__(recipe, n_classes)
        self.generator = build_generator(recipe, n_classes)
        critic = build_critic(recipe, n_classes, projection=True)
        self.critic = EncodingCritic(critic, build_head(recipe, critic, recipe.latent))

    def turns(self) -> tuple[Turn, ...]:
        begin, steps = self.recipe.training.warm_up, self.recipe.training.critic_steps
        return (
            Turn("critic", self.reconstruction_loss, until=begin),
            Turn("generator", self.reconstruction_loss, until=begin),
            Turn("critic", self.critic_loss, repeats=steps, since=begin),
            Turn("generator", self.generator_loss, since=begin),
        )

    def reconstruction_loss(self, batch: Batch) -> Terms:
        """Mean absolute error of real images, encoded, and decoded under their class."""
        images = self.generator(self.critic.encode(batch.images), batch.labels)
        return {"reconstruction": (images.float() - batch.images).abs().mean()}

    def critic_loss(self, batch: Batch) -> Terms:
        """The Wasserstein losses against generated images and against wrong labels, and the penalty.

        Real images count as often as the others together, so that no constant added to all scores changes the loss.
        """
        n = len(batch.images)
        real, generated = self.augment(batch.images), self.augment(self.generate_detached(batch))
        features = self.critic.critic.features(torch.cat([real, generated]))
        score = self.critic.critic.judge
        on_real, on_generated = score(features, torch.cat([batch.labels, batch.generated_labels])).float().split(n)
        terms = {"wasserstein": critic_loss(on_real, on_generated)}
        if self.n_classes > 1:
            shift = torch.randint(1, self.n_classes, (n,), device=batch.labels.device)
            on_wrong = score(features[:n], (batch.labels + shift) % self.n_classes).float()
            terms["wrong_label"] = critic_loss(on_real, on_wrong)
        score_of_image = partial(self.critic, labels=batch.labels)
        return terms | restraints(
            score_of_image, on_real, real, generated, self.recipe.weights(WassersteinLosses), batch.step
        )

    def generator_loss(self, batch: Batch) -> Terms:
        """Minus the critic's score."""
        images = self.augment(self.generator(batch.latents, batch.generated_labels))
        return {"critic": -self.critic(images, batch.generated_labels).mean()}
