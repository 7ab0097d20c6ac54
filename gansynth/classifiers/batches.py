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
    """

    def __init__(self, treatment: Treatment, training: Training, seed: int, device: torch.device) -> None:
        self.treatment, self.size, self.seed, self.device = treatment, training.batch_size, seed, device
        self.labels = torch.from_numpy(treatment.images.labels)
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
        self._order: tuple[int, NDArray[np.int64]] = -1, treatment.rows
        images = treatment.images.images
        self.on_gpu: Tensor | None = None
        if device.type == "cuda" and images.nbytes < torch.cuda.mem_get_info(device)[0] // 4:
            self.on_gpu = torch.from_numpy(np.ascontiguousarray(images)).to(device)  # decoded once, sent once

    def draw(self, step: int) -> tuple[Tensor, Tensor]:
        """Return images (float32 [n, 3, H, W] in [-1, 1]) and labels (int64 [n]) of a step, on the device."""
        positions = self.positions(step)
        index = torch.from_numpy(self.treatment.rows[positions])
        pixels = self.reader.read(index) if self.on_gpu is None else self.on_gpu[index.to(self.device)]
        labels = self.labels[index].to(self.device, non_blocking=True)
        images = to_float(pixels.to(self.device))
        return (images if self.turned is None else self.turned(images, positions)), labels

    def rows(self, step: int) -> NDArray[np.int64]:
        """Return the positions in the treatment's images that a step sees, int64 [n]."""
        return self.treatment.rows[self.positions(step)]

    def positions(self, step: int) -> NDArray[np.int64]:
        """Return the positions in the treatment's rows that a step sees, int64 [n]."""
        if self.sampler is not None:
            generator = torch.Generator().manual_seed(_mixed(self.seed, step))
            drawn = self.sampler.draw_images(self.sampler.draw_labels(self.size, generator), generator)
            return np.asarray(drawn.numpy(), np.int64)
        first, parts, missing = step * self.size, [], self.size
        while missing:
            number, at = divmod(first, len(self.treatment.rows))
            part = self._pass(number)[at : at + missing]
            parts.append(part)
            first, missing = first + len(part), missing - len(part)
        return np.concatenate(parts)

    def _pass(self, number: int) -> NDArray[np.int64]:
        if self._order[0] != number:
            rng = np.random.default_rng((self.seed, number))
            self._order = number, rng.permutation(len(self.treatment.rows))
        return self._order[1]


def _mixed(seed: int, step: int) -> int:
    return int(np.random.SeedSequence((seed, step)).generate_state(1, np.uint64)[0] >> np.uint64(1))
