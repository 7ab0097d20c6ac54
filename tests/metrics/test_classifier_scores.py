"""Claims about the paper's precision, recall and F1."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from gansynth.metrics.classifier_scores import classifier_scores

LABELS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(LABELS)
def test_every_class_weighs_the_same_as_in_scikit_learn_with_balanced_weights(drawn: list[tuple[int, int]]) -> None:
    assigned, asked = np.array(drawn).T
    found = classifier_scores(assigned, asked, [0, 1, 2], [0, 1, 2], 3)
    weights = 1 / np.bincount(asked, minlength=3)[asked]
    oracle = precision_recall_fscore_support(asked, assigned, labels=[0, 1, 2], sample_weight=weights, zero_division=0)
    for c in np.unique(asked):
        for name, values in zip(("precision", "recall", "F1"), oracle, strict=False):
            assert found.per_class[c][name].value == pytest.approx(values[c])


def test_a_generator_gains_no_precision_by_making_few_images_of_what_it_makes_badly() -> None:
    good, bad = [0] * 90 + [1] * 10, [0] * 90 + [0] * 10
    few = classifier_scores(bad, good, [0, 1], [0, 1], 2)
    many = classifier_scores([0] * 90 + [0] * 90, [0] * 90 + [1] * 90, [0, 1], [0, 1], 2)
    assert few.overall["precision"].value == many.overall["precision"].value == 0.25


def test_the_floor_is_the_score_of_held_out_real_images() -> None:
    found = classifier_scores([0, 1], [0, 1], [0, 0, 1, 0], [0, 0, 1, 1], 2)
    assert found.overall["recall"].value == 1
    assert found.overall["recall"].floor == 0.75
    assert found.per_class[1]["recall"].floor == 0.5


def test_a_class_outside_the_comparison_is_a_wrong_answer() -> None:
    found = classifier_scores([2, 0], [0, 0], [0], [0], 2)
    assert found.per_class[0]["recall"].value == 0.5
    assert found.confusion[0].tolist() == [1, 0, 1]


def test_the_interval_holds_the_value_and_narrows_with_n() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for n in (40, 4000):
        asked = np.repeat([0, 1], n // 2)
        assigned = np.where(rng.random(n) < 0.8, asked, 1 - asked)
        one = classifier_scores(assigned, asked, asked, asked, 2).overall["F1"]
        assert one.value is not None and one.interval is not None
        assert one.interval[0] <= one.value <= one.interval[1]
        widths.append(one.interval[1] - one.interval[0])
    assert widths[1] < widths[0] / 5


def test_a_class_without_images_says_so() -> None:
    found = classifier_scores([0], [0], [0, 1], [0, 1], 2)
    assert found.per_class[1]["F1"].value is None and found.per_class[1]["F1"].note
