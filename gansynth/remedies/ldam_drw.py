"""LDAM-DRW: larger margins for rarer classes, and late in the training larger weights too (Cao et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gansynth.remedies.class_weights import Weights, as_tensor, class_balanced
from gansynth.remedies.parameter import Parameter
from gansynth.remedies.remedy import Remedy, Workplace, counts_of, register
from gansynth.remedies.treatment import Treatment

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class LdamLoss:
    """Mean over the images of the cross-entropy after the true class has lost its margin: z_y - s Delta_y.

    The logits are s cosines (see `gansynth.networks.head`), so that a margin means the same for every image.

    Attributes
    ----------
    margins : tuple of float, length C
        s Delta_c, Delta_c ~ 1 / n_c^(1/4) (eq. 13).
    weights : tuple of float, length C
        By effective numbers; they count once the share `start` of the training is done.
    start : float

    References
    ----------
    Cao et al. 2019, "Learning imbalanced datasets with label-distribution-aware margin loss", NeurIPS, algorithm 1.
    """

    margins: Weights
    weights: Weights
    start: float

    def __call__(self, logits: Tensor, labels: Tensor, done: float = 0.0) -> Tensor:
        """Return the loss of logits [n, C] and labels int64 [n] when the share `done` of the training is done."""
        from torch.nn import functional as F

        margin = as_tensor(self.margins, logits)[labels]
        lowered = logits.scatter_add(1, labels[:, None], -margin[:, None])
        each = F.cross_entropy(lowered, labels, reduction="none")
        return each.mean() if done < self.start else (as_tensor(self.weights, logits)[labels] * each).mean()


@register("ldam-drw")
class LdamDrw(Remedy):
    """Label-distribution-aware margins with deferred re-weighting, on a last layer that gives cosines."""

    noun = "margins by class with deferred weights (LDAM-DRW)"
    parameters = (
        Parameter("margin", 0.5, 0.0, 2.0, "of the rarest class, in cosines", tried=(0.1, 0.3, 0.5)),
        Parameter("scale", 30.0, 1.0, 100.0, "of the cosines"),
        Parameter("start", 0.8, 0.0, 1.0, "share of the training after which classes are weighed"),
        Parameter("beta", 0.9999, 0.0, 0.999999, "of the effective numbers they are weighed by"),
    )
    neural_only = True
    cheap = True
    decides = "the loss"

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        n, v = counts_of(treatment), self.values
        scaled = v["scale"] * label_aware_margins(n, v["margin"])
        loss = LdamLoss(tuple(scaled.tolist()), class_balanced(n, v["beta"]), v["start"])
        return replace(treatment, loss=loss, cosine_scale=v["scale"])


def label_aware_margins(counts: NDArray[np.int64], largest: float) -> NDArray[np.float64]:
    """Return margins ~ 1 / n^(1/4), the largest of them as given; 0 for a class without images; float64 [C].

    Examples
    --------
    >>> label_aware_margins(np.array([1600, 100]), 0.5)
    array([0.25, 0.5 ])
    """
    n = np.asarray(counts, np.float64)
    margin = np.where(n > 0, np.maximum(n, 1) ** -0.25, 0.0)
    return largest * margin / margin.max()
