"""Explanations of image files, by one classifier or by two of them: before and after a remedy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gansynth.cells.segmentation import LEAST_EDGE, segment_cell
from gansynth.classifiers.classifier import Classifier
from gansynth.classifiers.classify import expanded
from gansynth.classifiers.explain import Explanation, Method, explain
from gansynth.classifiers.explain.cam import over_image
from gansynth.classifiers.explain.share import mean_share, share_inside
from gansynth.data.picture import pixel_sha256, read_image, square
from gansynth.errors import InputError
from gansynth.files import known_classes
from gansynth.files import shown as shown_name
from gansynth.metrics.estimate import Estimate

SHOWN = 224
"""Largest edge, in pixels, at which images are kept to be shown and their cells are cut out."""


@dataclass(frozen=True)
class Looked:
    """What one classifier says of one image, and where it looked.

    Attributes
    ----------
    predicted : str
        Its most probable class.
    probability : float
        Of the class that is explained.
    share : float
        Of the attribution, inside the cell; NaN where the cell was not found, or nothing speaks for the class.
    attribution : float32 array, shape [E, E]
        0..1, laid over the picture.
    lines : float32 array, shape [3, R, R], or None
        See `Explanation`.
    seen : bool
        Whether it was trained on this very image.
    """

    predicted: str
    probability: float
    share: float
    attribution: NDArray[np.float32]
    lines: NDArray[np.float32] | None
    seen: bool


@dataclass(frozen=True)
class ExplainedFile:
    """An image file with what one or two classifiers looked at.

    Attributes
    ----------
    file : str
    class_name : str
        The class that is explained, by both.
    pixels : uint8 array, shape [3, E, E]
        Its centre square.
    cell : bool array, shape [E, E]
        The cell's mask; empty where it was not found.
    problem : str
        Why there is no mask to be trusted.
    after : Looked
        By the classifier.
    before : Looked or None
        By the one to compare with.
    error : str
        Why the file could not be read; then there is nothing else.
    true_class : str
        What its folder is called, where that is a class that the classifier knows; else "", which means not known.
    """

    file: str
    class_name: str = ""
    pixels: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((3, 0, 0), np.uint8))
    cell: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), np.bool_))
    problem: str = ""
    after: Looked | None = None
    before: Looked | None = None
    error: str = ""
    true_class: str = ""

    @property
    def area(self) -> float:
        """The cell's share of the picture, which an even attribution would have; NaN without a mask."""
        return math.nan if self.problem or not self.cell.size else float(self.cell.mean())


@dataclass(frozen=True)
class Shares:
    """The one number, over all images.

    Attributes
    ----------
    after : Estimate
        Mean share of the attribution inside the cell.
    area : Estimate
        Mean share of the picture that the cell covers: what attribution spread evenly would score.
    before : Estimate or None
    difference : Estimate or None
        After less before, on the same images.
    """

    after: Estimate
    area: Estimate
    before: Estimate | None = None
    difference: Estimate | None = None


