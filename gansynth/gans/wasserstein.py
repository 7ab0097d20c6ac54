"""The loss of a Wasserstein critic with gradient penalty (hazra2022, eq. 3 and 4; Gulrajani et al. 2017)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gansynth.recipes.declared import WassersteinLosses

FEW = 16
"""Images below which a penalty on a processor is taken in float32. On processors with AMX, oneDNN 3.12 (torch 2.14)
gives the weights of a convolution a wrong gradient of it in bfloat16 for 2, 4, ... 14 images: at right angles to the
right one. From 16 on, and elsewhere, both precisions agree."""


def critic_loss(real: Tensor, generated: Tensor) -> Tensor:
    """Return ``E[D(G(z))] - E[D(x)]``, which the critic minimises.

    hazra2022 eq. 3 is the same with the sign turned, for a critic that maximises.

    Parameters
    ----------
    real, generated : float tensors [n]
        Scores of real and of generated images.
    """
    return generated.mean() - real.mean()


def interpolate(real: Tensor, generated: Tensor) -> Tensor:
    """Return one point on the line from each real image to a generated one, uniformly chosen, [n, 3, H, W].

    Gulrajani et al. 2017, section 4: the weight is uniform in [0, 1], one for each image.
    """
    epsilon = torch.rand(len(real), 1, 1, 1, device=real.device, dtype=real.dtype)
    return torch.lerp(generated, real, epsilon)


def gradient_penalty(critic: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Return ``E[(|grad D(x)|_2 - 1)^2]`` at `images` (hazra2022, eq. 4, without lambda).

    Parameters
    ----------
    critic : callable
        Images [n, 3, H, W] to scores [n].
    images : float tensor [n, 3, H, W]
        Usually from `interpolate`.

    Returns
    -------
    float32 scalar tensor, differentiable with respect to the critic's parameters.

    Notes
    -----
    The norm is taken in float32 whatever precision the critic computes in, and has an epsilon under the root:
    the root's own gradient at zero is infinite. On a processor the critic computes in float32, too, where the images
    are fewer than `FEW`.
    """
    images = images.detach().requires_grad_()
    as_asked = torch.is_autocast_enabled(images.device.type) and not (images.device.type == "cpu" and len(images) < FEW)
    with torch.autocast(images.device.type, enabled=as_asked):
        scores = critic(images)
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    norm = (gradient.float().square().sum(dim=(1, 2, 3)) + 1e-12).sqrt()
    return (norm - 1).square().mean()


def restraints(
    critic: Callable[[Tensor], Tensor],
    on_real: Tensor,
    real: Tensor,
    generated: Tensor,
    weights: WassersteinLosses,
    step: int,
) -> dict[str, Tensor]:
    """Return the weighted terms that keep a Wasserstein critic in bounds: drift, and in its steps the penalty.

    Parameters
    ----------
    critic : callable
        Images [n, 3, H, W] to scores [n].
    on_real : float tensor [n]
        Its scores of the real images, whose mean square is the drift (Karras et al. 2018, appendix A.1).
    real, generated : float tensors [n, 3, H, W]
        The penalty is taken between them, every ``penalty_every`` steps and so many times as strong.
    weights : WassersteinLosses
    step : int
    """
    terms: dict[str, Tensor] = {}
    if weights.drift:
        terms["drift"] = weights.drift * on_real.square().mean()
    if step % weights.penalty_every == 0:
        penalty = gradient_penalty(critic, interpolate(real, generated))
        terms["penalty"] = weights.gradient_penalty * weights.penalty_every * penalty
    return terms
