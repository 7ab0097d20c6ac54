"""A flat map of cells: the two directions of feature space that best separate the classes of real training cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Projection:
    """A linear map from features to the plane: ``(x - mean) @ axes``.

    Linear, and fitted to real training cells alone: any generator's images land where real ones of the same features
    would, and the maps of several generators compare. (t-SNE and UMAP draw clusters whether there are any or not.)
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return points [n, 2] for features [n, d]."""
        points: NDArray[np.float64] = (np.asarray(features, dtype=np.float64) - self.mean) @ self.axes
        return points

    @classmethod
    def fit(cls, features: NDArray[np.float32], labels: NDArray[np.int64], most: int = 4000) -> Projection:
        """Find the linear discriminant axes (Fisher 1936), completed by principal axes where classes are fewer than
        three.

        Parameters
        ----------
        features : float array [n, d]
        labels : int64 array [n]
        most : int
            Images to fit to; a regular sample of more.
        """
        from sklearn.decomposition import PCA
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        step = max(1, -(-len(labels) // most))
        x, y = np.asarray(features[::step], dtype=np.float64), labels[::step]
        axes = np.zeros((x.shape[1], 0))
        if len(np.unique(y)) > 1 and len(y) > len(np.unique(y)) + 1:
            fitted = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto").fit(x, y)
            axes = fitted.scalings_[:, : min(2, len(fitted.classes_) - 1)]
        if axes.shape[1] < 2:
            rest = PCA(n_components=min(2, *x.shape)).fit(x).components_.T
            axes = np.concatenate([axes, rest], axis=1)[:, :2]
        axes = np.pad(axes, ((0, 0), (0, 2 - axes.shape[1])))
        spread = ((x - x.mean(axis=0)) @ axes).std(axis=0)
        return cls(x.mean(axis=0), axes / np.where(spread > 0, spread, 1))
