"""New points between the features of images of one class: SMOTE and its borderline form, by imbalanced-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gansynth.remedies.class_weights import targets

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

_AROUND = 10
"""Neighbours of all classes by which Borderline-SMOTE knows a border; the authors' and the library's number."""


@dataclass(frozen=True)
class FeatureOverSampling:
    """Fills the rare classes with points on the lines between neighbours.

    A class of n points takes at most n - 1 neighbours; one with a single point is repeated. A class none of whose
    points lies at a border is filled by plain SMOTE, where the library's borderline form would leave it as it is.

    Attributes
    ----------
    kind : "smote" or "borderline-smote"
    dose : float
        See `Remedy`.
    neighbours : int
        k, of which one is drawn.

    References
    ----------
    Chawla et al. 2002, JAIR 16; Han et al. 2005, ICIC (Borderline-SMOTE1).

    Examples
    --------
    >>> points = np.array([[0, 0], [1, 1], [5, 5], [6, 6], [7, 7]], np.float32)
    >>> more, labels = FeatureOverSampling("smote")(points, np.array([0, 0, 1, 1, 1]), seed=0)
    >>> labels.tolist(), bool((more[5] == more[5, 0]).all())
    ([0, 0, 1, 1, 1, 0], True)
    """

    kind: Literal["smote", "borderline-smote"]
    dose: float = 1.0
    neighbours: int = 5

    def __call__(self, points: Floats, labels: Labels, seed: int) -> tuple[Floats, Labels]:
        """Return the points [n, d] and, behind them, the new ones; with their labels.

        Parameters
        ----------
        points : float32 array, shape [n, d]
        labels : int64 array, shape [n]
        seed : int
            Decides which points and neighbours are drawn, and how far between them a new one lies.
        """
        n = np.bincount(labels)
        added = [points[:0]]
        for c, wanted in enumerate(targets(n, self.dose)):
            new = self._new(points, labels, c, int(wanted - n[c]), seed) if wanted > n[c] else points[:0]
            added.append(new.astype(points.dtype))
        more = np.repeat(np.arange(len(added) - 1), [len(part) for part in added[1:]])
        return np.concatenate([points, *added]), np.concatenate([labels, more.astype(labels.dtype)])

    def _new(self, points: Floats, labels: Labels, c: int, missing: int, seed: int) -> Floats:
        from imblearn.over_sampling import SMOTE, BorderlineSMOTE

        mine = points[labels == c]
        if len(mine) == 1:
            return np.repeat(mine, missing, axis=0)
        k = min(self.neighbours, len(mine) - 1)
        state = int(np.random.SeedSequence((seed, c)).generate_state(1)[0])
        options = {"sampling_strategy": {c: len(mine) + missing}, "k_neighbors": k, "random_state": state}
        if self.kind == "borderline-smote":
            around = min(_AROUND, len(points) - 1)
            found, _ = BorderlineSMOTE(**options, m_neighbors=around).fit_resample(points, labels)
            if len(found) > len(points):
                return found[len(points) :]
        return SMOTE(**options).fit_resample(points, labels)[0][len(points) :]
