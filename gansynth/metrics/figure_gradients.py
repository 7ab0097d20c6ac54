"""What each test image contributes to a metric of a confusion matrix.

A metric is a smooth function of the counts, so to first order it is a sum over images (the infinitesimal jackknife, or
delta method). Sums over the images of a seed, a fold or a patient then say what each of them did to the number, without
a single resample.

References
----------
Efron, B. (1982). The Jackknife, the Bootstrap and Other Resampling Plans, chapter 6.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gansynth.metrics.confusion_scores import OF_CLASS, OVERALL, class_figure, overall_figure

Floats = NDArray[np.float64]
_MACRO = {
    "macro-F1": "F1",
    "balanced-accuracy": "recall",
    "macro-precision": "precision",
    "macro-specificity": "specificity",
}


def contributions(tables: Floats, name: str, class_index: int | None) -> tuple[Floats, Floats]:
    """Return a metric of each confusion matrix, and what an image in each cell adds to it.

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
