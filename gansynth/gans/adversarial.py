"""The losses of critics that are not Wasserstein critics: binary cross entropy on logits, and the hinge."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def binary_critic_loss(real: Tensor, generated: Tensor) -> Tensor:
    """Return ``-E[log s(D(x))] - E[log(1 - s(D(G(z))))]`` with the logistic function s (Goodfellow et al. 2014, eq. 1).

    Parameters
    ----------
    real, generated : float tensors [n]
        Logits (no sigmoid before them) of real and of generated images.
    """
    return F.softplus(-real.float()).mean() + F.softplus(generated.float()).mean()


def binary_generator_loss(generated: Tensor) -> Tensor:
    """Return ``-E[log s(D(G(z)))]``, the form that does not saturate (Goodfellow et al. 2014, section 3), for logits
    [n]."""
    return F.softplus(-generated.float()).mean()


def hinge_critic_loss(real: Tensor, generated: Tensor) -> Tensor:
    """Return ``E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]`` for scores [n] (Miyato et al. 2018, eq. 16)."""
    return F.relu(1 - real.float()).mean() + F.relu(1 + generated.float()).mean()


def hinge_generator_loss(generated: Tensor) -> Tensor:
    """Return ``-E[D(G(z))]`` for scores [n] (Miyato et al. 2018, eq. 17)."""
    return -generated.float().mean()
