"""LPIPS between images whose trunk features are known: no image goes through the network twice.

LPIPS is a squared Euclidean distance: with every layer's features brought to unit length over the channels and
weighted by the square root of the learned linear weights (what `gansynth.metrics.extractors.alex` returns), it is the
sum over layers of the mean over places of the squared difference (Zhang et al. 2018, arXiv:1801.03924, eq. 1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansynth.metrics.diversity import Diversity, mean_off_diagonal

Features = Sequence[Tensor]
"""One float tensor [n, c, h, w] per layer of the trunk, normalised and weighted."""
Trunk = Callable[[NDArray[np.uint8]], Features]
"""From images uint8 [n, 3, H, W] to their features, such as `AlexFeatures`."""


def lpips_pairs(a: Features, b: Features) -> NDArray[np.float64]:
    """Return LPIPS of each pair (`a` i, `b` i).

    Parameters
    ----------
    a, b : sequences of float tensors, shape [n, c, h, w]
        The same layers of both. Either may have n = 1: one image against all of the other side.

    Returns
    -------
    float64 array, shape [n]
        0 for equal images; about 0.5 for unrelated ones with the published weights.

    Raises
    ------
    ValueError
        If the layers do not fit each other.
    """
    if [x.shape[1:] for x in a] != [x.shape[1:] for x in b] or not a:
        raise ValueError(f"features are of different layers: {_shapes(a)} and {_shapes(b)}")
    layers = [(x - y).square().sum(dim=1).mean(dim=(1, 2), dtype=torch.float64) for x, y in zip(a, b, strict=True)]
    return torch.stack(layers).sum(dim=0).cpu().numpy()


def lpips_matrix(features: Features) -> NDArray[np.float64]:
    """Return LPIPS of every image with every other, float64 [n, n], to about 1e-6.

    It is computed from scalar products: features enter one matrix product, and nothing of size n^2 x d exists.
    """
    n = len(features[0]) if features else 0
    squares = torch.zeros(n, n, dtype=torch.float64)
    for layer in features:
        flat = layer.flatten(1).float()
        places = layer.shape[2] * layer.shape[3]
        # About the mean, which changes no difference and leaves fewer digits to lose.
        flat = flat - flat.mean(dim=0)
        product = (flat @ flat.t()).double().cpu()
        norms = product.diagonal()
        squares += (norms[:, None] + norms[None, :] - 2 * product).clamp_min(0) / places
    return squares.fill_diagonal_(0).numpy()


def lpips_diversity(features: Features, *, resamples: int = 500, confidence: float = 0.95, seed: int = 0) -> Diversity:
    """Return the mean LPIPS between two different images of a set: far below real, the generator has collapsed.

    Parameters
    ----------
    features : sequence of float tensors, shape [n, c, h, w]
        Of one class, and at most a few hundred images of it: `capped` draws them. The mean over pairs is unbiased at
        any n, so a subset costs precision only, which the interval shows.
    resamples, confidence, seed
        As for `mean_pairwise_distance`.

    Returns
    -------
    Diversity
    """
    return mean_off_diagonal(lpips_matrix(features), resamples=resamples, confidence=confidence, seed=seed)


def _shapes(features: Features) -> list[tuple[int, ...]]:
    return [tuple(x.shape[1:]) for x in features]
