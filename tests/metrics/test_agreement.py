from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gansynth.metrics.agreement import class_agreement, wilson_interval


def test_shares_count_the_images_assigned_to_the_asked_class() -> None:
    asked = np.repeat([0, 1, 2], [10, 10, 5])
    assigned = np.concatenate([np.full(9, 0), [2], np.full(10, 1), [0, 2, 2, 2, 2]])
    result = class_agreement(np.eye(4)[assigned], asked)
    assert result.per_class[:3].tolist() == [0.9, 1.0, 0.8]
    assert np.isnan(result.per_class[3]) and result.n_per_class.tolist() == [10, 10, 5, 0]
    assert result.value == pytest.approx(23 / 25) and result.n == 25
    assert result.confusion.sum(axis=1).tolist() == [10, 10, 5, 0] and result.confusion[0, 2] == 1
    assert result.interval_per_class[3].tolist() == [0.0, 1.0]


def test_wilson_interval_has_the_published_values() -> None:
    # Newcombe 1998 (Statistics in Medicine 17, 857-872), table I, method 3.
    for hits, n, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        assert wilson_interval(hits, n).round(4).tolist() == [low, high]


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_share_and_stays_within_0_and_1(n: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n))
    low, high = wilson_interval(hits, n)
    assert 0 <= low <= hits / n <= high <= 1 and low < high


def test_wilson_interval_covers_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(0)
    for share in (0.5, 0.9):
        ends = wilson_interval(rng.binomial(30, share, 4000), np.full(4000, 30))
        assert 0.93 <= ((ends[:, 0] <= share) & (share <= ends[:, 1])).mean() <= 0.98


@pytest.mark.parametrize(
    ("probabilities", "asked"),
    [(np.zeros((3, 2)), [0, 1]), (np.zeros((0, 2)), []), (np.zeros((2, 2)), [0, 2]), (np.full((1, 2), np.nan), [0])],
)
def test_arrays_that_do_not_fit_are_refused(probabilities: np.ndarray, asked: list[int]) -> None:
    with pytest.raises(ValueError):
        class_agreement(probabilities, asked)
