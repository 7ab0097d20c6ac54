"""What every GAN is: players, and turns in which one player moves. The loop knows nothing else.

A new GAN is one file in `methods/` with one class::

    @register("my-gan")
    class MyGAN(GAN):
        def __init__(self, recipe, n_classes):
            super().__init__(recipe, n_classes)
            self.generator, self.critic = ...          # its players

        def turns(self):
            return (Turn("critic", self.critic_loss, repeats=5), Turn("generator", self.generator_loss))

        def critic_loss(self, batch): ...              # returns a dict of named terms; their sum is minimised

and one recipe in the zoo whose ``gan`` is ``my-gan``. Where its generator does not know classes by itself, `generate`
says how an image of a named class is made, with the help of `align` or `label_with`.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from gansynth.errors import InputError
from gansynth.gans.adversarial import hinge_critic_loss
from gansynth.gans.diffaugment import DiffAugment
from gansynth.recipes import GanRecipe, load_recipe
from gansynth.recipes.declared import DECLARED, Declared, Networks, ProjectedLosses, ThreePlayerLosses
from gansynth.recipes.reading import Section


@dataclass(frozen=True)
class Batch:
    """What one turn sees.

    Attributes
    ----------
    images : float tensor [n, 3, R, R]
        Real images in [-1, 1].
    labels : int64 tensor [n]
        Their classes.
    latents : float tensor [m, latent]
        Standard normal; m = n, or a multiple of n in a generator's turn.
    generated_labels : int64 tensor [m]
        Classes to generate, drawn from the same distribution as `labels`.
    step : int
        Generator iterations done before this one.
    """

    images: Tensor
    labels: Tensor
    latents: Tensor
    generated_labels: Tensor
    step: int


Terms = dict[str, Tensor]
"""Named scalar terms of a loss; their sum is minimised, each is logged."""


@dataclass(frozen=True)
class Turn:
    """One player's move: `player` is the attribute whose parameters follow the gradient of `loss`, `repeats` times.

    It is made in the steps from `since` on and before `until`.
    """

    player: str
    loss: Callable[[Batch], Terms]
    repeats: int = 1
    since: int = 0
    until: int | None = None

    def is_due(self, step: int) -> bool:
        """Return whether the move is made in a step."""
        return self.since <= step and (self.until is None or step < self.until)


Labeller = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Images [n, 3, H, W] to class probabilities [n, C]."""


