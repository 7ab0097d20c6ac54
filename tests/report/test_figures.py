"""Claims about the pictures a report is made of."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from gansynth.report.drawing import REAL
from gansynth.report.figures import counts_chart, curves_chart, spread_labels


def test_the_chart_of_counts_is_one_svg_and_the_same_every_time() -> None:
    first = counts_chart({"a": 100, "b": 3}, {"b": 97}, real_name="phantom")
    assert first.startswith("<svg") and first.rstrip().endswith("</svg>")
    assert first == counts_chart({"a": 100, "b": 3}, {"b": 97}, real_name="phantom")


def test_curves_survive_a_single_point_and_names_with_markup() -> None:
    name = "--><script>alert(1)</script>"
    drawn = curves_chart({name: ([0.0], [0.5]), "flat": ([0.0], [0.5])}, xlabel="minutes", ylabel="share", percent=True)
    assert "<script" not in drawn


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_names_at_the_ends_of_curves_never_overlap_nor_leave_the_top(heights: list[float]) -> None:
    placed = spread_labels(sorted(heights), 0.0, 1.0)
    assert max(placed) <= 1.0
    assert all(b - a >= 0.085 - 1e-9 for a, b in itertools.pairwise(placed))


def test_a_curve_of_one_point_is_seen() -> None:
    def drawn(x: list[float], y: list[float]) -> str:
        return curves_chart({"basophil": (x, y)}, xlabel="minutes", ylabel="share", percent=True)

    mark = f'style="fill: {REAL}; stroke: {REAL}"'
    assert mark in drawn([2.0], [0.84]) and mark not in drawn([1.0, 2.0], [0.5, 0.84])
