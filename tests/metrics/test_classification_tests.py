"""Claims about the tests of two classifiers: SciPy says the same where it has them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gansynth.metrics.classification_tests import corrected_t_test, holm, mcnemar_test
from gansynth.metrics.intervals import t_quantile


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 5))
def test_mcnemar_is_the_exact_binomial_test_of_the_discordant_images(first: int, second: int, both: int) -> None:
    a = np.repeat([True, False, True], [first, second, both])
    b = np.repeat([False, True, True], [first, second, both])
    expected = stats.binomtest(first, first + second).pvalue if first + second else 1.0
    assert mcnemar_test(a, b) == pytest.approx(expected)


def test_without_shared_training_images_the_corrected_test_is_the_paired_t_test() -> None:
    d = np.random.default_rng(0).normal(0.3, 1, 7)
    found, expected = corrected_t_test(d, 0.0), stats.ttest_1samp(d, 0)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.interval == pytest.approx(tuple(expected.confidence_interval()))


def test_the_correction_widens_the_interval_as_published() -> None:
    d = np.random.default_rng(1).normal(size=5)
    plain, corrected = corrected_t_test(d, 0.0), corrected_t_test(d, 0.25)
    widths = [f.interval[1] - f.interval[0] for f in (plain, corrected)]
    assert widths[1] / widths[0] == pytest.approx(math.sqrt((1 / 5 + 1 / 4) / (1 / 5)))


def test_one_split_tests_nothing_and_equal_folds_leave_no_doubt() -> None:
    assert math.isnan(corrected_t_test([0.1], 0.25).p) and math.isnan(corrected_t_test([], 0.25).value)
    assert corrected_t_test([0.0, 0.0], 0.5).p == 1 and corrected_t_test([0.1, 0.1], 0.5).p == 0


def test_quantiles_are_those_of_student() -> None:
    assert t_quantile(4) == pytest.approx(stats.t.ppf(0.975, 4)) and t_quantile(math.inf) == pytest.approx(1.959964)


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError):
        mcnemar_test([True], [True, False])
    with pytest.raises(ValueError):
        corrected_t_test([[0.1]], 0.25)


def test_holm_accuses_only_what_stands_after_the_correction() -> None:
    corrected = holm([0.001, np.nan, 0.02, 0.04])
    assert corrected[[0, 2, 3]] == pytest.approx([0.003, 0.04, 0.04]) and np.isnan(corrected[1])
    assert holm([0.9, 0.8]).tolist() == [1, 1] and len(holm([])) == 0
