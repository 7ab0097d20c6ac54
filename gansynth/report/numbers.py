"""How a page writes numbers: the decimals that a metric's uncertainty leaves, shares in percent, a proper minus."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gansynth.metrics.catalogue import METRICS, Unit
from gansynth.metrics.estimate import Estimate
from gansynth.metrics.wording import capital
from gansynth.metrics.wording import listed as listed

MISSING = "missing"
"""What stands in a table where a metric has no value because its weights are not there."""

NONE = "no value"
"""What stands where there were too few images; a note says why."""


def number(metric: str, value: float | None, *others: float | None, decimals: int | None = None) -> str:
    """Write one value of a metric.

    Parameters
    ----------
    metric : str
        A name of `gansynth.metrics.catalogue.METRICS`.
    value : float or None
        None and what is not finite become a dash.
    *others : float or None
        Further values that stand beside it, such as the ends of its interval: the decimals are those that the
        largest of them needs.
    decimals : int or None
        Use these instead (see `column_decimals`).

    Examples
    --------
    >>> number("recall", 0.8432), number("KD-cell", -0.00123, 0.021), number("copies", 3.0)
    ('84.3%', '−0.0012', '3')
    """
    if value is None or not math.isfinite(value):
        return "–"
    known = METRICS[metric]
    if known.unit is Unit.PERCENT:
        text = f"{100 * value:.1f}%"
    elif known.unit is Unit.IMAGES:
        text = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
    else:
        needed = _decimals([value, *others]) if decimals is None else decimals
        places = needed if known.decimals is None else known.decimals
        text = f"{value:,.{places}f}"
    # What rounds to nothing has no sign.
    return text.replace("-", "−") if any(digit in text for digit in "123456789") else text.replace("-", "")


def interval(metric: str, estimate: Estimate) -> str:
    """Write the 95% interval of an estimate as "low to high", or nothing where it has none."""
    if estimate.interval is None:
        return ""
    low, high = estimate.interval
    first, last = number(metric, low, estimate.value, high), number(metric, high, estimate.value, low)
    return f"{first.removesuffix('%')} to {last}"


def value_of(metric: str, estimate: Estimate) -> str:
    """Write the value of an estimate with the decimals of its interval."""
    return NONE if estimate.value is None else number(metric, estimate.value, *(estimate.interval or ()))


def mean_and_spread(metric: str, mean: float, spread: float | None, decimals: int | None = None) -> str:
    """Write "mean ± standard deviation", or the mean alone where there was one seed."""
    text = number(metric, mean, spread, decimals=decimals)
    if spread is None or not math.isfinite(spread) or (METRICS[metric].unit is Unit.IMAGES and not spread):
        return text
    return f"{text.removesuffix('%')} ± {number(metric, spread, mean, decimals=decimals)}"


def column_decimals(values: Sequence[float]) -> int:
    """Return the decimals of a column: three digits of the smallest value, one more than the largest needs at most."""
    known = [abs(v) for v in values if v and math.isfinite(v)]
    return min(_decimals([min(known)]), _decimals([max(known)]) + 1) if known else 2


def duration(seconds: float) -> str:
    """Write a duration in the unit that suits it.

    Examples
    --------
    >>> duration(42), duration(600), duration(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def sentence(text: str, names: Sequence[str] = ()) -> str:
    """Write a message as a sentence: a capital first, unless it begins with one of `names`, and a stop at the end.

    Examples
    --------
    >>> sentence("too few cells"), sentence("cgan failed", ["cgan"])
    ('Too few cells.', 'cgan failed.')
    """
    text = text.strip()
    if text and text[-1] not in ".!?":
        text += "."
    return text if any(text.startswith(name) for name in names) else capital(text)


def _decimals(values: Sequence[float | None]) -> int:
    """Decimals that show three digits of the largest value."""
    largest = max((abs(v) for v in values if v is not None and math.isfinite(v)), default=0.0)
    return 3 if largest == 0 else min(max(2 - math.floor(math.log10(largest)), 0), 5)
