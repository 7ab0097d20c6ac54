from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gansynth.metrics.matching import draw_subsamples, feature_distances, match

SIZES = st.integers(1, 6)


@settings(max_examples=40, deadline=None)
@given(n=SIZES, m=SIZES, seed=st.integers(0, 999))
def test_one_to_one_has_the_smallest_sum_of_all_assignments(n: int, m: int, seed: int) -> None:
    distances = np.random.default_rng(seed).uniform(size=(n, m))
    pairs, k = match(distances), min(n, m)
    tall = distances if n >= m else distances.T
    best = min(tall[list(rows), range(k)].sum() for rows in permutations(range(max(n, m)), k))
    assert distances[tuple(pairs.T)].sum() == pytest.approx(best)
    assert len(pairs) == k == len(set(pairs[:, 0])) == len(set(pairs[:, 1]))


@settings(max_examples=20, deadline=None)
@given(n=SIZES, m=SIZES, seed=st.integers(0, 999))
def test_order_of_the_images_changes_no_pair(n: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    distances, rows, columns = rng.uniform(size=(n, m)), rng.permutation(n), rng.permutation(m)
    for how in ("one-to-one", "nearest"):
        shuffled = match(distances[np.ix_(rows, columns)], how)
        restored = {(int(rows[i]), int(columns[j])) for i, j in shuffled}
        assert restored == set(map(tuple, match(distances, how).tolist()))


def test_nearest_may_use_one_image_for_all_and_random_may_not() -> None:
    distances = np.array([[0.0, 1.0, 2.0]] * 3)
    assert match(distances, "nearest")[:, 1].tolist() == [0, 0, 0]
    assert sorted(match(distances, "random", seed=1)[:, 1].tolist()) == [0, 1, 2]
    drawn = {tuple(match(distances, "random", seed=seed)[:, 1].tolist()) for seed in range(40)}
    assert len(drawn) == 6, "every pairing occurs"


def test_nothing_to_match_gives_no_pair() -> None:
    for how in ("one-to-one", "random", "nearest"):
        assert match(np.zeros((3, 0)), how).shape == match(np.zeros((0, 3)), how).shape == (0, 2)
    assert feature_distances(np.zeros((0, 4)), np.zeros((2, 4))).shape == (0, 2)


def test_bad_distances_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        match([[np.nan]])
    with pytest.raises(ValueError, match="one-to-one"):
        match([[0.0]], "closest")  # type: ignore[arg-type]


def test_an_image_is_at_no_distance_from_itself() -> None:
    images = np.random.default_rng(0).integers(0, 256, (30, 3, 8, 8), dtype=np.uint8)
    distances = feature_distances(images, images)
    assert (np.diagonal(distances) == 0).all() and distances == pytest.approx(distances.T)


def test_subsamples_have_equal_sides_and_a_cap() -> None:
    drawn = list(draw_subsamples(500, 40, most=30, count=3, seed=1))
    assert [(len(a), len(b)) for a, b in drawn] == [(30, 30)] * 3
    assert all(len(set(part.tolist())) == 30 for pair in drawn for part in pair)
    assert not np.array_equal(drawn[0][0], drawn[1][0])
    assert len(list(draw_subsamples(20, 20, most=30, count=3, seed=1))) == 1, "there is nothing to choose"


def test_which_real_images_are_drawn_depends_on_the_real_ones_only() -> None:
    one, other = (next(draw_subsamples(n, 100, most=30, count=1, seed=1))[1] for n in (50, 5000))
    assert np.array_equal(one, other)
