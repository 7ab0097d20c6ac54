"""The tables of abouali2023 as they are printed, and what they say of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

CLASSES = {
    "BA": "basophil",
    "BNE": "band neutrophil",
    "EO": "eosinophil",
    "ERB": "erythroblast",
    "LY": "lymphocyte",
    "MMY": "metamyelocyte",
    "MO": "monocyte",
    "MY": "myelocyte",
    "PLT": "platelet",
    "PMY": "promyelocyte",
    "SNE": "segmented neutrophil",
}
"""The paper's symbols, and our names of PBC's classes."""

RAREST = "promyelocyte"
COMPOSED = tuple(CLASSES[symbol] for symbol in ("BNE", "MMY", "MY", "PMY", "SNE"))
"""Classes that are composed for the sets 1K and 2K (section 3.3)."""

EIGHT = {
    "neutrophil": ("band neutrophil", "segmented neutrophil"),
    "immature granulocyte": ("metamyelocyte", "myelocyte", "promyelocyte"),
}
"""PBC's eight classes (table 1) are these two and six that stay (figure 3)."""

TABLE_1 = {
    "neutrophil": 3329,
    "eosinophil": 3117,
    "basophil": 1218,
    "lymphocyte": 1214,
    "monocyte": 1420,
    "immature granulocyte": 2895,
    "erythroblast": 1551,
    "platelet": 2348,
}
"""Images of the eight classes."""

UNLABELLED = 151
"""Immature granulocytes without a finer label, the one reason given for what table 2 leaves out of table 1."""


def _counts(text: str) -> dict[str, int]:
    return dict(zip(CLASSES, (int(n) for n in text.split()), strict=True))


TABLE_2 = _counts("1218 1633 3117 1551 1214 1015 1420 1137 2348 592 1646")
"""Images of the eleven classes."""
TABLE_3 = _counts("1123 1621 2937 1351 1202 1007 1350 1134 2178 1011 1620")
"""The set 419-PMY: 419 promyelocytes that are left and 592 composed ones."""
PRINTED = {"table 1": 17092, "table 2": 16891, "table 3": 16345, "pruned": 16115, "1K": 21534, "2K": 26534}
"""Totals as they are printed."""
REAL_PMY, COMPOSED_PMY = 419, 592


class Accuracies(NamedTuple):
    """A row of table 4, in percent."""

    training: float
    validation: float
    testing: float


class Macro(NamedTuple):
    """A row of table 5 or 11, in percent."""

    precision: float
    recall: float
    f1: float


class Averages(NamedTuple):
    """The last rows of tables 6 to 10: precision, recall and F1 as plain means and weighted by images."""

    accuracy: float
    macro: tuple[float, float, float]
    weighted: tuple[float, float, float]
    support: int


class OfClass(NamedTuple):
    """A row of tables 6 to 10."""

    precision: float
    recall: float
    f1: float
    support: int


MODELS = {
    "ConvNexTBase": "convnext-base",
    "Customized-CNN": "custom-cnn",
    "DenseNet-121": "densenet121",
    "DenseNet-169": "densenet169",
    "DenseNet-201": "densenet201",
    "EfficientNetV2 B0": "efficientnetv2-b0",
    "Ensemble-Average": "ensemble-average",
    "Ensemble-CBAM": "ensemble-cbam",
    "ViTb16": "vit-b16",
    "VGG-19": "vgg19",
}
"""The paper's names of our recipes, in the order of table 4."""

TABLE_4 = {
    "ConvNexTBase": Accuracies(94.57, 92.42, 90.85),
    "Customized-CNN": Accuracies(90.15, 88.67, 87.27),
    "DenseNet-121": Accuracies(93.68, 94.67, 93.52),
    "DenseNet-169": Accuracies(94.81, 94.67, 94.48),
    "DenseNet-201": Accuracies(93.94, 95.09, 93.94),
    "EfficientNetV2 B0": Accuracies(96.26, 96.06, 93.82),
    "Ensemble-Average": Accuracies(95.41, 94.24, 94.00),
    "Ensemble-CBAM": Accuracies(96.11, 95.12, 94.08),
    "ViTb16": Accuracies(89.46, 89.70, 89.12),
    "VGG-19": Accuracies(94.68, 93.12, 91.75),
}
TABLE_5 = {
    "ConvNexTBase": Macro(89, 89, 89),
    "Customized-CNN": Macro(87, 87, 87),
    "DenseNet-121": Macro(92, 93, 92),
    "DenseNet-169": Macro(94, 94, 94),
    "DenseNet-201": Macro(93, 93, 93),
    "EfficientNetV2 B0": Macro(93, 93, 93),
    "Ensemble-Average": Macro(93, 93, 93),
    "Ensemble-CBAM": Macro(93, 93, 93),
    "ViTb16": Macro(86, 87, 86),
    "VGG-19": Macro(89, 90, 90),
}


