"""An interval of a share: the exact binomial one where images are independent, wider where they are worth less."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gansynth.metrics.intervals import korn_graubard_interval


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_independent_images_have_clopper_and_pearsons_interval(case: tuple[int, int]) -> None:
    right, n = case
    share = right / n
    exact = stats.binomtest(right, n).proportion_ci(0.95, "exact")
    found = korn_graubard_interval(share, share * (1 - share) / n, n)
    assert found == pytest.approx((exact.low, exact.high), abs=1e-9)


@given(st.floats(0.001, 0.999), st.integers(2, 1000), st.floats(1, 50), st.integers(1, 30))
def test_what_is_worth_less_or_known_worse_is_less_certain(share: float, n: int, times: float, df: int) -> None:
    variance = share * (1 - share) / n
    low, high = korn_graubard_interval(share, variance, n)
    assert 0 <= low <= share <= high <= 1
    for wider in (
        korn_graubard_interval(share, times * variance, n),
        korn_graubard_interval(share, variance, n, df),
        korn_graubard_interval(share, variance, n / times),
    ):
        assert wider[0] <= low + 1e-12 and high <= wider[1] + 1e-12


def test_images_are_worth_no_more_than_they_are() -> None:
    assert korn_graubard_interval(0.5, 1e-9, 20) == korn_graubard_interval(0.5, 0.25 / 20, 20)
    low, high = korn_graubard_interval(0.5, 1e-9, math.inf)
    assert high - low < 1e-3