class GAN(nn.Module, ABC):
    """Base of all GANs: a generator, further players, and their losses.

    Attributes
    ----------
    pretrained : tuple of str
        Pretrained networks that players look through, such as "efficientnet-lite0". They are named in the run, and no
        such network may judge what the generator makes.
    """

    generator: nn.Module
    pretrained: tuple[str, ...] = ()

    def __init__(self, recipe: GanRecipe, n_classes: int) -> None:
        super().__init__()
        self.recipe, self.n_classes = recipe, n_classes
        self.augment = DiffAugment(recipe.augmentation)

    @classmethod
    def to_generate(cls, recipe: GanRecipe, n_classes: int) -> GAN:
        """Return what generates and need not train: this GAN, or its generator alone, where others take long to open.

        See `GeneratorAlone`.
        """
        return cls(recipe, n_classes)

    @abstractmethod
    def turns(self) -> tuple[Turn, ...]:
        """Return the turns of one iteration, in order. The generator moves last and once."""

    def generate(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return images [n, 3, R, R] in [-1, 1] for latents [n, latent] and int64 labels [n].

        What is shown and saved comes from here; a loss may ask the generator itself. The image of a latent and a
        label must not depend on the others beside it.
        """
        images: Tensor = self.generator(latents, labels)
        return images

    @torch.no_grad()
    def generate_detached(self, batch: Batch) -> Tensor:
        """Return generated images that carry no gradient: what every turn but the generator's needs."""
        images: Tensor = self.generator(batch.latents, batch.generated_labels)
        return images

    def hinge(self, critic: nn.Module, batch: Batch) -> Tensor:
        """Return the hinge of a critic that is given labels, on augmented real and generated images in one pass.

        For critics without batch statistics, which could leak from one half to the other.
        """
        real, generated = self.augment(batch.images), self.augment(self.generate_detached(batch))
        scores: Tensor = critic(torch.cat([real, generated]), torch.cat([batch.labels, batch.generated_labels]))
        return hinge_critic_loss(*scores.split([len(real), len(generated)]))

    def align(self, images: Tensor, labels: Tensor) -> None:
        """Learn which of the generator's inputs stand for which class, before it is shown or saved.

        For methods that never see a label while they play. What is learned belongs into buffers of the generator.

        Parameters
        ----------
        images : uint8 tensor [n, 3, R, R]
            Real training images, up to 64 of each class, the classes taking turns.
        labels : int64 tensor [n]
        """

    def label_with(self, classifier: Labeller) -> None:
        """Take the run's independent classifier, before images are generated.

        For methods that cannot be asked for a class at all.
        """


class GeneratorAlone(GAN):
    """A generator that knows classes, without the players that trained it."""

    def __init__(self, recipe: GanRecipe, n_classes: int, generator: nn.Module) -> None:
        super().__init__(recipe, n_classes)
        self.generator = generator

    def turns(self) -> tuple[Turn, ...]:
        return ()


class TwoPlayerGAN(GAN):
    """Base of the GANs in which a critic moves, as often as the recipe says, and then the generator."""

    critic: nn.Module

    def turns(self) -> tuple[Turn, ...]:
        return (
            Turn("critic", self.critic_loss, repeats=self.recipe.training.critic_steps),
            Turn("generator", self.generator_loss),
        )

    @abstractmethod
    def critic_loss(self, batch: Batch) -> Terms:
        """Return what the critic minimises."""

    @abstractmethod
    def generator_loss(self, batch: Batch) -> Terms:
        """Return what the generator minimises."""


class ThreePlayerGAN(GAN):
    """Base of the GANs with a classifier that plays beside the critic (hazra2022, section 2.2.2).

    It learns from real images: what it learned from generated ones would be the generator's mistakes. A recipe may let
    it all the same, as table 5 of the paper has it (``losses.classifier_generated``).
    """

    classifier: nn.Module

    def classifier_loss(self, batch: Batch) -> Terms:
        """Cross entropy of logits on augmented real images, and on generated ones where the recipe says so."""
        logits = self.classifier(self.augment(batch.images)).float()
        weights = self.recipe.losses
        assert isinstance(weights, ThreePlayerLosses | ProjectedLosses)
        terms = {"real": weights.classifier_real * F.cross_entropy(logits, batch.labels)}
        more = getattr(weights, "classifier_generated", 0.0)
        if more and batch.step >= self.recipe.training.warm_up:
            logits = self.classifier(self.augment(self.generate_detached(batch))).float()
            terms["generated"] = more * F.cross_entropy(logits, batch.generated_labels)
        return terms


_REGISTRY: dict[str, type[GAN]] = {}
_G = TypeVar("_G", bound=type[GAN])


def register(
    name: str, losses: type[Section] | None = None, networks: type[Networks] | tuple[type[Networks], ...] = ()
) -> Callable[[_G], _G]:
    """Class decorator: make a GAN available to recipes as ``gan: name``.

    Parameters
    ----------
    name : str
    losses : type of Section, optional
        The weights of its terms, which its recipes may name under ``losses``; the GAN finds them in
        ``self.recipe.losses``. Default: what `gansynth.recipes.declared.DECLARED` says of it, else none.
    networks : type of Networks, or several, optional
        What its recipes may name under ``networks``, one type for each family. Default: what `DECLARED` says of it,
        else those of a generator and a critic.
    """

    def decorate(cls: _G) -> _G:
        _REGISTRY[name] = cls
        known = DECLARED.get(name, Declared())
        given = networks if isinstance(networks, tuple) else (networks,)
        DECLARED[name] = Declared(given or known.networks, losses or known.losses)
        return cls

    return decorate


def build_gan(recipe: str | GanRecipe, class_names: Sequence[str], *, to_generate: bool = False) -> GAN:
    """Return an untrained GAN; its players are attributes.

    Parameters
    ----------
    recipe : str or GanRecipe
        A recipe, its name in the zoo, or its path.
    class_names : sequence of str
        At least one class.
    to_generate : bool
        Players that take long to open may be missing: see `GAN.to_generate`.

    Raises
    ------
    InputError
        If the recipe names a GAN that is not registered, or there is no class.

    Examples
    --------
    >>> gan = build_gan("c-wgan-gp-64", ["basophil", "eosinophil"])
    >>> gan.generate(torch.randn(2, gan.recipe.latent), torch.tensor([0, 1])).shape
    torch.Size([2, 3, 64, 64])
    """
    if not isinstance(recipe, GanRecipe):
        recipe = load_recipe(recipe)
    if not class_names:
        raise InputError("no class names; a GAN needs at least one class to generate")
    if recipe.gan not in _REGISTRY:
        near = difflib.get_close_matches(recipe.gan, _REGISTRY, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(sorted(_REGISTRY))}"
        raise InputError(f"recipe {recipe.name}: no GAN named '{recipe.gan}'; {hint}")
    # Read before the GAN was known, its networks and weights have not been checked.
    recipe = recipe.declared()
    gan = _REGISTRY[recipe.gan]
    return gan.to_generate(recipe, len(class_names)) if to_generate else gan(recipe, len(class_names))
