"""DCGAN: unconditional, in its own networks (Radford et al. 2016); a classifier names what it made."""

from __future__ import annotations

import torch
from torch import Tensor

from gansynth.errors import InputError
from gansynth.gans.adversarial import binary_critic_loss, binary_generator_loss
from gansynth.gans.gan import Batch, Labeller, Terms, TwoPlayerGAN, register
from gansynth.networks import dcgan
from gansynth.networks.images import to_uint8
from gansynth.recipes import GanRecipe
from gansynth.recipes.declared import DCGANNetworks

CANDIDATES = 32
"""Images made, at the most, for one of a named class."""

SURE = 0.5
"""An image is of a class when the classifier gives it more than this."""


@register("dcgan")
class DCGAN(TwoPlayerGAN):
    """The game of Goodfellow et al. 2014 between the networks of Radford et al. 2016. No player sees a label.

    An image of a named class is found, not made: candidates (the latent rolled by 0, 1, 2, ... places) are shown to
    the run's independent classifier, and the first that it assigns to the class is taken; after `CANDIDATES`, the most
    probable.
    """

    def __init__(self, recipe: GanRecipe, n_classes: int) -> None:
        super().__init__(recipe, n_classes)
        assert isinstance(recipe.networks, DCGANNetworks)
        self.generator = dcgan.Generator(recipe.latent, recipe.networks.generator)
        self.critic = dcgan.Discriminator(recipe.resolution, recipe.networks.critic)
        self._labeller: Labeller | None = None

    def critic_loss(self, batch: Batch) -> Terms:
        """Goodfellow et al. 2014, eq. 1; real and generated images are normalised apart."""
        on_real = self.critic(self.augment(batch.images))
        on_generated = self.critic(self.augment(self.generate_detached(batch)))
        return {"source": binary_critic_loss(on_real, on_generated)}

    def generator_loss(self, batch: Batch) -> Terms:
        """The form that does not saturate."""
        return {"source": binary_generator_loss(self.critic(self.augment(self.generator(batch.latents))))}

    def label_with(self, classifier: Labeller) -> None:
        self._labeller = classifier

    def generate(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return for each latent its first candidate of the class. Candidates are made for those still open only: which
        these are follows from the latents and labels given, so equal calls compute in equal company."""
        if self._labeller is None:
            raise InputError(
                "dcgan knows no classes; an image of a named class needs the run's independent_classifier.safetensors"
            )
        labels_on_cpu, waiting = labels.cpu(), torch.arange(len(latents))
        best = torch.full((len(latents),), -1.0)
        images: Tensor | None = None
        for places in range(min(CANDIDATES, latents.shape[1])):
            where = waiting.to(latents.device)
            made = self.generator(torch.roll(latents[where], places, dims=1))
            images = torch.empty_like(made) if images is None else images
            probability = torch.from_numpy(self._labeller(to_uint8(made).cpu().numpy())).float()
            probability = probability[torch.arange(len(waiting)), labels_on_cpu[waiting]]
            better = probability > best[waiting]
            images[where[better.to(where.device)]] = made[better.to(made.device)]
            best[waiting[better]] = probability[better]
            waiting = waiting[best[waiting] <= SURE]
            if not len(waiting):
                break
        assert images is not None
        return images
