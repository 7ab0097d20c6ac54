"""Mixup: a network learns from weighted means of two images, and of their labels (Zhang et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gansynth.remedies.parameter import Parameter
from gansynth.remedies.remedy import Remedy, Workplace, register
from gansynth.remedies.treatment import Treatment

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class MixedImages:
    """lam x + (1 - lam) x', lam ~ Beta(alpha, alpha), the same for a batch.

    References
    ----------
    Zhang et al. 2018, "mixup: Beyond empirical risk minimization", ICLR.
    """

    alpha: float

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor, float]:
        """Return mixed images [n, 3, H, W], the partner of each (int64 [n]), and lam."""
        import torch

        kept = share_kept(self.alpha)
        partner = torch.randperm(len(images)).to(images.device)
        return torch.lerp(images[partner], images, kept), partner, kept


def share_kept(alpha: float) -> float:
    """Draw from Beta(alpha, alpha)."""
    import torch

    return float(torch.distributions.Beta(alpha, alpha).sample())


@register("mixup")
class Mixup(Remedy):
    """Each image is mixed with another of its batch; so is the loss."""

    parameters = (Parameter("alpha", 0.2, 0.01, 10.0, "Beta(alpha, alpha): small mixes little", tried=(0.1, 0.2, 0.4)),)
    neural_only = True
    cheap = True
    decides = "how images are mixed"

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        return replace(treatment, mix=MixedImages(self.values["alpha"]))
