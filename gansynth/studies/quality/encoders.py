"""Which cell encoder a comparison is measured with."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection
from pathlib import Path

import torch

from gansynth.classifiers.cell_encoder import CellEncoder, open_encoder, train_cell_encoder
from gansynth.errors import InputError
from gansynth.studies.quality.real_cache import RealCache
from gansynth.studies.quality.sets import Sets
from gansynth.studies.quality.stages import Stages
from gansynth.version import __version__

SHIPPED = "pbc-encoder"
"""The zoo's encoder of peripheral blood cells."""

AUTO, OWN = "auto", "own"


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
