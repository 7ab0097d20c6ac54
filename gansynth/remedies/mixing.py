"""Mixed images and labels: weighted means of two (mixup), or a rectangle of each from another (CutMix)."""

from __future__ import annotations

import math
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

    noun = "mixup"
    parameters = (Parameter("alpha", 0.2, 0.01, 10.0, "Beta(alpha, alpha): small mixes little", tried=(0.1, 0.2, 0.4)),)
    neural_only = True
    cheap = True
    decides = "how images are mixed"

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        return replace(treatment, mix=MixedImages(self.values["alpha"]))


@dataclass(frozen=True)
class PatchedImages:
    """A rectangle with the share 1 - lam of the area, lam ~ Beta(alpha, alpha), the same for a batch.

    Its centre is anywhere; what lies beyond the border is cut off, and lam is the area that is really left.

    References
    ----------
    Yun et al. 2019, "CutMix: Regularization strategy to train strong classifiers with localizable features", ICCV.
    """

    alpha: float

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor, float]:
        """Return patched images [n, 3, H, W], the partner of each (int64 [n]), and lam."""
        import torch

        height, width = images.shape[-2:]
        share = math.sqrt(1 - share_kept(self.alpha))
        row, column = (torch.rand(2) * torch.tensor([height, width])).long().tolist()
        top, bottom = _around(row, share, height)
        left, right = _around(column, share, width)
        partner = torch.randperm(len(images)).to(images.device)
        patched = images.clone()
        patched[..., top:bottom, left:right] = images[partner, :, top:bottom, left:right]
        return patched, partner, 1 - (bottom - top) * (right - left) / (height * width)


def _around(centre: int, share: float, edge: int) -> tuple[int, int]:
    half = int(edge * share) // 2
    return max(0, centre - half), min(edge, centre + half)


@register("cutmix")
class CutMix(Remedy):
    """Each image gets a rectangle of another of its batch; the loss is mixed by their areas."""

    noun = "CutMix"
    parameters = (Parameter("alpha", 1.0, 0.01, 10.0, "Beta(alpha, alpha): 1 draws all areas alike", tried=(0.3, 1.0)),)
    neural_only = True
    cheap = True
    decides = "how images are mixed"

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        return replace(treatment, mix=PatchedImages(self.values["alpha"]))
