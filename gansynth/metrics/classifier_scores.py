"""Precision, recall and F1 of the paper (hazra2022, table 6): is a synthetic image what it was asked to be?

The classifier has learned from real training images only. Every class weighs the same, however many images of it
there are; else a generator could gain precision by making few images of the classes it makes badly, and the real
images beside it, which come in their natural numbers, would not compare.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gansynth.metrics.agreement import wilson_interval
from gansynth.metrics.estimate import Estimate

NAMES = ("precision", "recall", "F1")
_RESAMPLES = 1000


@dataclass(frozen=True)
class ClassifierScores:
    """What a classifier says of synthetic images, beside what it says of held-out real ones.

    Attributes
    ----------
    overall : dict of str to Estimate
        "precision", "recall", "F1": means over the classes; `floor` is the score of real images.
    per_class : list of dict of str to Estimate
        The same for each class, against all others.
    confusion, real_confusion : int64 array, shape [C, C + 1]
        Images by class asked for (row) and assigned (column); the last column is any class outside the comparison.
    """

    overall: dict[str, Estimate]
    per_class: list[dict[str, Estimate]]
    confusion: NDArray[np.int64]
    real_confusion: NDArray[np.int64]


def classifier_scores(
    assigned: ArrayLike,
    asked: ArrayLike,
    real_assigned: ArrayLike,
    real_labels: ArrayLike,
    n_classes: int,
    *,
    seed: int = 0,
) -> ClassifierScores:
    """Score a classifier's view of synthetic images.

    Parameters
    ----------
    assigned, asked : int arrays, shape [n]
        The class the classifier assigns (0..C-1, or C for a class outside the comparison), and the class the image was
        generated for.
    real_assigned, real_labels : int arrays, shape [m]
        The same of held-out real images.
    n_classes : int
        C.
    seed : int
        Of the bootstrap over images inside each class. Recall of a class has Wilson's interval.

    Returns
    -------
    ClassifierScores

    Examples
    --------
    >>> found = classifier_scores([0, 1, 1], [0, 0, 1], [0, 1], [0, 1], 2)
    >>> found.overall["recall"].value, found.overall["recall"].floor
    (0.75, 1.0)
    """
    table, real_table = _confusion(assigned, asked, n_classes), _confusion(real_assigned, real_labels, n_classes)
    value, floor = _scores(table), _scores(real_table)
    rng = np.random.default_rng(seed)
    rows = table.sum(axis=1)
    shares = np.divide(table, rows[:, None], out=np.zeros(table.shape), where=rows[:, None] > 0)
    drawn = np.stack(
        [
            rng.multinomial(n, row, size=_RESAMPLES) if n else np.zeros((_RESAMPLES, len(row)), np.int64)
            for n, row in zip(rows, shares, strict=True)
        ],
        axis=1,
    ).astype(np.float64)
    resampled = _scores(drawn)
    there, real_rows = rows > 0, real_table.sum(axis=1)
    overall, per_class = {}, [dict[str, Estimate]() for _ in range(n_classes)]
    for name in NAMES:
        ends = np.nanpercentile(resampled[name][:, there].mean(axis=1), [2.5, 97.5]) if there.any() else (np.nan,) * 2
        both = there & (real_rows > 0)
        overall[name] = Estimate(
            _mean(value[name][there]),
            int(rows.sum()),
            (float(ends[0]), float(ends[1])),
            floor=_mean(floor[name][both]),
            floor_n=int(real_rows.sum()),
        )
        for c in range(n_classes):
            if not rows[c]:
                per_class[c][name] = Estimate(None, 0, note="no synthetic image of this class")
                continue
            if name == "recall":
                low, high = wilson_interval(table[c, c], rows[c])
            else:
                low, high = np.percentile(resampled[name][:, c], [2.5, 97.5])
                if low == high:  # all right or all wrong: resampling knows no other case, Wilson does
                    ends = wilson_interval(table[c, c], max(table[:, c].sum(), table[c, c]))
                    low, high = min(low, ends[0]), max(high, ends[1])
            per_class[c][name] = Estimate(
                float(value[name][c]),
                int(rows[c]),
                (float(low), float(high)),
                floor=float(floor[name][c]) if real_rows[c] else None,
                floor_n=int(real_rows[c]),
            )
    return ClassifierScores(overall, per_class, table, real_table)


def _confusion(assigned: ArrayLike, asked: ArrayLike, n_classes: int) -> NDArray[np.int64]:
    column, row = np.asarray(assigned, dtype=np.int64), np.asarray(asked, dtype=np.int64)
    if column.shape != row.shape or column.ndim != 1:
        raise ValueError(f"assigned and asked must be [n] both, got {column.shape} and {row.shape}")
    if len(row) and (row.min() < 0 or row.max() >= n_classes or column.min() < 0 or column.max() > n_classes):
        raise ValueError(f"a class lies outside 0..{n_classes - 1}")
    table = np.zeros((n_classes, n_classes + 1), dtype=np.int64)
    np.add.at(table, (row, column), 1)
    return table


def _scores(table: NDArray[np.int64] | NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return precision, recall and F1 [..., C] of confusion tables [..., C, C + 1] whose rows weigh alike."""
    counts = table.astype(np.float64)
    rows = counts.sum(axis=-1, keepdims=True)
    shares = np.divide(counts, rows, out=np.zeros_like(counts), where=rows > 0)[..., :-1]
    recall = np.diagonal(shares, axis1=-2, axis2=-1)
    taken = shares.sum(axis=-2)
    # A class that nothing is taken for has no right ones among them: scikit-learn's zero_division=0.
    precision = np.divide(recall, taken, out=np.zeros_like(taken), where=taken > 0)
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
    return {"precision": precision, "recall": recall.copy(), "F1": f1}


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(values.mean()) if len(values) else None
