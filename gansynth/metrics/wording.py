"""How the values of a classifier's metrics are named and written, in sentences, tables and on a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gansynth.metrics.classification_effects import Effect
    from gansynth.metrics.estimate import Estimate

NO_VALUE = "no value"

TITLES = {
    "macro-F1": "Macro F1",
    "balanced-accuracy": "Recall",
    "accuracy": "Accuracy",
    "macro-precision": "Precision",
    "macro-specificity": "Specificity",
    "kappa": "Kappa",
    "MCC": "MCC",
    "weighted-precision": "Precision, weighted",
    "weighted-F1": "F1, weighted",
    "ROC-AUC": "ROC AUC",
    "average-precision": "Average precision",
    "precision-at-recall": "Precision at 90% recall",
    "Brier": "Brier score",
    "MSE": "MSE",
    "RMSE": "RMSE",
    "calibration-error": "Calibration error",
    "recall": "Recall",
    "specificity": "Specificity",
    "precision": "Precision",
    "F1": "F1",
}
"""What a table prints for a metric's name; over all classes they are means of the classes (macro)."""

LOWER_IS_BETTER = {"Brier", "MSE", "RMSE", "calibration-error"}


def inside(title: str) -> str:
    """Write a heading as it stands inside a sentence.

    Examples
    --------
    >>> inside("Macro F1"), inside("Recall of basophil"), inside("F1"), inside("ROC AUC")
    ('macro F1', 'recall of basophil', 'F1', 'ROC AUC')
    """
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def places(*widths: float | None) -> int:
    """Return the decimals that an uncertainty leaves: three where the narrowest interval is below 0.05, else two."""
    known = [abs(width) for width in widths if width is not None and math.isfinite(width)]
    return 3 if known and min(known) < 0.05 else 2


def width(found: Estimate | Effect | None) -> float | None:
    """How wide an interval is."""
    return None if found is None or found.interval is None else found.interval[1] - found.interval[0]


def share(value: float | None, decimals: int = 3) -> str:
    """Write a value; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:.{decimals}f}"
    return text.replace("-", "−") if any(digit in text for digit in "123456789") else text.replace("-", "")


def value_of(found: Estimate | None, decimals: int = 3) -> str:
    """Write an estimate's value, or that it has none."""
    if found is None:
        return "–"
    return NO_VALUE if found.value is None else share(found.value, decimals)


def ends(interval: tuple[float, float] | None, decimals: int = 3) -> str:
    """Write an interval as "low to high", nothing where there is none."""
    return "" if interval is None else f"{share(interval[0], decimals)} to {share(interval[1], decimals)}"


def with_ends(found: Estimate | None, decimals: int = 3, absent: str = NO_VALUE) -> str:
    """Write an estimate with its interval in brackets, or `absent` where it has no value."""
    if found is None or found.value is None:
        return absent
    return share(found.value, decimals) + (f" ({ends(found.interval, decimals)})" if found.interval else "")


def signed(value: float | None, decimals: int = 3) -> str:
    """Write a difference with its sign.

    Examples
    --------
    >>> signed(0.113, 2), signed(-0.0001, 2), signed(None)
    ('+0.11', '0.00', '–')
    """
    text = share(value, decimals)
    return f"+{text}" if value and value > 0 and any(digit in text for digit in "123456789") else text


def signed_ends(interval: tuple[float, float] | None, decimals: int = 3) -> str:
    """Write the interval of a difference with its signs."""
    return "" if interval is None else f"{signed(interval[0], decimals)} to {signed(interval[1], decimals)}"


def signed_with_ends(found: Effect | None, decimals: int = 3) -> str:
    """Write a difference with its sign, and its interval in brackets where it has one."""
    if found is None:
        return "–"
    return signed(found.value, decimals) + (f" ({signed_ends(found.interval, decimals)})" if found.interval else "")


def capital(text: str) -> str:
    """Begin a text with a capital."""
    return text[:1].upper() + text[1:]


def counted(n: int, what: str) -> str:
    """Write a number of things.

    Examples
    --------
    >>> counted(1, "seed"), counted(1200, "cell")
    ('1 seed', '1,200 cells')
    """
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def p_value(p: float | None) -> str:
    """Write p so that it never rounds across 0.05.

    Examples
    --------
    >>> [p_value(p) for p in (0.00001, 0.0123, 0.0499, 0.4, 1.0, None)]
    ['< 0.001', '0.012', '0.0499', '0.40', '1', '–']
    """
    if p is None or not math.isfinite(p):
        return "–"
    if p < 0.001:
        return "< 0.001"
    if p >= 0.995:
        return "1"
    if 0.0495 <= p < 0.05:
        return f"{math.floor(1e4 * p) / 1e4:.4f}"
    return f"{p:.2f}" if p >= 0.095 else f"{p:.3f}"


def p_words(p: float | None) -> str:
    """Write p as a sentence does: "p = 0.01", "p < 0.001"."""
    text = p_value(p)
    return "no p" if text == "–" else f"p {text}" if text.startswith("<") else f"p = {text}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Join names as a sentence does; beyond `most` of them the rest is counted."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
