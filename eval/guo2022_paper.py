"""The tables of guo2022 as they are printed, and what they say of themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gansynth.remedies.class_weights import effective_number

Value = tuple[float, float]
"""Mean and what follows the sign ±."""
METRICS = {"Precision": "macro-precision", "Sensitivity": "balanced-accuracy", "Specificity": "macro-specificity"}
"""The paper's columns and our figures: means over the classes."""


def _rows(text: str) -> dict[str, dict[str, Value]]:
    found = {}
    for line in text.strip().splitlines():
        name, *cells = (part.strip() for part in line.split("|"))
        values = [(float(mean), float(spread)) for mean, spread in (cell.split("±") for cell in cells)]
        found[name] = dict(zip(METRICS, values, strict=True))
    return found


TABLE_1: dict[str, tuple[int, int, int]] = {
    "naive lymphocyte": (1841, 635, 621),
    "degenerative cell": (366, 122, 119),
    "polychromatic normoblast": (335, 116, 134),
    "stab granulocyte": (305, 115, 91),
    "metamyelocyte": (292, 89, 91),
    "segmented granulocyte": (227, 67, 71),
    "lymphocyte": (194, 81, 70),
    "myelocyte": (213, 58, 62),
    "orthochromatic normoblast": (180, 58, 61),
    "early normoblast": (145, 32, 58),
    "platelet aggregation": (95, 32, 31),
    "monocyte": (75, 30, 29),
    "large platelet": (93, 19, 20),
    "promyelocyte": (68, 24, 21),
    "platelet": (61, 19, 18),
}
"""guo2022, table 1: training, validation and test images."""

TABLE_2 = _rows("""
Support vector machine | 0.5343 ± 0.0000 | 0.4215 ± 0.0000 | 0.9504 ± 0.0000
Random forest | 0.5337 ± 0.0146 | 0.4200 ± 0.0107 | 0.9684 ± 0.0005
ResNet152 | 0.8064 ± 0.0113 | 0.7906 ± 0.0064 | 0.9901 ± 0.0003
ResNet152 + data pre-processing | 0.8291 ± 0.0061 | 0.8256 ± 0.0062 | 0.9917 ± 0.0005
""")
TABLE_3 = _rows("""
AlexNet | 0.7864 ± 0.0103 | 0.7525 ± 0.0130 | 0.9877 ± 0.0006
VGG16 | 0.8254 ± 0.0060 | 0.8111 ± 0.0147 | 0.9909 ± 0.0004
GoogLeNet | 0.8251 ± 0.0099 | 0.8115 ± 0.0091 | 0.9914 ± 0.0003
ResNet152 | 0.8291 ± 0.0061 | 0.8256 ± 0.0062 | 0.9917 ± 0.0005
""")
TABLE_4 = _rows("""
Baseline | 0.8291 ± 0.0061 | 0.8256 ± 0.0062 | 0.9917 ± 0.0005
Random over-sampling | 0.8396 ± 0.0078 | 0.8263 ± 0.0095 | 0.9922 ± 0.0004
SMOTE | 0.8279 ± 0.0047 | 0.8302 ± 0.0029 | 0.9922 ± 0.0002
Random under-sampling | 0.7563 ± 0.0108 | 0.7994 ± 0.0203 | 0.9877 ± 0.0005
Weighted random forest | 0.8314 ± 0.0064 | 0.8174 ± 0.0050 | 0.9916 ± 0.0003
Weighted cross-entropy | 0.8327 ± 0.0044 | 0.8375 ± 0.0054 | 0.9921 ± 0.0002
CBCM | 0.8453 ± 0.0022 | 0.8444 ± 0.0072 | 0.9929 ± 0.0002
""")

RIGHT = {"before": (0.895, 610), "after": (0.909, 604)}
"""Figure 7 in words: accuracy, and how many of the 621 naive lymphocytes are recognised; its cells are a picture."""
PAPER_BETA = 0.9


def weights_apart(beta: float, counts: Sequence[int]) -> float:
    """Return by how much the class-balanced weight of the rarest class exceeds that of the largest (1: not at all)."""
    effective = effective_number(np.array([max(counts), min(counts)]), beta)
    return float(effective[0] / effective[1])


def meets(one: Mapping[str, Value], other: Mapping[str, Value], column: str) -> bool:
    """Return whether the range of a row reaches that of a higher one."""
    (a, up), (b, down) = one[column], other[column]
    return a + up >= b - down
