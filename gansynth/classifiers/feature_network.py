"""A small convolutional network on a table of features, with `fit` and `predict_proba` as scikit-learn has them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

_BATCH = 32


class FeatureNetwork:
    """Convolutions along the features in their order, and one fully connected layer; Adam, cross-entropy.

    alkrimi2023 (sections 2.2 and 2.3) feeds a convolutional network with a table of features of nuclei and gives no
    layers. It computes with 64 bits, so that equal arguments give an equal network to well below a probability's third
    decimal, however many threads there are.

    Parameters
    ----------
    channels : sequence of int
        Of the convolutions.
    epochs : int
    learning_rate : float
    seed : int
        The caller's random state is left as it was.
    """

    def __init__(self, channels: Sequence[int], epochs: int, learning_rate: float, seed: int) -> None:
        self.channels, self.epochs, self.learning_rate, self.seed = tuple(channels), epochs, learning_rate, seed

    def fit(
        self, points: NDArray[np.float32], labels: NDArray[np.int64], weight: NDArray[np.float64]
    ) -> FeatureNetwork:
        """Fit on features [n, k], labels [n] and how much each row counts [n]; return it."""
        self.classes_, said = np.unique(labels, return_inverse=True)
        x, y = torch.from_numpy(points).double(), torch.from_numpy(said)
        counts = torch.from_numpy(np.asarray(weight, np.float64))
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(self.seed)
            self.network = self._network(x.shape[1], len(self.classes_)).double()
            mover = torch.optim.Adam(self.network.parameters(), lr=self.learning_rate)
            for _ in range(self.epochs):
                for rows in torch.randperm(len(x)).split(_BATCH):
                    each = F.cross_entropy(self.network(x[rows][:, None]), y[rows], reduction="none")
                    mover.zero_grad()
                    (counts[rows] * each).mean().backward()
                    mover.step()
        return self

    @torch.no_grad()
    def predict_proba(self, points: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the probabilities [n, C] of `classes_`."""
        logits: Tensor = self.network(torch.from_numpy(points).double()[:, None])
        return logits.softmax(dim=1).numpy()

    def _network(self, width: int, n_classes: int) -> nn.Module:
        layers: list[nn.Module] = []
        inputs = 1
        for outputs in self.channels:
            layers += [nn.Conv1d(inputs, outputs, 3, padding=1), nn.ReLU()]
            inputs = outputs
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs * width, n_classes))
