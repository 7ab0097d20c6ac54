"""Numbers of a classifier that its confusion matrix decides: recall, precision, F1, kappa and their kin.

Every function takes any number of matrices at once (leading dimensions) and counts of any size, whole or not, so that
resampled and weighted tables are scored in one call.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

OVERALL = (
    "macro-F1", "balanced-accuracy", "accuracy", "macro-precision", "macro-specificity", "kappa", "MCC",
    "weighted-precision", "weighted-F1",
)  # fmt: skip
"""Metrics of all classes together; a macro metric is the mean over the classes that have images, a weighted one counts
each class by its images (abouali2023, section 3.6.2). The weighted recall is the accuracy."""

OF_CLASS = ("recall", "specificity", "precision", "F1", "accuracy")
"""Metrics of one class against all others."""

_MACRO = {"macro-F1": "F1", "balanced-accuracy": "recall", "macro-precision": "precision"}
_MACRO["macro-specificity"] = "specificity"
_WEIGHTED = {"weighted-precision": "precision", "weighted-F1": "F1"}


def confusion_matrix(labels: ArrayLike, predicted: ArrayLike, n_classes: int) -> NDArray[np.int64]:
    """Count images by true class (row) and predicted class (column).

    Parameters
    ----------
    labels : int array, shape [N]
        True classes, 0..C-1.
    predicted : int array, shape [N] or [S, N]
        Predicted classes; several predictions of the same images (seeds) give several matrices.
    n_classes : int
        C.

    Returns
    -------
    int64 array, shape [C, C] or [S, C, C]

    Raises
    ------
    ValueError
        If the shapes do not fit each other, or a class lies outside 0..C-1.

    Examples
    --------
    >>> confusion_matrix([0, 0, 1], [0, 1, 1], 2).tolist()
    [[1, 1], [0, 1]]
    """
    row, column = np.asarray(labels, dtype=np.int64), np.asarray(predicted, dtype=np.int64)
    if row.ndim != 1 or column.ndim not in (1, 2) or column.shape[-1:] != row.shape:
        raise ValueError(f"labels must be [N] and predicted [N] or [S, N], got {row.shape} and {column.shape}")
    for name, values in (("labels", row), ("predicted", column)):
        if values.size and (values.min() < 0 or values.max() >= n_classes):
            raise ValueError(f"{name} holds a class outside 0..{n_classes - 1}")
    rows = np.atleast_2d(column)
    cells = row * n_classes + rows + np.arange(len(rows))[:, None] * n_classes**2
    counts = np.bincount(cells.ravel(), minlength=len(rows) * n_classes**2)
    return counts.reshape(*column.shape[:-1], n_classes, n_classes)


def class_figure(confusion: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return one metric of every class.

    Parameters
    ----------
    confusion : array, shape [..., C, C]
        Images by true class (row) and predicted class (column).
    name : str
        One of `OF_CLASS`.

    Returns
    -------
    float64 array, shape [..., C]
        NaN where it cannot be said: every metric of a class without images, and the specificity of the only class.
        The precision of a class that is never predicted is 0, as with scikit-learn's ``zero_division=0``.

    Examples
    --------
    >>> class_figure([[8, 2], [1, 9]], "recall").tolist()
    [0.8, 0.9]
    """
    table = np.asarray(confusion, dtype=np.float64)
    hit = np.diagonal(table, axis1=-2, axis2=-1)
    true, taken = table.sum(axis=-1), table.sum(axis=-2)
    everything = true.sum(axis=-1, keepdims=True)
    match name:
        case "recall":
            found = _ratio(hit, true)
        case "precision":
            found = _ratio(hit, taken, empty=0.0)
        case "F1":
            found = _ratio(2 * hit, true + taken)
        case "specificity":
            found = _ratio(everything - true - taken + hit, everything - true)
        case "accuracy":
            found = _ratio(everything - true - taken + 2 * hit, np.broadcast_to(everything, hit.shape))
        case _:
            raise ValueError(f"'{name}' is not a metric of a class; there are {', '.join(OF_CLASS)}")
    return np.where(true > 0, found, np.nan)


