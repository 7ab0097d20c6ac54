"""Whether a reader can distinguish two kinds of images: signal detection, whatever answer the reader prefers.

A reader who calls everything synthetic has found every synthetic image and has distinguished nothing. Sensitivity d' is
free of that preference: 0 for guessing, whatever the preference, and 1 where 69% of an unbiased reader's answers are
right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from gansynth.metrics.agreement import wilson_interval
from gansynth.metrics.estimate import Estimate, too_few


@dataclass(frozen=True)
class Detection:
    """How well one reader distinguishes signals from noise.

    Attributes
    ----------
    sensitivity : Estimate
        d' = z(hit rate) - z(false-alarm rate); 0 for guessing, negative where signals are taken for noise more often
        than noise is taken for a signal.
    criterion : float or None
        c = -(z(hit rate) + z(false-alarm rate)) / 2: above 0, the reader prefers to say "noise". None where there is
        no d'.
    accuracy : Estimate
        Share of right answers.
    hits, false_alarms : Estimate
        Share of signals, and of noise, that were called a signal.
    """

    sensitivity: Estimate
    criterion: float | None
    accuracy: Estimate
    hits: Estimate
    false_alarms: Estimate


def detection(hits: int, signals: int, false_alarms: int, noise: int, *, confidence: float = 0.95) -> Detection:
    """Return d' and what belongs to it from four counts.

    Parameters
    ----------
    hits, signals : int
        Signals that were called so, and all signals.
    false_alarms, noise : int
        Noise that was called a signal, and all noise.
    confidence : float
        Level of the intervals, between 0 and 1.

    Returns
    -------
    Detection
        d' has no value where either side is empty.

    Raises
    ------
    ValueError
        If more were called a signal than there are.

    Notes
    -----
    Rates are (count + 1/2) / (n + 1), the log-linear rule, so that a reader without a mistake has a finite d'. The
    interval is normal, with the variance of Gourevitch and Galanter. Its exact coverage for 10 to 100 images a side, d'
    from 0 to 3 and criteria of 0 and 0.5 lies between 94 and 98% (`tests/metrics/test_signal_detection.py`). It holds
    for one reader and fresh images: two readers of the same images are not two independent readers of fresh ones.

    References
    ----------
    Hautus, M. J. (1995). Corrections for extreme proportions and their biasing effects on estimated values of d'.
    Behavior Research Methods, Instruments, & Computers 27, 46-51.
    Gourevitch, V., Galanter, E. (1967). A significance test for one parameter isosensitivity functions. Psychometrika
    32, 25-33.

    Examples
    --------
    >>> found = detection(hits=15, signals=20, false_alarms=5, noise=20)
    >>> round(found.sensitivity.value, 2), [round(end, 2) for end in found.sensitivity.interval]
    (1.27, [0.44, 2.11])
    """
    if not (0 <= hits <= signals and 0 <= false_alarms <= noise):
        raise ValueError(f"{hits} hits of {signals} signals, {false_alarms} false alarms of {noise}")
    n, right = signals + noise, hits + noise - false_alarms
    sensitivity, criterion = too_few(n, 2, "d'"), None
    if signals and noise:
        counts, totals = np.array([hits, false_alarms]), np.array([signals, noise])
        rates = (counts + 0.5) / (totals + 1)
        z = norm.ppf(rates)
        value = float(z[0] - z[1])
        error = float(np.sqrt((rates * (1 - rates) / (totals * norm.pdf(z) ** 2)).sum()))
        half = float(norm.ppf((1 + confidence) / 2)) * error
        sensitivity = Estimate(value, n, (value - half, value + half), floor=0.0)
        criterion = float(-z.mean()) + 0.0  # not -0
    return Detection(
        sensitivity,
        criterion,
        share_of(right, n, confidence),
        share_of(hits, signals, confidence),
        share_of(false_alarms, noise, confidence),
    )


def share_of(hits: int, n: int, confidence: float = 0.95) -> Estimate:
    """Return a share with its Wilson interval; without a value where n = 0."""
    if not n:
        return too_few(0, 1, "a share")
    low, high = wilson_interval(hits, n, confidence=confidence)
    return Estimate(hits / n, n, (float(low), float(high)))
