"""Claims about how numbers are written and what an estimate lets a page claim."""

from __future__ import annotations

import math

import pytest

from gansynth.metrics.estimate import Estimate
from gansynth.report.judgement import floor_interval, is_worse_than_real, shortfall
from gansynth.report.numbers import column_decimals, duration, interval, listed, mean_and_spread, number


@pytest.mark.parametrize(
    ("metric", "value", "written"),
    [
        ("recall", 0.8432, "84.3%"),
        ("improved-precision-cell", 0.5, "50.0%"),
        ("l1", 0.087, "8.7%"),
        ("KD-cell", 0.0, "0.000"),
        ("KD-cell", -0.00123, "−0.00123"),
        ("FID", 64.357, "64.4"),
        ("FID", 1234.5, "1,234"),
        ("copies", 3.0, "3"),
        ("copies", 0.5, "0.5"),
        ("PSNR", 17.0, "17.00"),
        ("PSNR", -0.0001, "0.00"),
        ("PSNR", None, "–"),
        ("PSNR", math.nan, "–"),
    ],
)
def test_a_value_is_written_as_its_metric_is_read(metric: str, value: float | None, written: str) -> None:
    assert number(metric, value) == written


def test_an_interval_has_the_decimals_of_its_value() -> None:
    assert interval("recall", Estimate(0.8, 100, (0.712, 0.866))) == "71.2 to 86.6%"
    assert interval("KD-cell", Estimate(0.02, 100, (-0.001, 0.15))) == "−0.001 to 0.150"
    assert interval("recall", Estimate(0.8, 100)) == ""


def test_one_seed_has_no_spread() -> None:
    assert mean_and_spread("recall", 0.8, None) == "80.0%"
    assert mean_and_spread("recall", 0.8, 0.02) == "80.0 ± 2.0%"
    assert mean_and_spread("copies", 0.0, 0.0) == "0"


def test_a_column_has_the_same_decimals_from_top_to_bottom() -> None:
    assert column_decimals([0.218, 2.31]) == 3
    assert column_decimals([20.8, 163.0]) == 1
    assert column_decimals([]) == 2


def test_names_and_times_are_written_as_in_a_sentence() -> None:
    assert listed(["a"]) == "a" and listed(["a", "b", "c"]) == "a, b and c"
    assert listed(list("abcdefg")) == "a, b, c, d and 3 more"
    assert [duration(s) for s in (3.21, 42, 600, 9000)] == ["3.2 s", "42 s", "10 min", "2.5 h"]


def test_worse_than_real_is_claimed_only_where_the_interval_excludes_real() -> None:
    assert is_worse_than_real("KD-cell", Estimate(0.5, 100, (0.4, 0.6), floor=0.01))
    assert not is_worse_than_real("KD-cell", Estimate(0.5, 100, (-0.1, 1.1), floor=0.01))
    assert not is_worse_than_real("KD-cell", Estimate(0.5, 100, None, floor=0.01))
    assert not is_worse_than_real("KD-cell", Estimate(0.5, 100, (0.4, 0.6)))


def test_what_is_better_than_real_is_not_worse_unless_both_ways_are_wrong() -> None:
    assert not is_worse_than_real("FID", Estimate(20.0, 100, (18.0, 22.0), floor=25.0))
    assert shortfall("FID", Estimate(20.0, 100, floor=25.0)) == 0
    assert is_worse_than_real("recall", Estimate(1.0, 400, (0.99, 1.0), floor=0.9, floor_n=400))


def test_a_share_of_few_real_cells_claims_little() -> None:
    few = Estimate(0.7, 400, (0.65, 0.75), floor=0.9, floor_n=10)
    many = Estimate(0.7, 400, (0.65, 0.75), floor=0.9, floor_n=900)
    assert not is_worse_than_real("recall", few) and is_worse_than_real("recall", many)
    low, high = floor_interval("recall", few)
    assert low < 0.65 and high > 0.95