def explain_files(
    classifier: Classifier,
    files: Sequence[str | Path],
    method: Method | str,
    *,
    before: Classifier | None = None,
    class_name: str | None = None,
    channels: int | None = None,
) -> list[ExplainedFile]:
    """Explain what a network says of image files.

    Parameters
    ----------
    classifier : Classifier
    files : sequence of path-like
        Images, or folders that are searched for them.
    method : Method or str
    before : Classifier, optional
        Another one, asked about the same class in the same images: trained before the data were balanced.
    class_name : str, optional
        The class that is asked about. Default: in each image the one that `classifier` gives it; with `before` the
        class that its folder names, where both know that: two classifiers that answer differently are then asked the
        same, and not what one of them believes.
    channels : int, optional
        See `explain`.

    Returns
    -------
    list of ExplainedFile
        In the order of the files. One that cannot be read has an `error`.

    Raises
    ------
    InputError
        If there is no such file or class, or the method has no meaning for a classifier.
    """
    if class_name is not None:
        for asked in (before, classifier):
            if asked is not None:
                (class_name,) = known_classes([class_name], asked.class_names, asked.recipe.name)
    found: list[ExplainedFile] = []
    pictures: list[NDArray[np.uint8]] = []
    for path in expanded(files):
        try:
            picture = read_image(path)
            height, width = picture.shape[:2]
            if min(height, width) < LEAST_EDGE:
                raise InputError(f"{width} x {height} pixels, and a cell needs {LEAST_EDGE} x {LEAST_EDGE} to be found")
            pictures.append(picture)
            true = path.parent.name if path.parent.name in classifier.class_names else ""
            found.append(ExplainedFile(shown_name(path), true_class=true))
        except InputError as error:
            found.append(ExplainedFile(shown_name(path), error=str(error)))
    if not pictures:
        return found
    sha256 = [pixel_sha256(picture) for picture in pictures]
    shown = [square(picture, min(SHOWN, *picture.shape[:2])) for picture in pictures]
    asked_of_folders = None
    if before is not None and class_name is None:
        trues = [one.true_class for one in found if not one.error]
        if all(true in before.class_names for true in trues):  # "" is not among them
            asked_of_folders = trues
    after = _explained(classifier, pictures, method, class_name, asked_of_folders, channels)
    names = [classifier.class_names[c] for c in after.classes]
    earlier = None if before is None else _explained(before, pictures, method, None, names, channels)
    at = iter(range(len(pictures)))
    whole = []
    for one in found:
        if one.error:
            whole.append(one)
            continue
        k = next(at)
        cut = segment_cell(shown[k])
        problem = cut.problem or ("" if cut.cell.any() else "no cell was found")
        whole.append(
            ExplainedFile(
                one.file, names[k], shown[k], cut.cell, problem,
                _looked(classifier, after, k, cut.cell, problem, sha256[k]),
                None if before is None or earlier is None else
                _looked(before, earlier, k, cut.cell, problem, sha256[k]),
                true_class=one.true_class,
            )
        )  # fmt: skip
    return whole


def shares_of(explained: Sequence[ExplainedFile]) -> Shares:
    """Return the mean shares of attribution inside the cell."""
    read = [one for one in explained if one.after is not None]
    after = [one.after.share for one in read if one.after is not None]
    area = mean_share([one.area for one in read])
    if not any(one.before is not None for one in read):
        return Shares(mean_share(after), area)
    before = [math.nan if one.before is None else one.before.share for one in read]
    return Shares(mean_share(after), area, mean_share(before), mean_share(np.subtract(after, before), lowest=-1.0))


def shares_by_class(explained: Sequence[ExplainedFile]) -> dict[str, Shares]:
    """Return the mean shares of each class that was asked about.

    Pooled over classes a difference may turn its sign: cells of one class fill more of the picture than those of
    another, and a remedy changes how many images are asked about each.
    """
    names = sorted({one.class_name for one in explained if one.after is not None})
    return {name: shares_of([one for one in explained if one.class_name == name]) for name in names}


def _explained(
    classifier: Classifier,
    pictures: Sequence[NDArray[np.uint8]],
    method: Method | str,
    class_name: str | None,
    names: Sequence[str] | None,
    channels: int | None,
) -> Explanation:
    images = np.stack([square(picture, classifier.resolution) for picture in pictures])
    if class_name is not None:
        names = [class_name] * len(images)
    if names is None:
        return explain(classifier, images, method, channels=channels)
    unknown = sorted(set(names).difference(classifier.class_names))
    if unknown:
        raise InputError(f"{classifier.recipe.name} (--before) knows no class '{unknown[0]}'; give --class another one")
    classes = np.array([classifier.class_names.index(name) for name in names], np.int64)
    return explain(classifier, images, method, classes, channels=channels)


def _looked(
    classifier: Classifier, found: Explanation, k: int, cell: NDArray[np.bool_], problem: str, sha256: str
) -> Looked:
    attribution = over_image(torch.from_numpy(found.maps[k])[None, None], cell.shape[0])[0].numpy()
    return Looked(
        predicted=classifier.class_names[int(found.probabilities[k].argmax())],
        probability=float(found.probabilities[k, found.classes[k]]),
        share=math.nan if problem else share_inside(attribution, cell),
        attribution=attribution,
        lines=None if found.lines is None else found.lines[k],
        seen=sha256 in classifier.seen_sha256,
    )
