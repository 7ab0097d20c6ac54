"""EDM: a small class-conditional diffusion model (Karras et al. 2022, "Elucidating the design space of diffusion-based
generative models"). It is not a GAN; it stands beside them, under the same interface, to be compared with them.

Nobody judges what it makes. One network learns to remove noise from real images, at all strengths of noise; an image is
made from nothing but noise, a little of which is removed at a time. That needs dozens of evaluations of the network
where a GAN's generator needs one. Symbols, equations and table 1 (column "Ours") are those of the paper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from gansynth.errors import InputError
from gansynth.gans.gan import GAN, Batch, Terms, Turn, register
from gansynth.networks.images import orient_by
from gansynth.networks.unet import UNet
from gansynth.recipes import GanRecipe
from gansynth.recipes.declared import DiffusionLosses, DiffusionNetworks

SIGMA_DATA = 0.5
"""Deviation of pixels in [-1, 1]."""

SIGMA_MIN, SIGMA_MAX, RHO = 0.002, 80.0, 7.0
"""Least and most noise, and how unevenly the steps between them are spaced (eq. 5)."""

NO_CLASS = 0


@register("edm")
class EDM(GAN):
    """One player that removes noise from real images, and one move: there is no game.

    * Images are turned into one of eight orientations, where ``augmentation.orientations`` says so, and the network is
      given which (section 5, "augmentation regularization"), so that it draws them as they were photographed.
    * A share of the images is shown without its class (``losses.class_dropout``), which guidance needs.
    * Of `Batch` it uses images and labels only.
    """

    def __init__(self, recipe: GanRecipe, n_classes: int) -> None:
        super().__init__(recipe, n_classes)
        if recipe.augmentation.policy != "none":
            raise InputError(
                f"recipe {recipe.name}: augmentation.policy {recipe.augmentation.policy} would be learned as if cells "
                f"looked so, since {recipe.gan} has no critic that sees both sides altered; say augmentation.policy: "
                "none (orientations stay)"
            )
        assert isinstance(recipe.networks, DiffusionNetworks)
        if recipe.networks.guidance != 1 and not recipe.weights(DiffusionLosses).class_dropout:
            raise InputError(
                f"recipe {recipe.name}: networks.guidance {recipe.networks.guidance:g} compares with images of no "
                "class, which losses.class_dropout 0 never shows; raise it, 0.1 is usual, or leave guidance at 1"
            )
        self.generator: Denoiser = Denoiser(recipe, n_classes)

    def turns(self) -> tuple[Turn, ...]:
        return (Turn("generator", self.denoising_loss),)

    def denoising_loss(self, batch: Batch) -> Terms:
        """Eq. 8: how far from the image what is left of it is once its noise has been removed, weighted so that every
        strength of noise counts alike when training begins; the network's own part then is 1."""
        weights, n, device = self.recipe.weights(DiffusionLosses), len(batch.images), batch.images.device
        y, orientations = batch.images, torch.zeros_like(batch.labels)
        if self.recipe.augmentation.orientations:
            orientations = torch.randint(0, 8, (n,), device=device)
            y = orient_by(y, orientations)
        sigma = torch.exp(weights.noise_mean + weights.noise_deviation * torch.randn(n, device=device))
        shown = (torch.rand(n, device=device) >= weights.class_dropout).long()
        noisy = y + _each(sigma) * torch.randn_like(y)
        denoised = self.generator.denoise(noisy, sigma, shown * (1 + batch.labels), orientations)
        return {"denoising": (loss_weight(sigma) * (denoised - y).square().mean(dim=(1, 2, 3))).mean()}


