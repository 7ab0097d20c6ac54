"""Standardised features on their principal components, fitted on the images that a classifier learns from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler
from sklearn.utils.extmath import randomized_svd

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Projection:
    """First every feature is brought to mean 0 and variance 1, then the features are turned to their main directions.

    Attributes
    ----------
    mean, scale : float32 arrays, shape [d]
    components : float32 array, shape [k, d], or None
        Main directions, those of largest variance first; None: features are only standardised.
    n_seen : int
        Rows that it was fitted on.
    """

    mean: Floats
    scale: Floats
    components: Floats | None
    n_seen: int

    @classmethod
    def fit(cls, features: Floats, times: NDArray[np.int64], components: int | None, *, seed: int = 0) -> Projection:
        """Fit on images that count several times each, as if they were there so often.

        Parameters
        ----------
        features : float32 array, shape [n, d]
        times : int64 array, shape [n]
            How often each row counts.
        components : int or None
            Directions to keep: at most d, and fewer than there are images.
        seed : int
            Of the randomised decomposition.
        """
        scaler = StandardScaler().fit(features, sample_weight=times)
        mean, scale = scaler.mean_.astype(np.float32), scaler.scale_.astype(np.float32)
        directions = None
        if components is not None:
            kept = max(1, min(components, features.shape[1], int((times > 0).sum()) - 1))
            weighted = (features - mean) / scale * np.sqrt(times, dtype=np.float32)[:, None]
            _, _, directions = randomized_svd(weighted, kept, random_state=seed)
            directions = directions.astype(np.float32)
        return cls(mean, scale, directions, int(scaler.n_samples_seen_))

    def __call__(self, features: Floats) -> Floats:
        """Project features [n, d] to float32 [n, k]."""
        standard: Floats = ((features - self.mean) / self.scale).astype(np.float32)
        return standard if self.components is None else standard @ self.components.T
