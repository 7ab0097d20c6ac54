"""Whether what a GAN added is recognised: an upper limit of what its images can teach.

A synthetic promyelocyte that looks like a monocyte is a wrong label. The independent classifier of the GAN's run took
no part in the game and saw training images only; it looks at synthetic images, and beside them at real test images,
which show what can be attained.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gansynth.data.dataset import CellDataset
from gansynth.data.opening import open_dataset
from gansynth.gans.independent_classifier import IndependentClassifier
from gansynth.metrics.agreement import wilson_interval
from gansynth.metrics.estimate import Estimate
from gansynth.studies.comparison.entries import Recognition
from gansynth.studies.comparison.grid import Grid
from gansynth.studies.comparison.plan import gans_of
from gansynth.synthesis.naming import class_folders

PER_CLASS = 200
"""Images of each class and fold that are looked at."""

LOW = 0.5
"""A class whose synthetic images are recognised less than this share of its real ones is named."""


def recognition(grid: Grid) -> list[Recognition]:
    """Return for every GAN and class the share of its images that is recognised, over all folds.

    Parameters
    ----------
    grid : Grid
        Of the clean protocol, its images generated.

    Returns
    -------
    list of Recognition
        A class without synthetic images is left out, and so is a GAN without an independent classifier.
    """
    gans = gans_of(grid.plan.arms)
    size, names = grid.plan.sizes[0], grid.class_names
    hits = {title: np.zeros((2, 2, len(names)), np.int64) for title in gans}  # synthetic, real; recognised, all
    for fold in grid.folds:
        place = grid.place(fold)
        of_run: dict[str, NDArray[np.int64]] = {}  # real images, once for a run however its images are screened
        for title, gan in gans.items():
            folder, model = gan.kept_images(place), gan.trained(place)
            classifier = None if model is None else model.independent_classifier()
            if folder is None or classifier is None or model is None:
                continue
            made = open_dataset(folder, size, cache_dir=place.folder / "cache")
            hits[title][0] += _seen(classifier, model.class_names, made, _back(made.class_names, names), names)
            if model.model_sha256 not in of_run:
                test = grid.images.of(fold, size, "test")
                of_run[model.model_sha256] = _seen(classifier, model.class_names, test, test.class_names, names)
            hits[title][1] += of_run[model.model_sha256]
    return [
        Recognition(title, names[c], _share(*counted[:, :, c]))
        for title, counted in hits.items()
        for c in np.flatnonzero(counted[0, 1])
    ]


def unrecognised(found: Sequence[Recognition]) -> list[str]:
    """Return one sentence for each GAN with classes that are recognised less than `LOW` times as often as real ones."""
    said: dict[str, list[str]] = {}
    for one in found:
        made, real = one.recognised.value, one.recognised.floor
        if made is not None and real is not None and made < LOW * real:
            said.setdefault(one.gan, []).append(f"{one.class_name} {made:.0%} (real {real:.0%})")
    return [
        f"Of the synthetic images of {gan} its independent classifier recognises too few: {', '.join(low)}. They carry "
        "wrong labels; train the GAN longer, or keep what is recognised (`:confidence=0.5` behind its name)."
        for gan, low in said.items()
    ]


def _seen(
    classifier: IndependentClassifier,
    known: Sequence[str],
    images: CellDataset,
    names: Sequence[str],
    class_names: Sequence[str],
) -> NDArray[np.int64]:
    """Return how many images of each class are recognised, and how many were looked at, int64 [2, C]."""
    counted = np.zeros((2, len(class_names)), np.int64)
    for label, name in enumerate(names):
        mine = np.flatnonzero(images.labels == label)[:PER_CLASS]
        if len(mine) and name in known and name in class_names:
            right = classifier(images.images[mine]).argmax(axis=1) == known.index(name)
            counted[:, class_names.index(name)] = right.sum(), len(mine)
    return counted


def _back(folders: Sequence[str], class_names: Sequence[str]) -> list[str]:
    """Return the classes that folders of synthetic images are named after."""
    of = {folder: name for name, folder in class_folders(tuple(class_names)).items()}
    return [of[folder] for folder in folders]


def _share(synthetic: NDArray[np.int64], real: NDArray[np.int64]) -> Estimate:
    """Return the share of synthetic images as an estimate, beside that of real ones; each is given as (hits, n)."""
    (hits, n), (real_hits, real_n) = synthetic.tolist(), real.tolist()
    low, high = wilson_interval(hits, n).tolist()
    floor = real_hits / real_n if real_n else None
    return Estimate(hits / n, n, (low, high), floor, floor_n=real_n)