def _report(text: str) -> dict[str, OfClass]:
    rows = [line.split() for line in text.strip().splitlines()]
    found = {name: OfClass(float(p), float(r), float(f), int(n)) for name, p, r, f, n in rows}
    assert tuple(found) == tuple(CLASSES)
    return found


REPORTS = {
    "Original": _report("""
BA 1.00 1.00 1.00 112
BNE 0.88 0.77 0.82 162
EO 1.00 1.00 1.00 293
ERB 1.00 1.00 1.00 135
LY 0.99 1.00 1.00 120
MMY 0.77 0.88 0.82 100
MO 1.00 0.96 0.98 135
MY 0.74 0.80 0.77 113
PLT 1.00 1.00 1.00 217
PMY 0.80 0.59 0.68 59
SNE 0.83 0.91 0.87 162
"""),
    "419-PMY": _report("""
BA 1.00 1.00 1.00 112
BNE 0.88 0.77 0.82 162
EO 1.00 1.00 1.00 293
ERB 1.00 1.00 1.00 135
LY 0.99 1.00 1.00 120
MMY 0.75 0.88 0.81 100
MO 0.99 0.96 0.98 135
MY 0.87 0.80 0.83 113
PLT 1.00 1.00 1.00 217
PMY 0.91 0.89 0.90 101
SNE 0.83 0.91 0.87 162
"""),
    "1K": _report("""
BA 0.99 1.00 1.00 112
BNE 0.90 0.91 0.90 262
EO 1.00 1.00 1.00 293
ERB 1.00 0.99 1.00 135
LY 0.98 1.00 0.99 120
MMY 0.87 0.94 0.90 200
MO 1.00 0.98 0.99 135
MY 0.92 0.88 0.90 213
PLT 1.00 1.00 1.00 217
PMY 0.98 0.94 0.96 201
SNE 0.91 0.90 0.91 262
"""),
    "2K": _report("""
BA 0.98 1.00 0.99 112
BNE 0.92 0.96 0.94 362
EO 1.00 1.00 1.00 293
ERB 0.99 0.99 0.99 135
LY 0.98 1.00 0.99 120
MMY 0.93 0.96 0.94 300
MO 0.98 0.98 0.98 135
MY 0.94 0.92 0.93 313
PLT 1.00 1.00 1.00 217
PMY 0.97 0.95 0.96 301
SNE 0.96 0.92 0.94 362
"""),
    "1K-class": _report("""
BA 1.00 1.00 1.00 200
BNE 0.90 0.86 0.88 200
EO 1.00 1.00 1.00 200
ERB 1.00 0.99 1.00 200
LY 1.00 1.00 1.00 200
MMY 0.92 0.92 0.92 200
MO 0.99 0.98 0.98 200
MY 0.87 0.93 0.90 200
PLT 1.00 1.00 1.00 200
PMY 0.95 0.90 0.93 200
SNE 0.88 0.91 0.89 200
"""),
}
"""Tables 6 to 10: EfficientNetV2 B0 on the test part of each set."""

AVERAGES = {
    "Original": Averages(0.93, (0.91, 0.90, 0.90), (0.93, 0.93, 0.93), 1608),
    "419-PMY": Averages(0.94, (0.93, 0.93, 0.93), (0.94, 0.94, 0.94), 1650),
    "1K": Averages(0.95, (0.96, 0.96, 0.96), (0.95, 0.95, 0.95), 2150),
    "2K": Averages(0.96, (0.97, 0.97, 0.97), (0.96, 0.96, 0.96), 2650),
    "1K-class": Averages(0.95, (0.95, 0.95, 0.95), (0.95, 0.95, 0.95), 2200),
}
"""Below the classes of tables 6 to 10."""

TABLE_11 = {
    "Original": (0.91, 0.90, 0.90, 0.93),
    "419-PMY": (0.93, 0.93, 0.93, 0.94),
    "1K": (0.96, 0.96, 0.96, 0.95),
    "2K": (0.97, 0.97, 0.97, 0.96),
    "1K-class": (0.95, 0.95, 0.95, 0.95),
}
"""Macro-average precision, recall and F1, and accuracy, on each set."""


def composed_share(name: str) -> float:
    """Return the share of a set's promyelocytes that are composites, and so of those in a random test part."""
    composed = {
        "419-PMY": COMPOSED_PMY,
        "1K": COMPOSED_PMY + 1000,
        "2K": COMPOSED_PMY + 2000,
        "1K-class": 1000 - REAL_PMY,
    }.get(name, 0)
    return composed / (composed + REAL_PMY)


def accuracy_of(report: Mapping[str, OfClass]) -> float:
    """Return the accuracy that recalls and supports imply."""
    return sum(row.recall * row.support for row in report.values()) / sum(row.support for row in report.values())


def same_recalls(one: str, other: str) -> list[str]:
    """Return the classes whose recall and support are the same, to the last digit printed, in two reports."""
    return [
        name
        for name, row in REPORTS[one].items()
        if (row.recall, row.support) == (REPORTS[other][name].recall, REPORTS[other][name].support)
    ]
