from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from gansynth.metrics import diversity
from gansynth.metrics.diversity import class_diversity, mean_pairwise_distance


@settings(max_examples=25, deadline=None)
@given(n=st.integers(2, 40), d=st.integers(1, 9), seed=st.integers(0, 99))
def test_value_is_the_mean_over_all_pairs(n: int, d: int, seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(n, d))
    assert mean_pairwise_distance(points, resamples=5).value == pytest.approx(pdist(points).mean(), rel=1e-5)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 256, (37, 3, 4, 4), dtype=np.uint8)
    whole = mean_pairwise_distance(images)
    monkeypatch.setattr(diversity, "_BLOCK_ELEMENTS", 5 * 48)
    assert mean_pairwise_distance(images).value == pytest.approx(whole.value, rel=1e-12)
    assert mean_pairwise_distance(images).interval == pytest.approx(whole.interval, rel=1e-12)


def test_value_does_not_depend_on_the_number_of_images() -> None:
    rng = np.random.default_rng(1)
    few = np.mean([mean_pairwise_distance(rng.normal(size=(5, 8)), resamples=1).value for _ in range(2000)])
    assert few == pytest.approx(mean_pairwise_distance(rng.normal(size=(1500, 8)), resamples=1).value, rel=0.02)


def test_a_collapsed_class_is_far_below_a_varied_one() -> None:
    rng = np.random.default_rng(2)
    varied, collapsed = rng.normal(size=(60, 16)), rng.normal(size=16) + 0.05 * rng.normal(size=(60, 16))
    one, other = class_diversity(np.concatenate([varied, collapsed]), np.repeat([0, 1], 60), 3)[:2]
    assert other.interval[1] < 0.1 * one.interval[0]
    assert class_diversity(varied, np.zeros(60, int), 2)[1].n == 0
    assert mean_pairwise_distance(np.ones((9, 4))).value == 0


def test_interval_covers_the_truth_most_of_the_time() -> None:
    rng = np.random.default_rng(3)
    truth = pdist(rng.normal(size=(3000, 4))).mean()
    results = [mean_pairwise_distance(rng.normal(size=(50, 4)), resamples=200, seed=i) for i in range(200)]
    assert 0.90 <= np.mean([r.interval[0] <= truth <= r.interval[1] for r in results]) <= 0.98


def test_too_few_images_give_nan_instead_of_a_number() -> None:
    assert np.isnan(mean_pairwise_distance(np.zeros((1, 3))).value)
    pair = mean_pairwise_distance([[0.0, 0.0], [3.0, 4.0]])
    assert pair.value == 5 and np.isnan(pair.interval[0])
