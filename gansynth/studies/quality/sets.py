"""The images of a comparison: which real ones were held out, which trained the generator, which are synthetic.

Nothing is copied: sets are rows of the memory-mapped data sets.
"""

from __future__ import annotations

import hashlib
import os
import warnings as quiet
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gansynth.data.dataset import CellDataset
from gansynth.data.declared_origin import declared_origin
from gansynth.data.folders import EXTENSIONS
from gansynth.data.opening import open_dataset
from gansynth.data.split import split_dataset
from gansynth.errors import InputError
from gansynth.files import open_regular
from gansynth.metrics.wording import counted

Rows = NDArray[np.int64]

WITHOUT_CLASSES = "all"
"""What the one class of a folder without class folders is called."""

MOST_PIXELS = 256
"""Images are compared at no more than this edge length unless the user says so."""

_MOST_LOOKED_AT = 20_000  # files that are asked where they come from before size is taken from what there is


@dataclass(frozen=True)
class Images:
    """Some images of a data set.

    Attributes
    ----------
    dataset : CellDataset
    rows : int64 array [n]
        Ascending.
    labels : int64 array [n]
        Indices into the classes of the *comparison*.
    """

    dataset: CellDataset
    rows: Rows
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def pixels(self, where: Rows | slice | NDArray[np.bool_] = slice(None)) -> NDArray[np.uint8]:
        """Return images [n, 3, R, R] at positions of this set, decoded from the pack."""
        images: NDArray[np.uint8] = self.dataset.images[self.rows[where]]
        return images

    def sha256(self) -> list[str]:
        """Return the sha256 of every image's pixels at its original size."""
        found: list[str] = self.dataset.records["sha256"].to_numpy()[self.rows].tolist()
        return found

    def path(self, position: int) -> str:
        """Return the path of one image, relative to its data set."""
        return str(self.dataset.records["path"].iloc[int(self.rows[position])])

    def select(self, where: Rows | NDArray[np.bool_]) -> Images:
        """Return the images at positions of this set."""
        return Images(self.dataset, self.rows[where], self.labels[where])

    def counts(self, n_classes: int) -> NDArray[np.int64]:
        """Return images per class, int64 [n_classes]."""
        return np.bincount(self.labels, minlength=n_classes).astype(np.int64)

    def draw(self, counts: NDArray[np.int64], seed: int) -> Rows:
        """Return positions of as many images of each class as `counts` says (or as there are), drawn without
        replacement; ascending.

        What is drawn for a smaller count is part of what is drawn for a larger one.
        """
        chosen = []
        for c, n in enumerate(counts):
            here = np.flatnonzero(self.labels == c)
            order = np.random.default_rng([seed, c]).permutation(len(here))
            chosen.append(here[order[:n]])
        return np.sort(np.concatenate(chosen)) if chosen else np.zeros(0, np.int64)

    def fingerprint(self) -> str:
        """Return a sha256 of what the images are: pixels, size, classes."""
        digest = hashlib.sha256(f"{self.dataset.size}\0".encode())
        digest.update("".join(self.sha256()).encode())
        digest.update(self.labels.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Sets:
    """What `quality` compares.

    Attributes
    ----------
    class_names : tuple of str
        Classes that both sides have.
    held_out : Images
        Real images that no generator and no encoder may have learned from.
    training : Images
        Real images that they may have learned from.
    reference : Images
        What the distances compare with: the held-out images, or all where the real folder has no split.
    synthetic : Images
    split_known : bool
        Whether the real folder came with its split.
    warnings : tuple of str
    beside : int
        Real images in the folder of the synthetic ones, as every balanced set has them; they are not measured.
    """

    class_names: tuple[str, ...]
    held_out: Images
    training: Images
    reference: Images
    synthetic: Images
    split_known: bool
    warnings: tuple[str, ...]
    beside: int = 0

    def sampled(self, most: int, seed: int) -> Sets:
        """Return the same sets with fewer images to measure, for folders too large to look at whole.

        Parameters
        ----------
        most : int
            Of each class, held-out real images and synthetic ones that are drawn at random; at least 1. Training
            images are all kept: copies are looked for among them, and a copy of one that was left out would not be
            found.
        seed : int
            Of the draw. What is drawn for a smaller number is part of what is drawn for a larger one.
        """
        n = np.full(len(self.class_names), most)
        held_out, synthetic = (images.select(images.draw(n, seed)) for images in (self.held_out, self.synthetic))
        if (len(held_out), len(synthetic)) == (len(self.held_out), len(self.synthetic)):
            return self
        reference = held_out
        if not self.split_known:  # all real images are the reference there, and so is a sample of either half here
            half = self.training.select(self.training.draw(n, seed))
            order = np.argsort(rows := np.concatenate([held_out.rows, half.rows]))
            labels = np.concatenate([held_out.labels, half.labels])
            reference = Images(held_out.dataset, rows[order], labels[order])
        said = (
            f"a sample was measured, at most {most:,} images of each class: {len(held_out):,} of "
            f"{len(self.held_out):,} held-out real images and {len(synthetic):,} of "
            f"{len(self.synthetic):,} synthetic ones"
        )
        return replace(
            self, held_out=held_out, reference=reference, synthetic=synthetic, warnings=(*self.warnings, said)
        )


def open_sets(
    real: str | Path,
    synthetic: str | Path,
    *,
    size: int | None,
    seed: int,
    cache_dir: Path | None = None,
    progress: bool = False,
) -> Sets:
    """Open both folders at one size and find out what is what.

    A real folder without a split is split here, half and half and free of leaks (`split_dataset`).

    Raises
    ------
    InputError
        If a folder holds no usable image, the two have no class in common, or they stand the other way round.
    """
    size = size or common_size(real, synthetic)
    warnings: list[str] = []
    there = open_dataset(real, size=size, cache_dir=cache_dir, progress=progress, one_class=WITHOUT_CLASSES)
    made = open_dataset(synthetic, size=size, cache_dir=cache_dir, progress=progress, one_class=WITHOUT_CLASSES)
    mixed = (made.records["origin"] == "synthetic").to_numpy()
    genuine = (there.records["origin"] != "synthetic").to_numpy()
    rows = np.flatnonzero(genuine)
    if not (genuine.all() or mixed.any()) and _known(there, genuine, made) == len(rows):
        raise InputError(
            f"{real} holds {counted(len(there) - len(rows), 'synthetic image')} and {synthetic} none; the real images "
            "come first, so turn the two round"
        )
    if len(rows) < len(there):
        warnings.append(f"{len(there) - len(rows)} synthetic images in {real} are left out of the real side")
    made_rows = np.arange(len(made))
    beside = 0
    if mixed.any() and not mixed.all():
        beside, made_rows = int((~mixed).sum()), np.flatnonzero(mixed)
        strange = beside - _known(made, ~mixed, there)
        if strange:  # a balanced set holds the real images that it fills up; others say that something was mixed up
            warnings.append(
                f"{strange:,} of {beside:,} real images in {synthetic} are not among those of {real}; real images "
                "there are left out of the synthetic side"
            )
    # A class that balancing left as it was has a folder in a balanced set, and no synthetic image in it.
    names = _common_classes(_classes_of(there, rows), _classes_of(made, made_rows), str(real), str(synthetic), warnings)
    there_images, made_images = _aligned(there, rows, names), _aligned(made, made_rows, names)
    split = there.records["split"].to_numpy()[there_images.rows]
    known = bool((split == "train").any() and np.isin(split, ("val", "test")).any())
    if known:
        training, held_out = there_images.select(split == "train"), there_images.select(np.isin(split, ("val", "test")))
        reference = held_out
    else:
        with quiet.catch_warnings():  # of classes too small to divide: every number that they lack says so
            quiet.simplefilter("ignore", UserWarning)
            halves = split_dataset(there.select(there_images.rows), test=0.5, val=0.0, seed=seed, progress=progress)
        part = halves.records["split"].to_numpy()
        training, held_out = there_images.select(part == "train"), there_images.select(part == "test")
        reference = there_images
        warnings.append(
            f"{real} has no split, so which images trained the generator is not known: half of them, drawn at random, "
            "plays the training images, the other half the held-out ones; `gansynth data split` before training makes "
            "the comparison sharper"
        )
    if not len(held_out) or not len(training):
        raise InputError(f"{real}: too few real images to hold some out; give more")
    shared = sorted(set(made_images.sha256()) & set(there_images.sha256()))
    if shared:
        warnings.append(
            f"{len(shared)} synthetic images equal a real image pixel by pixel: they are copies, or the folders overlap"
        )
    return Sets(names, held_out, training, reference, made_images, known, tuple(warnings), beside)


def common_size(real: str | Path, synthetic: str | Path) -> int:
    """Return the smaller of the two folders' median edge lengths, at most `MOST_PIXELS`.

    Of a balanced folder only the images that say that they are synthetic count: its real ones may be larger.
    """
    return min(MOST_PIXELS, median_edge(real), median_edge(synthetic, "synthetic"))


def median_edge(folder: str | Path, origin: str | None = None, most: int = 64) -> int:
    """Return the median edge of the first images; of those of this origin where there are any among the first."""
    edges: list[int] = []
    of_origin: list[int] = []
    for path in islice(_image_files(folder), _MOST_LOOKED_AT):
        asked = origin is not None and declared_origin(path) == origin
        found = of_origin if asked else edges
        if len(found) < most:
            found += _edge(path)
        if len(of_origin) == most or (origin is None and len(edges) == most):
            break
    return int(np.median(of_origin or edges)) if of_origin or edges else MOST_PIXELS


def _edge(path: Path) -> list[int]:
    """Return the shorter side of an image, or nothing where it cannot be read."""
    try:
        with open_regular(path) as file, Image.open(file) as image:
            return [min(image.size)]
    except (InputError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return []


def _image_files(folder: str | Path) -> Iterator[Path]:
    """Give files with an image's extension, folder by folder: those of a million images are never listed at once.

    Where there is no such folder there are none: opening it says so.
    """
    if not Path(folder).is_dir():
        return
    for place, inner, names in os.walk(folder):
        inner.sort()
        yield from (Path(place, name) for name in sorted(names) if Path(name).suffix.lower() in EXTENSIONS)


def _known(made: CellDataset, which: NDArray[np.bool_], real: CellDataset) -> int:
    """Return how many images of a folder are among the real ones."""
    return int(made.records["sha256"][which].isin(set(real.records["sha256"])).sum())


def _classes_of(dataset: CellDataset, rows: Rows) -> list[str]:
    """Return the classes that have an image among some, in their order."""
    return [dataset.class_names[c] for c in np.unique(dataset.labels[rows])]


def _common_classes(
    real: list[str], synthetic: list[str], real_name: str, synthetic_name: str, warnings: list[str]
) -> tuple[str, ...]:
    names = tuple(name for name in real if name in synthetic)
    if not names:
        raise InputError(
            f"{synthetic_name} has no class of {real_name} ({', '.join(synthetic) or 'none'} against "
            f"{', '.join(real) or 'none'}); name the class folders alike"
        )
    for classes, where, kind in ((real, synthetic_name, "synthetic"), (synthetic, real_name, "real")):
        alone = [name for name in classes if name not in names]
        if alone:
            warnings.append(f"left out, because {where} has no {kind} image of such a class: {', '.join(alone)}")
    return names


def _aligned(dataset: CellDataset, rows: Rows, names: tuple[str, ...]) -> Images:
    index = np.array([names.index(name) if name in names else -1 for name in dataset.class_names])
    labels = index[dataset.labels[rows]]
    kept = labels >= 0
    return Images(dataset, rows[kept].astype(np.int64), labels[kept].astype(np.int64))
