"""A linear classifier in a frozen network's features: which class is an image, by eyes that have seen no cell?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

STRENGTH = 0.01
"""Inverse of the penalty on the weights (scikit-learn's C)."""


@dataclass(frozen=True)
class Standardisation:
    """Brings each feature to mean 0 and standard deviation 1 over the real images it was read off.

    Attributes
    ----------
    mean, scale : float32 arrays [d]
        A feature that never varies keeps its scale.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]

    @classmethod
    def of(cls, features: ArrayLike) -> Standardisation:
        """Read it off features [n, d]."""
        x = np.asarray(features, dtype=np.float64)
        sd = x.std(axis=0)
        return cls(x.mean(axis=0).astype(np.float32), np.where(sd > 1e-6, sd, 1).astype(np.float32))

    def __call__(self, features: ArrayLike) -> NDArray[np.float32]:
        """Return features [n, d], standardised."""
        return (np.asarray(features, dtype=np.float32) - self.mean) / self.scale


@dataclass(frozen=True)
class LinearHead:
    """Multinomial logistic regression in standardised features.

    Attributes
    ----------
    standardise : Standardisation
    weight : float32 array [C, d]
    bias : float32 array [C]
    """

    standardise: Standardisation
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, features: ArrayLike) -> NDArray[np.float32]:
        """Return what speaks for each class, float32 [n, C], of features [n, d]."""
        return self.standardise(features) @ self.weight.T + self.bias

    def __call__(self, features: ArrayLike) -> NDArray[np.int64]:
        """Return the likeliest class of each image, int64 [n]."""
        return self.logits(features).argmax(axis=1).astype(np.int64)


def fit_linear_head(
    features: ArrayLike, labels: ArrayLike, n_classes: int, *, strength: float = STRENGTH
) -> LinearHead:
    """Learn a head from real images.

    Every class weighs the same, however many images it has: a judge that expects rare cells to be rare would miss
    them whatever they look like.

    Parameters
    ----------
    features : float array [n, d]
    labels : int array [n]
        0..C-1; classes without images are never answered.
    n_classes : int
        C, at least 2 of them with images.
    strength : float
        Inverse of the penalty; 0.01 was the best of 0.001 to 1 on held-out PBC cells.

    Raises
    ------
    ValueError
        If fewer than two classes have images.

    Examples
    --------
    >>> head = fit_linear_head([[0.0], [0.1], [1.0], [1.1]], [0, 0, 1, 1], 2)
    >>> head([[0.2], [0.9]]).tolist()
    [0, 1]
    """
    from sklearn.linear_model import LogisticRegression

    x, y = np.asarray(features, dtype=np.float32), np.asarray(labels, dtype=np.int64)
    there = np.unique(y)
    if len(there) < 2:
        raise ValueError(f"a classifier needs two classes or more, got {len(there)}")
    standardise = Standardisation.of(x)
    fitted = LogisticRegression(C=strength, class_weight="balanced", max_iter=300, tol=1e-3)
    fitted.fit(standardise(x), y)
    coefficients, intercepts = fitted.coef_, fitted.intercept_
    if len(there) == 2:  # scikit-learn keeps one row for two classes
        coefficients, intercepts = (
            np.concatenate([-coefficients, coefficients]),
            np.concatenate([-intercepts, intercepts]),
        )
    weight = np.zeros((n_classes, x.shape[1]), np.float32)
    bias = np.full(n_classes, -np.inf, np.float32)
    weight[there], bias[there] = coefficients, intercepts
    return LinearHead(standardise, weight, bias)