class Denoiser(nn.Module):
    """D of eq. 7, and images made with it.

    Parameters
    ----------
    recipe : GanRecipe
    n_classes : int

    Attributes
    ----------
    n_noise : int
        Numbers of the initial noise that the recipe's latent does not have.
    """

    def __init__(self, recipe: GanRecipe, n_classes: int) -> None:
        super().__init__()
        networks, size = recipe.networks, recipe.resolution
        assert isinstance(networks, DiffusionNetworks)
        self.size, self.guidance = size, networks.guidance
        self.levels = noise_levels(networks.sampling_steps)
        self.n_noise = 3 * size**2 - recipe.latent
        if self.n_noise < 0:
            raise InputError(
                f"recipe {recipe.name}: latent {recipe.latent} is more than the noise that an image of {size} px "
                f"begins as; give at most {3 * size**2}, which is 3 x {size} x {size}"
            )
        self.unet = UNet(
            n_classes,
            networks.channels,
            size,
            blocks=networks.blocks,
            attention=networks.attention,
            dropout=networks.dropout,
        )

    def denoise(self, x: Tensor, sigma: Tensor, classes: Tensor, orientations: Tensor) -> Tensor:
        """Return what is expected to be left without the noise (eq. 7), float32 [n, 3, R, R].

        Parameters
        ----------
        x : float32 tensor [n, 3, R, R]
            Images with noise.
        sigma : float32 tensor [n]
            Its deviation.
        classes : int64 tensor [n]
            1 + c for class c, `NO_CLASS` for any.
        orientations : int64 tensor [n]
            As `orient_by` numbers them; 0 for images as they were photographed.
        """
        c_skip, c_out, c_in, c_noise = preconditioning(sigma)
        seen = (_each(c_in) * x).to(self.unet.first.weight.dtype)
        learned = self.unet(seen, c_noise, classes, orientations).float()
        return _each(c_skip) * x + _each(c_out) * learned

    @torch.no_grad()
    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return float32 images [n, 3, R, R] in [-1, 1].

        Parameters
        ----------
        latents : float tensor [n, 3 R R]
            Standard normal: the noise to begin with, deterministic from there on.
        labels : int64 tensor [n]
        """
        n = latents.shape[0]
        noise = latents.float().view(n, 3, self.size, self.size).contiguous(memory_format=torch.channels_last)
        classes, straight = 1 + labels, torch.zeros_like(labels)

        def guided(x: Tensor, level: float) -> Tensor:
            sigma = torch.full((n,), level, device=x.device)
            if self.guidance == 1:
                return self.denoise(x, sigma, classes, straight)
            both = torch.cat([classes, torch.full_like(classes, NO_CLASS)])
            denoised = self.denoise(x.repeat(2, 1, 1, 1), sigma.repeat(2), both, straight.repeat(2))
            of_class, of_any = denoised.chunk(2)
            return torch.lerp(of_any, of_class, self.guidance)

        return heun(guided, noise, self.levels).clamp(-1, 1)


def preconditioning(sigma: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return c_skip, c_out, c_in and c_noise of table 1 for noise levels [n].

    Examples
    --------
    >>> [round(float(c), 4) for c in preconditioning(torch.tensor(0.5))]
    [0.5, 0.3536, 1.4142, -0.1733]
    """
    total = sigma.square() + SIGMA_DATA**2
    return SIGMA_DATA**2 / total, sigma * SIGMA_DATA * total.rsqrt(), total.rsqrt(), sigma.log() / 4


def loss_weight(sigma: Tensor) -> Tensor:
    """Return lambda of table 1, 1 / c_out^2, for noise levels [n]."""
    return (sigma.square() + SIGMA_DATA**2) / (sigma * SIGMA_DATA).square()


def noise_levels(steps: int) -> tuple[float, ...]:
    """Return the noise levels of eq. 5, from the most to the least, without the 0 that follows.

    Examples
    --------
    >>> [round(level, 3) for level in noise_levels(4)]
    [80.0, 9.723, 0.469, 0.002]
    """
    first, last = SIGMA_MAX ** (1 / RHO), SIGMA_MIN ** (1 / RHO)
    return tuple((first + i / (steps - 1) * (last - first)) ** RHO for i in range(steps))


def heun(denoise: Callable[[Tensor, float], Tensor], noise: Tensor, levels: Sequence[float]) -> Tensor:
    """Return what noise becomes on the way that its denoising shows: algorithm 1, with sigma(t) = t and s(t) = 1.

    Parameters
    ----------
    denoise : callable
        From images and the deviation of their noise to images without it, of the same shape.
    noise : tensor
        Standard normal.
    levels : sequence of float
        Falling deviations.
    """
    x = levels[0] * noise
    for t, following in pairwise([*levels, 0.0]):
        d = (x - denoise(x, t)) / t
        ahead = x + (following - t) * d
        if following > 0:
            d = (d + (ahead - denoise(ahead, following)) / following) / 2
        x = x + (following - t) * d
    return x


def _each(values: Tensor) -> Tensor:
    """Return values [n] so that each meets its own image."""
    return values[:, None, None, None]