def overall_figure(confusion: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return one metric of all classes together.

    Parameters
    ----------
    confusion : array, shape [..., C, C]
    name : str
        One of `OVERALL`.

    Returns
    -------
    float64 array, shape [...]
        NaN where it cannot be said: without images, and kappa where truth and prediction are one and the same class.

    References
    ----------
    Cohen, J. (1960). A coefficient of agreement for nominal scales. Educational and Psychological Measurement 20,
    37-46. Gorodkin, J. (2004). Comparing two K-category assignments by a K-category correlation coefficient.
    Computational Biology and Chemistry 28, 367-374 (MCC; 0 where it is undefined, as in scikit-learn).

    Examples
    --------
    >>> overall_figure([[8, 2], [1, 9]], "accuracy").item()
    0.85
    """
    table = np.asarray(confusion, dtype=np.float64)
    if name in _MACRO:
        there = table.sum(axis=-1) > 0
        values = np.where(there, class_figure(table, _MACRO[name]), 0.0)
        return _ratio(values.sum(axis=-1), there.sum(axis=-1).astype(np.float64))
    hit = np.trace(table, axis1=-2, axis2=-1)
    true, taken = table.sum(axis=-1), table.sum(axis=-2)
    n = true.sum(axis=-1)
    if name in _WEIGHTED:
        values = np.where(true > 0, class_figure(table, _WEIGHTED[name]), 0.0)
        return _ratio((true * values).sum(axis=-1), n)
    by_chance = (true * taken).sum(axis=-1)
    match name:
        case "accuracy":
            return _ratio(hit, n)
        case "kappa":
            return _ratio(hit * n - by_chance, n * n - by_chance)
        case "MCC":
            spread = (n * n - (true**2).sum(axis=-1)) * (n * n - (taken**2).sum(axis=-1))
            value = _ratio(hit * n - by_chance, np.sqrt(np.maximum(spread, 0.0)), empty=0.0)
            return np.where(n > 0, value, np.nan)
        case _:
            raise ValueError(f"'{name}' is not a metric of a confusion matrix; there are {', '.join(OVERALL)}")


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64], *, empty: float = np.nan) -> NDArray[np.float64]:
    return np.divide(above, below, out=np.full(np.shape(above), empty), where=below > 0)


def contributions(tables: Floats, name: str, class_index: int | None) -> tuple[Floats, Floats]:
    """Return a metric of each confusion matrix, and what an image in each cell adds to it.

    A metric is a smooth function of the counts, so to first order it is a sum over images (the infinitesimal jackknife,
    or delta method). Sums over the images of a seed, a fold or a patient then say what each of them did to the number,
    without a single resample.

    Parameters
    ----------
    tables : float64 array, shape [K, C, C]
        Matrices of the same images (equal rows).
    name : str
        A metric of `OF_CLASS` with a class, or of `OVERALL` without.
    class_index : int or None

    Returns
    -------
    values : float64 array, shape [K]
    added : float64 array, shape [K, C, C]
        By true and predicted class. The sum over the images of matrix k is ``values[k] - values.mean()``, exactly: for
        shares, deviations are taken from what all K matrices have in common, as in McNemar's test, and so the
        difference of two matrices is a sum over the images on which they differ.

    Raises
    ------
    ValueError
        If there is no such metric.

    References
    ----------
    Efron, B. (1982). The Jackknife, the Bootstrap and Other Resampling Plans, chapter 6.
    """
    if class_index is not None and name in OF_CLASS:
        return class_figure(tables, name)[:, class_index], _of_class(tables, name, class_index)
    if class_index is None and name in OVERALL:
        values = overall_figure(tables, name)
        if name in _MACRO:
            present = np.flatnonzero(tables[0].sum(axis=1) > 0)
            return values, np.mean([_of_class(tables, _MACRO[name], int(c)) for c in present], axis=0)
        return values, _gradient(tables, name, values)
    raise ValueError(f"'{name}' is not a metric of {'a class' if class_index is not None else 'all classes together'}")


def _of_class(tables: Floats, name: str, c: int) -> Floats:
    """Contributions to a share: (image among the right ones - common share x image among those asked) / all asked."""
    classes = tables.shape[-1]
    true, taken = np.zeros((classes, classes)), np.zeros((classes, classes))
    true[c], taken[:, c] = 1.0, 1.0
    hit = true * taken
    above, below = {
        "recall": (hit, true),
        "precision": (hit, taken),
        "F1": (2 * hit, true + taken),
        "specificity": (1 - true - taken + hit, 1 - true),
        "accuracy": (1 - true - taken + 2 * hit, np.ones_like(hit)),
    }[name]
    values = class_figure(tables, name)[:, c]
    asked = (tables * below).sum(axis=(1, 2))
    common = values.mean()
    added = (above - common * below) / np.where(asked > 0, asked, 1.0)[:, None, None]
    # A class that is never predicted has precision 0: all its images share in that.
    never = -common * true / max(float(tables[0][c].sum()), 1.0)
    return np.where((asked > 0)[:, None, None], added, never)


def _gradient(tables: Floats, name: str, values: Floats) -> Floats:
    """Contributions to any other metric: its derivatives with respect to the counts, by central differences."""
    classes = tables.shape[-1]
    n = tables[0].sum()
    step = 1e-5 * max(n, 1.0)
    moved = np.eye(classes * classes).reshape(-1, 1, classes, classes) * step
    slope = (overall_figure(tables + moved, name) - overall_figure(tables - moved, name)) / (2 * step)
    return slope.T.reshape(-1, classes, classes) + ((values - values.mean()) / max(n, 1.0))[:, None, None]
