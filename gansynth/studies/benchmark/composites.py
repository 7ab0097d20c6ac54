"""Composites of training images as a row of a benchmark: the same split, the same number of images, no network."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from gansynth.data.leaks import refuse_seen
from gansynth.data.opening import open_dataset
from gansynth.remedies.naturalize import LEAST_EDGE
from gansynth.studies.result_file import StudyFile
from gansynth.synthesis import training_images
from gansynth.synthesis.naturalize.naturalizing import naturalize

COMPOSITES = "naturalize"
"""What they are called among the recipes of a benchmark."""

WARNING = (
    f"{COMPOSITES} is not a GAN: it sets cells of the training images, turned, on other slides, so that single images "
    "look real and no cell is new; its memorisation and diversity say what that costs"
)


@dataclass(frozen=True)
class Made(StudyFile):
    """What is noted beside a folder of images once it is whole: what made them, and the seconds it took.

    `seconds` is None where what had been stopped was continued.
    """

    FILE, COMMAND = "NAME.json", "gansynth benchmark"

    model_sha256: str
    seconds: float | None

    @classmethod
    def file_of(cls, folder: Path | str) -> Path:
        """Return the note of a folder, beside it."""
        return Path(folder).with_name(f"{Path(folder).name}.json")


def composed(data: str, folder: Path, *, count: int, first: int, size: int, progress: bool) -> float | None:
    """Compose `count` images of every class of the training images of `data`, where they are not there yet.

    Parameters
    ----------
    data : str
        A data set with its split.
    folder : pathlib.Path
        Gets class folders and metadata.csv, which names the training images of every part; how long it took is noted
        in a JSON file beside it.
    count : int
    first : int
        Seed of the first image of every class. Image i of a class depends on `first` + i, so that another drawing is
        another one only where their seeds do not meet.
    size : int
        Edge length, in pixels, at which images are compared; cells are composed at `LEAST_EDGE` at least, as the remedy
        `naturalize` does.
    progress : bool

    Returns
    -------
    float or None
        Seconds; None where what had been stopped was continued.

    Raises
    ------
    InputError
        If a held-out image is one of the training images, or no cell of a class could be cut out.
    """
    if Made.is_in(folder):
        return Made.read(folder).seconds
    cells = open_dataset(data, size=max(size, LEAST_EDGE), progress=progress)
    training = training_images(cells)
    held_out = cells.select(cells.records["split"].isin(["val", "test"]).to_numpy().nonzero()[0])
    refuse_seen(held_out, set(training.records["sha256"]), COMPOSITES)
    resume, began = folder.is_dir(), time.monotonic()
    made = naturalize(
        training, dict.fromkeys(training.class_names, count), folder, seed=first, resume=resume, progress=progress
    )
    spent = None if resume else round(time.monotonic() - began, 2)
    Made(made.model_sha256, spent).write(folder)
    return spent
