"""How uncertain a number is that several trainings gave, on several folds of test images.

Three things vary: which images happened to be tested, how each training happened to end, and (with folds) which images
happened to be trained on. Each is estimated from the contributions of images to the number; their sum has the degrees
of freedom of Welch and Satterthwaite.

References
----------
Welch, B. L. (1947). The generalization of 'Student's' problem when several different population variances are involved.
Biometrika 34, 28-35. Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components.
Biometrics Bulletin 2, 110-114. Nadeau, C., Bengio, Y. (2003). Inference for the generalization error. Machine Learning
52, 239-281.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Variance:
    """An estimated variance and its degrees of freedom (infinite: as good as known)."""

    value: float
    df: float


@dataclass(frozen=True)
class Contributions:
    """What the test images of each fold contribute to the number of each seed.

    Attributes
    ----------
    sides : sequence of float64 array, shape [S, U]
        One side (a value) or two (a difference: the second side is subtracted). Row s: what training s owes to unit u,
        an image or the images that belong together.
    fold : int64 array, shape [U]
        0..F-1: the fold each unit is tested in. Trainings of one row in different folds are different trainings.
    share : float64 array, shape [F]
        Part of the value that lies with each fold; sums to 1.
    step : float
        What one image judged otherwise would change: no variance is taken for smaller than one such image.
    """

    sides: Sequence[Floats]
    fold: NDArray[np.int64]
    share: Floats
    step: float

    @property
    def seeds(self) -> int:
        """Trainings of the side with fewest."""
        return min(len(side) for side in self.sides)

    def of_units(self) -> Floats:
        """Return the mean over the seeds, float64 [U]; of a difference, the difference of means."""
        means = [side.mean(axis=0) for side in self.sides]
        return means[0] - means[1] if len(means) == 2 else means[0]

    def of_folds(self) -> Floats:
        """Return the sums of `of_units`, float64 [F]."""
        return np.asarray(np.bincount(self.fold, self.of_units(), minlength=len(self.share)), np.float64)


def images_and_seeds(given: Contributions, df_images: float | None = None) -> Variance:
    """Return the variance over test images and over trainings.

    Trainings that differ on single images also make images differ; what both see is counted once (two crossed random
    effects). With one training a side only the images' variance is there.

    Parameters
    ----------
    given : Contributions
    df_images : float, optional
        Degrees of freedom of the images' variance. Default: as few as the images that it comes from.
    """
    units = given.of_units()
    images, fourth = float((units**2).sum()), float((units**4).sum())
    df = images**2 / fourth if fourth > 0 else 1.0
    if images < given.step**2 * (1 - 1e-9):  # as much as one step is not less, whichever way it is rounded
        images, df = given.step**2, 1.0
    df_images = df if df_images is None else df_images
    if given.seeds < 2:
        return Variance(images, df_images)
    folds = len(given.share)
    trainings, terms, both = 0.0, 0.0, 0.0
    for side in given.sides:
        seeds = len(side)
        by_fold = np.stack([np.bincount(given.fold, row, minlength=folds) for row in side])
        parts = by_fold.var(axis=0, ddof=1) / seeds
        trainings += float(parts.sum())
        terms += float((parts**2).sum()) / (seeds - 1)
        both += float(side.var(axis=0, ddof=1).sum()) / seeds
    more = max(0.0, images - both, images - trainings)
    total = trainings + more
    uncertain = terms + more**2 / df_images
    return Variance(total, total**2 / uncertain if uncertain > 0 else math.inf)


def between_folds(given: Contributions) -> Variance:
    """Return the variance over folds, as if they were independent; infinite with fewer than two."""
    used = given.share > 0
    folds = int(used.sum())
    if folds < 2:
        return Variance(math.inf, 0.0)
    sums = given.of_folds()[used]
    residual = sums - sums.sum() * given.share[used]
    return Variance(float((residual**2).sum()) * folds / (folds - 1), folds - 1.0)


def with_folds(within: Variance, between: Variance, correction: float = 1.0) -> Variance:
    """Return `within`, and on top of it what the folds differ by more than it explains.

    Parameters
    ----------
    within, between : Variance
        What `images_and_seeds` and `between_folds` return.
    correction : float
        What the part on top is multiplied by. Folds share training images, so what a training split does to them varies
        together and shows too little between them: 1 + F n_test/n_train makes up for it (Nadeau and Bengio 2003).
        Test images and trainings they do not share.
    """
    more = (between.value - within.value) * correction
    if not math.isfinite(more) or more <= 0:
        return within
    total = within.value + more
    return Variance(total, total**2 / (within.value**2 / within.df + more**2 / between.df))
