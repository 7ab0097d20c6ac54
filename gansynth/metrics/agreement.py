"""How often an image is what was asked for, in the eyes of a classifier: with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm


@dataclass(frozen=True)
class ClassAgreement:
    """Share of images that a classifier assigns to the class they were asked or known to be.

    Attributes
    ----------
    value : float
        Share over all images, 0..1.
    n : int
        Number of images.
    interval : (float, float)
        Wilson interval of `value`.
    per_class : float64 array, shape [C]
        The same share class by class; NaN where a class has no image.
    n_per_class : int64 array, shape [C]
        Images per asked class.
    interval_per_class : float64 array, shape [C, 2]
        Wilson intervals of `per_class`.
    confusion : int64 array, shape [C, C]
        Images by asked class (row) and assigned class (column).
    """

    value: float
    n: int
    interval: tuple[float, float]
    per_class: NDArray[np.float64]
    n_per_class: NDArray[np.int64]
    interval_per_class: NDArray[np.float64]
    confusion: NDArray[np.int64]


def class_agreement(probabilities: ArrayLike, asked: ArrayLike, *, confidence: float = 0.95) -> ClassAgreement:
    """Compare the classes that a classifier assigns with the classes that were asked for.

    Meant to be computed twice with one classifier that has seen real training images only: for
    generated images, and for held-out real images, which show what is attainable.

    Parameters
    ----------
    probabilities : float array, shape [n, C]
        The classifier's output per class (anything whose largest entry is the assigned class).
    asked : int array, shape [n]
        The class each image was generated for, or the true class of a real one; 0..C-1.
    confidence : float
        Level of the intervals, between 0 and 1.

    Returns
    -------
    ClassAgreement

    Raises
    ------
    ValueError
        If the shapes do not fit each other, there is no image, or a class is out of range.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
    Journal of the American Statistical Association 22, 209-212.

    Examples
    --------
    >>> result = class_agreement([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], [0, 1, 1])
    >>> result.per_class.tolist(), result.confusion.tolist()
    ([1.0, 0.5], [[1, 0], [1, 1]])
    """
    scores, wanted = np.asarray(probabilities, dtype=np.float64), np.asarray(asked, dtype=np.int64)
    if scores.ndim != 2 or wanted.shape != scores.shape[:1] or not len(wanted):
        raise ValueError(
            f"probabilities must be [n, C] and asked [n] with n > 0, got {scores.shape} and {wanted.shape}"
        )
    if np.isnan(scores).any():
        raise ValueError("probabilities hold NaN")
    classes = scores.shape[1]
    if wanted.min() < 0 or wanted.max() >= classes:
        raise ValueError(f"asked holds a class outside 0..{classes - 1}")
    confusion = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(confusion, (wanted, scores.argmax(axis=1)), 1)
    hits, totals = np.diagonal(confusion), confusion.sum(axis=1)
    overall = wilson_interval(hits.sum(), totals.sum(), confidence=confidence)
    return ClassAgreement(
        value=float(hits.sum() / totals.sum()),
        n=len(wanted),
        interval=(float(overall[0]), float(overall[1])),
        per_class=np.divide(hits, totals, out=np.full(classes, np.nan), where=totals > 0),
        n_per_class=totals,
        interval_per_class=wilson_interval(hits, totals, confidence=confidence),
        confusion=confusion,
    )


def wilson_interval(hits: ArrayLike, n: ArrayLike, *, confidence: float = 0.95) -> NDArray[np.float64]:
    """Return Wilson's score interval of a share, which holds at small n and near 0 and 1.

    Parameters
    ----------
    hits, n : int arrays, shape [...]
        Successes and trials.
    confidence : float
        Level, between 0 and 1.

    Returns
    -------
    float64 array, shape [..., 2]
        Lower and upper end, 0..1; (0, 1) where n = 0.

    Examples
    --------
    >>> wilson_interval(9, 10).round(3).tolist()
    [0.596, 0.982]
    """
    successes, trials = np.asarray(hits, dtype=np.float64), np.asarray(n, dtype=np.float64)
    z2 = norm.ppf((1 + confidence) / 2) ** 2
    safe = np.maximum(trials, 1)
    share = successes / safe
    centre = (share + z2 / (2 * safe)) / (1 + z2 / safe)
    half = np.sqrt(z2 * (share * (1 - share) / safe + z2 / (4 * safe**2))) / (1 + z2 / safe)
    ends = np.stack(
        [np.where(successes <= 0, 0.0, centre - half), np.where(successes >= trials, 1.0, centre + half)], -1
    )
    ends[trials == 0] = (0.0, 1.0)
    return ends.clip(0, 1)
