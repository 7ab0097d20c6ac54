"""What alkrimi2023 prints: its tables, and what follows from them by arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score

SUPERCLASSES = ("agranulocyte", "granulocyte")
TYPES = ("monocyte", "lymphocyte", "neutrophil", "eosinophil", "basophil")
"""In the order of table 8."""

TABLE_1 = {"agranulocyte": (213, 53, 266), "granulocyte": (587, 147, 734)}
"""Images: training, validating, together."""

TABLE_2 = {"neutrophil": 556, "eosinophil": 153, "basophil": 25, "monocyte": 38, "lymphocyte": 228}
"""Images of each type."""

TABLE_3 = {"granulocyte": 96.4, "agranulocyte": 98.1}
"""Accuracy, in percent, of the binary classification."""

TABLE_4 = {"monocyte": 97.0, "lymphocyte": 95.3, "neutrophil": 95.3, "eosinophil": 97.1, "basophil": 96.7}
"""Accuracy, in percent, of the classification into types."""

TABLE_5 = {"binary": (0.987, 0.977, 0.978), "types": (0.96, 0.966, 0.967)}
"""F-score, precision, recall."""

TABLE_6 = {"binary": (0.963, 0.961, 0.9995), "types": (0.965, 0.967, 0.9996)}
"""Kappa, ROC, AUC."""

TABLE_7 = np.array([[210, 56], [28, 706]])
"""True `SUPERCLASSES` in rows, what they are taken for in columns; 266 and 734 are given as the rows' sums."""

TABLE_8 = np.array([[35, 0, 0, 1, 2], [3, 220, 0, 0, 5], [1, 0, 546, 6, 3], [0, 0, 2, 138, 13], [1, 0, 0, 3, 21]])
"""The same of `TYPES`."""

TABLE_8_TOTALS = (40, 220, 548, 149, 44)
"""The columns' sums as printed."""

TABLE_9 = {"binary": (0.961, 0.004), "types": (0.966, 0.002)}
"""ROC and mean squared error."""

ACCURACY = {"binary": 0.9786, "types": 0.964}
"""Abstract."""

MATRICES = {"binary": TABLE_7, "types": TABLE_8}


def accuracy(table: NDArray[np.int64]) -> float:
    """Return the share of images on the diagonal."""
    return float(np.trace(table) / table.sum())


def recalls(table: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of each class that is recognised."""
    return np.asarray(np.diag(table) / table.sum(axis=1))


def precisions(table: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of what is taken for a class that is of it."""
    return np.asarray(np.diag(table) / table.sum(axis=0))


def macro_f1(table: NDArray[np.int64]) -> float:
    """Return the mean of the classes' F1."""
    return float((2 * np.diag(table) / (table.sum(axis=0) + table.sum(axis=1))).mean())


def kappa(table: NDArray[np.int64]) -> float:
    """Return Cohen's kappa."""
    rows, columns = np.indices(table.shape)
    return float(cohen_kappa_score(np.repeat(rows, table.ravel()), np.repeat(columns, table.ravel())))


def least_mse(table: NDArray[np.int64]) -> float:
    """Return the smallest mean squared error, a mean over classes, that a classifier with this table can have.

    A cell that is taken for another class has at most as much probability for its own: at best both have one half,
    which makes squared errors of 1/4 + 1/4; cells classified rightly may have none.
    """
    wrong = int(table.sum() - np.trace(table))
    return 0.5 * wrong / int(table.sum()) / len(table)


def least_rmse(table: NDArray[np.int64]) -> float:
    """Return the root of `least_mse`."""
    return float(np.sqrt(least_mse(table)))


def cannot_compare() -> str:
    """Return what cannot be compared and why, with the contradictions counted in the paper's own tables."""
    seven, eight = recalls(TABLE_7), recalls(TABLE_8)
    worst = max(TYPES, key=lambda name: abs(TABLE_4[name] / 100 - eight[TYPES.index(name)]))
    sums = TABLE_8.sum(axis=0).tolist()
    wrong = [
        f"{name}s: {n}, printed {said}" for name, n, said in zip(TYPES, sums, TABLE_8_TOTALS, strict=True) if n != said
    ]
    f, precision, recall = TABLE_5["binary"]
    binary, types = (int(table.sum() - np.trace(table)) for table in (TABLE_7, TABLE_8))
    agranulocytes = TABLE_1["agranulocyte"][2] / sum(row[2] for row in TABLE_1.values())
    return f"""\
## What cannot be compared, and why

- **The network is not described.** Neither layers nor training are given; it was run in Weka, and whether it saw
  images, a table of features or both is not said (section 2.2 makes a CSV file, section 2.3 speaks of images).
- **What was tested is not said.** Tables 7 and 8 count 1,000 cells, the validation part holds
  {sum(row[1] for row in TABLE_1.values())}: the matrices are of training images too, or of a cross-validation that is
  not mentioned. Cells of one of the 180 fields may be on both sides. In ours every cell is tested once, by classifiers
  that have not seen it.
- **Table 7 contradicts the binary figures.** From it follow an accuracy of {100 * accuracy(TABLE_7):.1f}% (abstract:
  {100 * ACCURACY["binary"]:.2f}%), a recall of agranulocytes of {100 * seven[0]:.1f}% (table 3:
  {TABLE_3["agranulocyte"]}%) and a kappa of {kappa(TABLE_7):.3f} (table 6: {TABLE_6["binary"][0]}).
- **Table 8 contradicts table 4**, if the accuracy of a class is its recall: of {worst}s
  {100 * eight[TYPES.index(worst)]:.1f}% are recognised, table 4 says {TABLE_4[worst]}%. Its accuracy is
  {100 * accuracy(TABLE_8):.1f}% (abstract: {100 * ACCURACY["types"]:.1f}%), its kappa {kappa(TABLE_8):.3f} (table 6:
  {TABLE_6["types"][0]}). {len(wrong)} of its 5 columns is summed wrongly ({", ".join(wrong)}), so that the printed
  sums make {sum(TABLE_8_TOTALS):,} cells.
- **An F-score above both its parts**: {f} of a precision of {precision} and a recall of {recall} (table 5). No harmonic
  mean exceeds both, and neither does its mean over classes.
- **ROC and AUC are two columns** of table 6, {TABLE_6["binary"][1]} beside {TABLE_6["binary"][2]}. What a ROC is
  that is not an area under the curve is not said. Of the types it is {TABLE_6["types"][1]} in table 6 and
  {TABLE_9["types"][0]} in table 9.
- **The mean squared errors are too small for the tables beside them, and change places.** With {binary} of 1,000 cells
  wrong (table 7) it is {least_mse(TABLE_7):.3f} at least, with {types} (table 8) {least_mse(TABLE_8):.3f}. Table 9 says
  {TABLE_9["binary"][1]} and {TABLE_9["types"][1]}, the abstract says the reverse.
- **Text against tables.** 64 to 75% of leukocytes are agranulocytes in section 2, {100 * agranulocytes:.1f}% in table 1
  (blood has more granulocytes); monocytes are granulocytes in the introduction and agranulocytes in table 2; seven
  types in the abstract, five in the tables.
- **Other data.** The paper's 1,000 cells are of one hospital and are not published. Ours are as many of each type, as
  far as there are so many, drawn at random from the data set given; band and segmented neutrophils are neutrophils.
"""
