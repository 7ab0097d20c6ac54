"""Who judges: the cell encoder of a comparison, and what the head of a pretrained judge learns from."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from gansynth.classifiers.cell_encoder import CellEncoder, open_encoder, train_cell_encoder
from gansynth.errors import InputError
from gansynth.studies.quality.real_cache import RealCache
from gansynth.studies.quality.sets import Images, Rows, Sets
from gansynth.studies.quality.stages import Stages
from gansynth.version import __version__

SHIPPED = "pbc-encoder"
"""The zoo's encoder of peripheral blood cells."""

AUTO, OWN = "auto", "own"

ENOUGH = 100
"""Cells of every class that the generator has not seen, from which a judge learns from one half of them."""

MOST = 300
"""Cells of a class that it learns from otherwise."""


def choose_encoder(
    name: str | Path, sets: Sets, cache: RealCache, stages: Stages, *, seed: int, device: torch.device
) -> CellEncoder:
    """Open or train the encoder.

    * ``"own"``: trained on the real training images, once; it is kept under their hash.
    * ``"auto"``: the zoo's, where it was trained on these very images and on no held-out one; else the own.
    * a name of the zoo or a folder: that one.

    A single class teaches no encoder anything, so there ``"auto"`` and ``"own"`` are the zoo's.

    Raises
    ------
    InputError
        If the encoder named does not know every class, or has learned from held-out images.
    """
    if str(name) not in (AUTO, OWN):
        return named_encoder(name, sets.class_names, sets.held_out.sha256() if sets.split_known else (), device)
    if len(sets.class_names) < 2:
        # There are no classes to distinguish: features of cells in general have to do.
        return open_encoder(SHIPPED, device)
    if str(name) == AUTO:
        shipped = open_encoder(SHIPPED, device)
        if _fits(shipped, sets):
            return shipped
    return _own(sets, cache, stages, seed, device)


def named_encoder(
    name: str | Path, class_names: Collection[str], held_out_sha256: Collection[str], device: torch.device
) -> CellEncoder:
    """Open the encoder of the zoo, or of a folder, that somebody has named.

    Parameters
    ----------
    name : str or path
    class_names : collection of str
        Which it must know, where they are several.
    held_out_sha256 : collection of str
        Images that it must not have learned from.
    device : torch.device

    Raises
    ------
    InputError
        If there is no such encoder, or it is not as it must be.
    """
    encoder = open_encoder(name, device)
    unknown = [c for c in class_names if c not in encoder.class_names]
    if unknown and len(class_names) > 1:
        raise InputError(f"encoder {name} does not know the class {', '.join(unknown)}; give --encoder own")
    seen = len(encoder.training_sha256.intersection(held_out_sha256))
    if seen:
        raise InputError(
            f"encoder {name} has learned from {seen} of the held-out real images, so it cannot judge; "
            "give --encoder own"
        )
    return encoder


def _fits(encoder: CellEncoder, sets: Sets) -> bool:
    """Whether the encoder has learned from most of these training images and from none of the held-out ones."""
    training = sets.training.sha256()
    known = len(encoder.training_sha256.intersection(training)) > len(training) / 2
    leak = not encoder.training_sha256.isdisjoint(sets.held_out.sha256())
    return known and not leak and set(sets.class_names) <= set(encoder.class_names)


def _own(sets: Sets, cache: RealCache, stages: Stages, seed: int, device: torch.device) -> CellEncoder:
    key = hashlib.sha256("\0".join([__version__, *sets.class_names, sets.training.fingerprint()]).encode()).hexdigest()
    place = cache.folder_of(("encoder", key, seed))
    if place.is_dir():
        return CellEncoder.load(place, device)
    images = sets.training
    training = images.dataset.select(images.rows)
    with stages("training a cell encoder on the real training images", 100) as tick:
        encoder = train_cell_encoder(
            training, seed=seed, device=device, on_step=lambda done, of: tick(round(100 * done / of))
        )
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time, not the answer
        encoder.save(place)
    return encoder


@dataclass(frozen=True)
class Lesson:
    """Real cells in two parts.

    Attributes
    ----------
    learned, judging : Rows
        Rows of the real data set: what the head learns from, and other held-out cells by which it is judged.
    unseen : bool
        Whether the generator has seen none of those it learns from.
    """

    learned: Rows
    judging: Rows
    unseen: bool

    @property
    def warnings(self) -> list[str]:
        """What a reader must know of the judge."""
        if self.unseen:
            return []
        return [
            f"below {ENOUGH} real cells of some class were held out, so the linear judge in pretrained features has "
            "learned from the training images, which the generator has seen, too"
        ]


def lesson_of(sets: Sets, seed: int, seen: frozenset[str] | None = None) -> Lesson:
    """Divide the real cells that the generator has not seen in halves; where they are too few, learn from the training
    images.

    Parameters
    ----------
    sets : Sets
    seed : int
        Of the draw.
    seen : frozenset of str, optional
        sha256 of the images that the generator was trained on; default: all training images.
    """
    unseen = _unseen(sets, seen)
    n = len(sets.class_names)
    counts = unseen.counts(n)
    if counts.min() >= ENOUGH:
        learned = unseen.draw(counts // 2, seed)
        return Lesson(unseen.rows[learned], np.delete(unseen.rows, learned), unseen=True)
    learned = sets.training.draw(np.full(n, MOST), seed)
    return Lesson(sets.training.rows[learned], sets.held_out.rows, unseen=False)


def _unseen(sets: Sets, seen: frozenset[str] | None) -> Images:
    """Return the held-out images, and the training images that are not among `seen`."""
    fresh = np.array([seen is not None and sha256 not in seen for sha256 in sets.training.sha256()], dtype=bool)
    rows = np.concatenate([sets.held_out.rows, sets.training.rows[fresh]])
    labels = np.concatenate([sets.held_out.labels, sets.training.labels[fresh]])
    order = np.argsort(rows)
    return Images(sets.held_out.dataset, rows[order], labels[order])
