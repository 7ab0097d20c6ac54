"""How many images a class is to have, and how much each of them is to count."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Weights = tuple[float, ...]
"""One number a class, in a form that can be compared, hashed and written down."""


def targets(counts: NDArray[np.int64], dose: float) -> NDArray[np.int64]:
    """Return how many images every class gets at a dose, int64 [C]: n + dose (max n - n).

    A class without images stays without.

    Examples
    --------
    >>> targets(np.array([100, 20]), 0.5)
    array([100,  60])
    """
    n = np.asarray(counts, np.int64)
    wanted = np.round(n + dose * (n.max(initial=0) - n)).astype(np.int64)
    return np.where(n > 0, wanted, 0)


def inverse_frequency(counts: NDArray[np.int64], power: float = 1.0) -> Weights:
    """Return weights ~ 1 / n^power, 1 on average over the images; with power 1 all classes count the same.

    Parameters
    ----------
    counts : int64 array, shape [C]
        Images of each class. One without images gets weight 0.
    power : float
        1 is scikit-learn's "balanced", 0.5 half of the way (in logarithms), 0 weighs nothing.

    Examples
    --------
    >>> inverse_frequency(np.array([30, 10]))
    (0.6666666666666666, 2.0)
    """
    n = np.asarray(counts, np.float64)
    return _one_on_average(n, np.maximum(n, 1) ** -power)


def effective_number(counts: NDArray[np.int64], beta: float) -> NDArray[np.float64]:
    """Return the effective number of images E_n = (1 - beta^n) / (1 - beta), float64 [C] (guo2022, eq. 4).

    It is 1 for every class with beta 0, and goes to n as beta goes to 1.

    Examples
    --------
    >>> effective_number(np.array([1, 10, 1000]), 0.9).round(3)
    array([ 1.   ,  6.513, 10.   ])
    """
    n = np.asarray(counts, np.float64)
    return np.where(n > 0, (1 - beta**n) / (1 - beta), 0.0)


def class_balanced(counts: NDArray[np.int64], beta: float) -> Weights:
    """Return weights ~ 1 / E_n, 1 on average over the images (guo2022, eq. 4 and 5); 0 for a class without images."""
    n = np.asarray(counts, np.float64)
    return _one_on_average(n, 1 / effective_number(np.maximum(counts, 1), beta))


def log_priors(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the log frequencies of the classes, float64 [C]; 0 for one without images.

    Examples
    --------
    >>> log_priors(np.array([1, 1, 0])).round(3)
    array([-0.693, -0.693,  0.   ])
    """
    n = np.asarray(counts, np.float64)
    return np.log(np.where(n > 0, n, n.sum()) / n.sum())


@lru_cache(maxsize=64)
def _tensor(values: Weights, device: torch.device, dtype: torch.dtype) -> Tensor:
    import torch

    return torch.tensor(values, device=device, dtype=dtype)


def as_tensor(values: Weights, like: Tensor) -> Tensor:
    """Return one number a class [C] where `like` lies; sent there once."""
    return _tensor(values, like.device, like.dtype)


def _one_on_average(n: NDArray[np.float64], weight: NDArray[np.float64]) -> Weights:
    weight = np.where(n > 0, weight, 0.0)
    return tuple((weight * (n.sum() / (weight * n).sum())).tolist())
