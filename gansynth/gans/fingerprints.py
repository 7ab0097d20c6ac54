"""A few bytes of every training image: a copy of one is known when it is generated, and so is what is far from all.

A run may outlive its data or travel without it. What it keeps is each training image averaged to 8 x 8 pixels:
enough to recognise a near copy, in whatever orientation, and too little to be looked at.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from gansynth.errors import InputError
from gansynth.files import shown
from gansynth.networks.images import orient
from gansynth.runs.weights import read_weights, write_weights

EDGE = 8
ALARM = 0.001
"""Share of honest held-out images that may lie closer to the training images than the copy threshold."""
BEYOND = 0.01
"""Share of honest held-out images of a class that may lie farther from the training images than its limit."""
ENOUGH = round(1 / BEYOND)
"""Held-out images from which that share can be estimated: one of them is that share."""

_PAIRS = 2**23
"""Of an image and a training image that are compared at once: 32 MiB, however many images there are."""


class TrainingFingerprints:
    """Distances from images to the nearest training image.

    Parameters
    ----------
    prints : float tensor [N, 192]
        Training images averaged to 8 x 8 pixels, in grey levels.
    copy_threshold : float
        Distances below it are called copies, in grey levels.
    limits : sequence of float
        For each class the distance beyond which an image is called broken, in grey levels; empty where nobody knows.
    """

    def __init__(self, prints: Tensor, copy_threshold: float, limits: Sequence[float] = ()) -> None:
        self.prints, self.copy_threshold, self.limits = prints.float(), copy_threshold, tuple(limits)
        self._squares = self.prints.square().sum(dim=1)

    @classmethod
    def of(
        cls,
        train: NDArray[np.uint8],
        held_out: NDArray[np.uint8],
        labels: NDArray[np.int64] | None = None,
        classes: int = 0,
    ) -> TrainingFingerprints:
        """Fingerprint a training split and set the threshold on honest images.

        Parameters
        ----------
        train, held_out : uint8 arrays [N, 3, H, W], [M, 3, H, W]
            Training images, and real images that are not among them. The threshold is the distance that only
            `ALARM` of the held-out images fall below, and at most half of their median: a real cell is not a copy,
            however ordinary it is.
        labels : int array [M], optional
            Classes of the held-out images, 0..`classes` - 1. With them, the limit of a class is the distance that
            `BEYOND` of its held-out images exceed; a class with fewer than `ENOUGH` of them also gets the room that
            all of them together need. With fewer than `ENOUGH` in all there are no limits.
        """
        prints = fingerprint(train)
        free = cls(prints, 0.0).distance(held_out) if len(held_out) else np.array([4.0], dtype=np.float32)
        threshold = min(float(np.quantile(free, ALARM)), 0.5 * float(np.median(free)))
        limits: list[float] = []
        if labels is not None and len(held_out) >= ENOUGH:
            pooled = float(np.quantile(free, 1 - BEYOND))
            for k in range(classes):
                own = free[labels == k]
                reach = float(np.quantile(own, 1 - BEYOND)) if len(own) else pooled
                limits.append(reach if len(own) >= ENOUGH else max(reach, pooled))
        return cls(prints, threshold, limits)

    def limit(self, class_index: int) -> float:
        """Return the distance beyond which an image of a class is called broken; infinity where nobody knows."""
        return self.limits[class_index] if class_index < len(self.limits) else float("inf")

    def distance(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the distance to the nearest training image in any of eight orientations.

        Parameters
        ----------
        images : uint8 array [n, 3, H, W]

        Returns
        -------
        float32 array [n]
            Root mean square difference of the 8 x 8 averages, in grey levels (0..255).
        """
        block = max(1, _PAIRS // max(1, len(self.prints)))
        parts = [self._distance(fingerprint(images[i : i + block])) for i in range(0, len(images), block)]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)

    def _distance(self, query: Tensor) -> NDArray[np.float32]:
        grid = query.view(-1, 3, EDGE, EDGE)
        best = torch.full((len(query),), torch.inf)
        for k in range(8):
            turned = orient(grid, k).reshape(len(query), -1)
            squares = turned.square().sum(dim=1, keepdim=True) + self._squares - 2 * turned @ self.prints.t()
            best = torch.minimum(best, squares.amin(dim=1))
        return (best.clamp_min(0) / query.shape[1]).sqrt().numpy()

    def save(self, path: Path) -> None:
        """Write to a safetensors file, rounded to whole grey levels."""
        write_weights(
            path,
            {"prints": self.prints.round().to(torch.uint8)},
            {"copy_threshold": repr(self.copy_threshold), "edge": str(EDGE), "limits": json.dumps(self.limits)},
        )

    @classmethod
    def load(cls, path: Path) -> TrainingFingerprints:
        """Read a file that `save` wrote.

        Raises
        ------
        InputError
            For any other: with a threshold of nothing, every copy would pass.
        """
        tensors, metadata = read_weights(path)
        try:
            prints, threshold = tensors["prints"], float(metadata["copy_threshold"])
            limits = [float(limit) for limit in json.loads(metadata.get("limits", "[]"))]
            if prints.ndim != 2 or prints.shape[1] != 3 * EDGE * EDGE or not 0 <= threshold < math.inf:
                raise ValueError
            if not all(limit > 0 for limit in limits):
                raise ValueError
        except (KeyError, TypeError, ValueError, RecursionError):
            raise InputError(f"{shown(path)}: are not fingerprints of gansynth; the run was edited") from None
        return cls(prints, threshold, limits)


def fingerprint(images: NDArray[np.uint8]) -> Tensor:
    """Return images [n, 3, H, W] averaged to 8 x 8 pixels, float32 [n, 192], in grey levels."""
    parts = [
        F.adaptive_avg_pool2d(torch.from_numpy(np.ascontiguousarray(images[i : i + 1024])).float(), EDGE).flatten(1)
        for i in range(0, len(images), 1024)
    ]
    return torch.cat(parts) if parts else torch.zeros(0, 3 * EDGE * EDGE)
