"""Which images a classifier sees at a step, and in what order."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansynth.classifiers.turned_repeats import TurnedRepeats
from gansynth.data.loader import BatchReader, ClassSampler
from gansynth.networks.images import to_float
from gansynth.recipes.classifier import Training
from gansynth.remedies.treatment import Treatment


class Batches:
    """Batches of a treatment. Batch k is a function of (seed, k), however it was reached.

    With natural sampling the rows pass in a new order again and again, and a batch may hold the end of one pass and
    the beginning of the next, so that all batches are full.

    Parameters
    ----------
    treatment : Treatment
    training : Training
        The section of the recipe. What the treatment says of sampling comes first.
    seed : int
    device : torch.device
    steps : int
        Of the whole training: a supplement stands back in the last of them.
    """

    def __init__(
        self, treatment: Treatment, training: Training, seed: int, device: torch.device, steps: int = 10**12
    ) -> None:
        self.treatment, self.size, self.seed, self.device = treatment, training.batch_size, seed, device
        self.steps = steps
        self.reader = BatchReader(treatment.images, self.size)
        self.sampler: ClassSampler | None = None
        mode, alpha = training.sampling, training.alpha
        if treatment.sampling is not None:
            mode, alpha = "tempered", treatment.sampling
        if mode != "natural":
            self.sampler = ClassSampler(treatment.labels, len(treatment.images.class_names), mode=mode, alpha=alpha)
        self.turned: TurnedRepeats | None = None
        if treatment.turned_repeats is not None:
            self.turned = TurnedRepeats(treatment.rows, treatment.turned_repeats, seed)
        self.passes = Passes(len(treatment.rows), (seed,))
        if treatment.supplement is not None:
            self.beside = Passes(len(treatment.supplement.rows), (seed, 1))
        images = treatment.images.images
        self.on_gpu: Tensor | None = None
        if device.type == "cuda" and images.nbytes < torch.cuda.mem_get_info(device)[0] // 4:
            self.on_gpu = torch.from_numpy(np.ascontiguousarray(images)).to(device)  # decoded once, sent once

    def draw(self, step: int) -> tuple[Tensor, Tensor]:
        """Return images (float32 [n, 3, H, W] in [-1, 1]) and labels (int64 [n]) of a step, on the device.

        Those of a supplement, `supplement_size` of them, come last.
        """
        positions = self.positions(step)
        rows = self.treatment.rows[positions]
        labels = self.treatment.images.labels[rows]
        if self.supplement_size(step):
            added, said = self._supplement(step)
            rows, labels = np.concatenate([rows, added]), np.concatenate([labels, said])
        index = torch.from_numpy(rows)
        pixels = self.reader.read(index) if self.on_gpu is None else self.on_gpu[index.to(self.device)]
        images = to_float(pixels.to(self.device))
        if self.turned is not None:
            n = len(positions)
            images = torch.cat([self.turned(images[:n], positions), images[n:]])
        return images, torch.from_numpy(labels).to(self.device, non_blocking=True)

    def rows(self, step: int) -> NDArray[np.int64]:
        """Return the positions in the treatment's images that a step sees, without a supplement, int64 [n]."""
        return self.treatment.rows[self.positions(step)]

    def supplement_size(self, step: int) -> int:
        """Return how many images of a step come from the supplement."""
        beside = self.treatment.supplement
        return 0 if beside is None else beside.count(self.size, step, self.steps)

    def _shown_before(self, step: int) -> int:
        """Return how many rows of the treatment the steps before this one have shown."""
        beside = self.treatment.supplement
        mixed = 0 if beside is None else min(step, beside.mixed_steps(self.steps))
        return step * self.size - mixed * self.supplement_size(0)

    def _supplement(self, step: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return positions in the treatment's images, and a label of each."""
        beside = self.treatment.supplement
        assert beside is not None
        size = self.supplement_size(step)
        at = self.beside.take(step * size, size)
        labels = self.treatment.images.labels[beside.rows[at]]
        if beside.probabilities is not None:
            p = np.cumsum(beside.probabilities[at], axis=1)
            u = np.random.default_rng((self.seed, step)).random((size, 1)) * p[:, -1:]
            labels = (u > p).sum(axis=1)
        return beside.rows[at], labels

    def positions(self, step: int) -> NDArray[np.int64]:
        """Return the positions in the treatment's rows that a step sees, int64 [n]."""
        size = self.size - self.supplement_size(step)
        if self.sampler is not None:
            generator = torch.Generator().manual_seed(_mixed(self.seed, step))
            drawn = self.sampler.draw_images(self.sampler.draw_labels(size, generator), generator)
            return np.asarray(drawn.numpy(), np.int64)
        return self.passes.take(self._shown_before(step), size)


class Passes:
    """Positions 0 to n - 1 in a new order again and again.

    Parameters
    ----------
    n : int
    seed : tuple of int
    """

    def __init__(self, n: int, seed: tuple[int, ...]) -> None:
        self.n, self.seed = n, seed
        self._order: tuple[int, NDArray[np.int64]] = -1, np.arange(n)

    def take(self, first: int, size: int) -> NDArray[np.int64]:
        """Return so many positions of the endless row of passes, from the one at `first`, int64 [size]."""
        parts = [np.empty(0, np.int64)]
        while size:
            number, at = divmod(first, self.n)
            part = self._pass(number)[at : at + size]
            parts.append(part)
            first, size = first + len(part), size - len(part)
        return np.concatenate(parts)

    def _pass(self, number: int) -> NDArray[np.int64]:
        if self._order[0] != number:
            self._order = number, np.random.default_rng((*self.seed, number)).permutation(self.n)
        return self._order[1]


def _mixed(seed: int, step: int) -> int:
    return int(np.random.SeedSequence((seed, step)).generate_state(1, np.uint64)[0] >> np.uint64(1))
