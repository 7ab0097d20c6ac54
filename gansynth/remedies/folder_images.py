"""Synthetic images from elsewhere: a folder of class folders, whatever made them."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gansynth.errors import InputError
from gansynth.metrics.wording import listed
from gansynth.remedies.added_images import with_images
from gansynth.remedies.remedy import Remedy, Workplace, counts_of, targets
from gansynth.remedies.treatment import Treatment

if TYPE_CHECKING:
    from gansynth.data.dataset import CellDataset


class FolderImages(Remedy):
    """The images of a folder fill the classes up to their targets, as far as they reach.

    They may come from any generator: StyleGAN, a diffusion model, another laboratory's. Refused are copies of images
    that are tested on, turned and re-compressed ones too; what their generator has learned from only its owner knows,
    and the results say so.

    Parameters
    ----------
    source : str
        A folder with one folder for each class, called as the classes of the data are; not all need be there.
    dose : float
        See `Remedy`.

    Raises
    ------
    InputError
        If the folder has no class folders.
    """

    name = "folder"
    takes_dose = True
    makes_images = True
    noun = "synthetic images of a folder"

    def __init__(self, source: str, dose: float = 1.0, **values: float) -> None:
        from gansynth.data.folders import scan_folders

        super().__init__(dose, **values)
        self.source = source
        scan_folders(source)

    @cached_property
    def _held(self) -> CellDataset:
        """Its images, small: enough for counts, and to recognise copies."""
        from gansynth.data.opening import open_dataset

        return open_dataset(self.source, 32)

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        n, names = counts_of(treatment), treatment.images.class_names
        held = self._held.counts()
        unknown = [name for name in held if name not in names]
        if unknown:
            raise InputError(
                f"{self.source}: has folders {listed(unknown)}, and the data have no such class; their classes are "
                f"{listed(list(names), most=30)}"
            )
        there = np.array([held.get(name, 0) for name in names], np.int64)
        wanted: NDArray[np.int64] = np.minimum(targets(n, self.dose) - n, there)
        if not wanted.any():
            return treatment
        added = with_images(treatment, Path(self.source), wanted, place.folder / "cache")
        said = f"{self.source}: given, not made here; what its generator has learned from is not known"
        return replace(added, notes=(*added.notes, said))

    def refuse_leaks(self, held_out: CellDataset, place: Workplace) -> None:
        from gansynth.data.leaks import refuse_seen
        from gansynth.gans.fingerprints import TrainingFingerprints, fingerprint
        from gansynth.gans.leaks import refuse_copies

        refuse_seen(held_out, frozenset(map(str, self._held.records["sha256"])), f"{self.source}")
        prints = TrainingFingerprints(fingerprint(self._held.images), 0.0)
        refuse_copies(prints, held_out, np.arange(len(held_out)), f"{self.source}: holds", "remove them")


def is_images_folder(source: str) -> bool:
    """Return whether `source` is a folder of folders that is not a run; "." and ".." are not names of one."""
    path = Path(source)
    try:
        return (
            path.name not in ("", "..")
            and path.is_dir()
            and not (path / "run.json").is_file()
            and any(entry.is_dir() for entry in path.iterdir())
        )
    except OSError:  # not to be listed: what is wrong is said by whoever opens it
        return False
