"""`MixedDataset`: real training images and synthetic ones made while they are drawn, for any loop of torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from gansynth.data.dataset import CellDataset
from gansynth.data.opening import open_dataset
from gansynth.errors import InputError
from gansynth.gans.sampling import CHUNK

if TYPE_CHECKING:
    from gansynth.gans import Run

Item = tuple[Any, int]


class MixedDataset(Dataset[Item]):
    """The training images of a data set and, behind them, the synthetic ones that fill up its rare classes.

    Nothing is written: synthetic images are generated when they are first asked for, 32 seeds at a time, and kept in
    memory. Their pixels are those that `Run.sample` returns. They are not screened; `gansynth.generate` does that.

    Parameters
    ----------
    data : path-like, "phantom" or CellDataset
        Where it has a split, its training images are taken, and a run that has learned from the others is refused.
    run : Run, path-like or str
        A trained run, its folder, or the name of a trained model of the zoo. It must know, by name, every class that
        lacks images.
    dose : float
        Share of the way to balance, 0 to 1: a class with n images gets ``round(dose * (largest - n))``.
    transform : callable, optional
        Applied to every image, a uint8 tensor [3, R, R]; for example a composition of ``torchvision.transforms.v2``.
    seed : int
        Of the first synthetic image of every class.
    truncation : float
        See `Run.sample`.
    device : {"auto", "cpu", "cuda"}
        Where the generator runs. With worker processes, call `prepare` first: each of them would generate its own.

    Attributes
    ----------
    class_names : tuple of str
    added : dict of str to int
        Synthetic images of each class.
    labels : int64 array [n]
        Of every image: real ones first, then synthetic ones class by class.
    is_synthetic : bool array [n]

    Raises
    ------
    InputError
        If the dose is not a share, the run does not know a class, or it was trained on held-out images.

    Examples
    --------
    >>> from torch.utils.data import DataLoader
    >>> cells = MixedDataset("my-cells", "runs/my-cells", dose=0.5)  # doctest: +SKIP
    >>> for epoch in range(30):  # doctest: +SKIP
    ...     cells.set_epoch(epoch)  # other synthetic images in every epoch
    ...     for images, labels in DataLoader(cells, batch_size=64, shuffle=True):
    ...         ...
    """

    def __init__(
        self,
        data: str | Path | CellDataset,
        run: Run | str | Path,
        dose: float = 1.0,
        *,
        transform: Callable[[torch.Tensor], Any] | None = None,
        seed: int = 0,
        truncation: float = 1.0,
        device: str = "auto",
    ) -> None:
        from gansynth.gans import open_run
        from gansynth.gans.leaks import refuse_leaking_run

        if not 0 <= dose <= 1:
            raise InputError(f"a dose of {dose}: give a number from 0 (real images alone) to 1 (balanced)")
        if seed < 0:
            raise InputError(f"seed {seed}: give a whole number from 0")
        self.run = open_run(run) if isinstance(run, (str, Path)) else run
        dataset = data if isinstance(data, CellDataset) else open_dataset(data, self.run.resolution)
        if dataset.size != self.run.resolution:
            raise InputError(
                f"{self.run.name} makes images of {self.run.resolution} pixels, and the data set was opened at "
                f"{dataset.size}; open it with size={self.run.resolution}"
            )
        self.real = dataset
        training = dataset.records["split"].eq("train").to_numpy()
        if training.any():
            refuse_leaking_run(self.run, dataset, np.flatnonzero(~training))
            self.real = dataset.select(training)
        self.class_names, self.transform = dataset.class_names, transform
        self.seed, self.truncation, self.device, self.epoch = seed, truncation, device, 0
        counts = np.bincount(self.real.labels, minlength=len(self.class_names))
        full = np.round(counts + dose * (counts.max() - counts)).astype(np.int64)
        wanted = np.where(counts > 0, full - counts, 0)  # a class without images stays without
        self.added = {name: int(n) for name, n in zip(self.class_names, wanted, strict=True)}
        for name, n in self.added.items():
            if n:
                self.run.class_index(name)
        behind = np.repeat(np.arange(len(wanted)), wanted)
        self.labels: NDArray[np.int64] = np.concatenate([self.real.labels, behind])
        self.is_synthetic: NDArray[np.bool_] = np.arange(len(self.labels)) >= len(self.real)
        self._place = np.concatenate([np.arange(n) for n in wanted]) if len(behind) else behind
        self._made: dict[tuple[int, int], NDArray[np.uint8]] = {}

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        added = int(self.is_synthetic.sum())
        return f"MixedDataset({len(self.real):,} real and {added:,} synthetic images by {self.run.name})"

    def __getitem__(self, index: int) -> Item:
        """Return an image, uint8 tensor [3, R, R] or what `transform` makes of it, and the index of its class."""
        index = range(len(self))[index]
        label = int(self.labels[index])
        if not self.is_synthetic[index]:
            pixels = self.real.images[index]
        else:
            seed = self._seed_of(int(self._place[index - len(self.real)]), label)
            pixels = self._chunk(label, seed // CHUNK)[seed % CHUNK]
        image = torch.from_numpy(np.array(pixels))
        return (image if self.transform is None else self.transform(image)), label

    def set_epoch(self, epoch: int) -> None:
        """Take other synthetic images: those of the seeds that follow on the ones of the epochs before."""
        if epoch != self.epoch:
            self.epoch = epoch
            self._made.clear()

    def prepare(self) -> None:
        """Generate all synthetic images of this epoch, so that worker processes share them."""
        for label, name in enumerate(self.class_names):
            for place in range(self.added[name]):
                self._chunk(label, self._seed_of(place, label) // CHUNK)

    def _seed_of(self, place: int, label: int) -> int:
        # An epoch takes whole chunks, so that none is generated for a few of its seeds.
        chunks = -(-self.added[self.class_names[label]] // CHUNK)
        return self.seed + self.epoch * chunks * CHUNK + place

    def _chunk(self, label: int, chunk: int) -> NDArray[np.uint8]:
        if (label, chunk) not in self._made:
            name = self.class_names[label]
            self._made[label, chunk] = self.run.sample(
                name, CHUNK, seed=chunk * CHUNK, truncation=self.truncation, device=self.device
            )
        return self._made[label, chunk]
