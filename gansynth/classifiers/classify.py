"""Classes of single image files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gansynth.classifiers.classifier import Classifier
from gansynth.data.folders import EXTENSIONS, image_files
from gansynth.data.picture import pixel_sha256, read_image, square
from gansynth.errors import InputError
from gansynth.files import is_named, shown

BATCH = 64


@dataclass(frozen=True)
class Classified:
    """What a classifier says of one file.

    Attributes
    ----------
    file : str
    probabilities : dict of str to float
        Of each class, the most probable first.
    seen : bool
        Whether the classifier was trained on this very image.
    error : str
        Why the file could not be read; then there are no probabilities.
    """

    file: str
    probabilities: dict[str, float]
    seen: bool = False
    error: str = ""

    @property
    def class_name(self) -> str:
        """The most probable class."""
        return next(iter(self.probabilities), "")

    def to_json(self) -> dict[str, object]:
        """Return the entry of ``images`` in the answer of ``classify --json``."""
        if self.error:
            return {"file": self.file, "error": self.error}
        first = self.class_name
        return {
            "file": self.file,
            "class": first,
            "probability": round(self.probabilities[first], 6),
            "probabilities": {name: round(p, 6) for name, p in self.probabilities.items()},
            "training_image": self.seen,
        }


def classify(classifier: Classifier, files: Sequence[str | Path]) -> Iterator[Classified]:
    """Classify image files, in order; a folder stands for all images in it.

    Parameters
    ----------
    classifier : Classifier
    files : sequence of path-like

    Raises
    ------
    InputError
        If a file or folder does not exist, or a folder holds no image.
    """
    waiting: list[tuple[str, NDArray[np.uint8] | None, bool, str]] = []
    for path in expanded(files):
        try:
            pixels = read_image(path)
            seen = pixel_sha256(pixels) in classifier.seen_sha256
            waiting.append((shown(path), square(pixels, classifier.resolution), seen, ""))
        except InputError as error:
            waiting.append((shown(path), None, False, str(error)))
        if len(waiting) == BATCH:
            yield from _classified(classifier, waiting)
            waiting = []
    yield from _classified(classifier, waiting)


def _classified(
    classifier: Classifier, waiting: Sequence[tuple[str, NDArray[np.uint8] | None, bool, str]]
) -> Iterator[Classified]:
    images = [image for _, image, _, _ in waiting if image is not None]
    rows: Iterator[NDArray[np.float64]] = iter(classifier.probabilities(np.stack(images)) if images else ())
    for file, image, seen, error in waiting:
        if image is None:
            yield Classified(file, {}, error=error)
            continue
        p = next(rows)
        order = np.argsort(-p, kind="stable")
        yield Classified(file, {classifier.class_names[c]: float(p[c]) for c in order}, seen)


def expanded(files: Sequence[str | Path]) -> list[Path]:
    """Return the image files that are given, and those in the folders that are given.

    Raises
    ------
    InputError
        If one does not exist, or a folder holds no image, or has an image's name: a link with such a name may lead
        anywhere.
    """
    found = []
    for given in files:
        path = Path(given)
        if not is_named(path):
            raise InputError(f"{shown(path)}: no such file or folder")
        folder = path.is_dir()
        if folder and path.suffix.lower() in EXTENSIONS:
            raise InputError(
                f"{shown(path)}: is a folder with the name of an image; rename it if you mean all it holds"
            )
        inside = image_files(path) if folder else [path]
        if not inside:
            raise InputError(f"{shown(path)}: holds no image; give image files, or folders with images")
        found += inside
    return found
