"""Claims about d': what guessing scores, what perfect readers score, and how often the interval holds the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, norm

from gansynth.metrics.signal_detection import detection


def test_a_reader_who_calls_everything_synthetic_tells_nothing_apart() -> None:
    found = detection(20, 20, 20, 20)
    assert found.sensitivity.value == pytest.approx(0)
    assert found.accuracy.value == 0.5
    assert found.criterion is not None and found.criterion < -1


def test_a_reader_without_a_mistake_has_a_finite_sensitivity_that_grows_with_the_images() -> None:
    few, many = detection(10, 10, 0, 10), detection(100, 100, 0, 100)
    # Hautus (1995): (10 + 0.5) / 11 and 0.5 / 11.
    assert few.sensitivity.value == pytest.approx(norm.ppf(10.5 / 11) - norm.ppf(0.5 / 11))
    assert many.sensitivity.value is not None and many.sensitivity.value > few.sensitivity.value


def test_answers_that_are_turned_round_turn_the_sign() -> None:
    right, wrong = detection(15, 20, 4, 20), detection(5, 20, 16, 20)
    assert right.sensitivity.value == pytest.approx(-wrong.sensitivity.value)  # type: ignore[operator]


def test_without_one_of_the_two_kinds_there_is_no_sensitivity() -> None:
    found = detection(3, 5, 0, 0)
    assert found.sensitivity.value is None and "d'" in found.sensitivity.note
    assert found.hits.value == 0.6 and found.false_alarms.value is None


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="6 hits of 5"):
        detection(6, 5, 0, 1)


@pytest.mark.parametrize("n", [10, 40])
@pytest.mark.parametrize("truth", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("criterion", [0.0, 0.5])
def test_the_interval_holds_the_truth_as_often_as_it_says(n: int, truth: float, criterion: float) -> None:
    """Summed over every outcome, not drawn."""
    counts = range(n + 1)
    weight_hits = binom.pmf(counts, n, norm.cdf(truth / 2 - criterion))
    weight_alarms = binom.pmf(counts, n, norm.cdf(-truth / 2 - criterion))
    covered = 0.0
    for hits in counts:
        for alarms in counts:
            weight = float(weight_hits[hits] * weight_alarms[alarms])
            if weight > 1e-6:
                low, high = detection(hits, n, alarms, n).sensitivity.interval or (np.nan, np.nan)
                covered += weight * (low <= truth <= high)
    assert 0.94 <= covered <= 0.98
