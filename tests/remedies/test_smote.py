"""SMOTE makes points between neighbours of one class, as imbalanced-learn does, and of few points too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.over_sampling import SMOTE

from gansynth.remedies.feature_oversampling import FeatureOverSampling

KINDS = ("smote", "borderline-smote")


def some(counts: list[int], seed: int = 0, apart: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    points = rng.normal(size=(len(labels), 4)) + apart * labels[:, None]
    return points.astype(np.float32), labels


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    counts=st.lists(st.integers(1, 15), min_size=2, max_size=4),
    dose=st.floats(0, 2),
    seed=st.integers(0, 99),
)
def test_classes_meet_their_targets_and_real_points_stay_first(
    kind: str, counts: list[int], dose: float, seed: int
) -> None:
    points, labels = some(counts, seed)
    found, names = FeatureOverSampling(kind, dose)(points, labels, seed)  # type: ignore[arg-type]
    assert np.array_equal(found[: len(points)], points) and np.array_equal(names[: len(points)], labels)
    most = max(counts)
    assert np.bincount(names).tolist() == [round(n + dose * (most - n)) for n in counts]
    for c in range(len(counts)):  # between points of the class: inside its box
        mine, new = points[labels == c], found[len(points) :][names[len(points) :] == c]
        assert (new >= mine.min(axis=0) - 1e-5).all() and (new <= mine.max(axis=0) + 1e-5).all()
    again, _ = FeatureOverSampling(kind, dose)(points, labels, seed)  # type: ignore[arg-type]
    assert np.array_equal(found, again)


def test_new_points_lie_on_lines_between_one_of_k_nearest_neighbours() -> None:
    points, labels = some([8, 40])
    found, _ = FeatureOverSampling("smote", neighbours=3)(points, labels, seed=1)
    mine = points[:8]
    distance = np.linalg.norm(mine[:, None] - mine[None], axis=2)
    near = np.argsort(distance, axis=1)[:, 1:4]
    for new in found[48:]:
        on_a_line = False
        for i in range(8):
            for j in near[i]:
                along = mine[j] - mine[i]
                t = float((new - mine[i]) @ along / (along @ along))
                on_a_line |= 0 <= t <= 1 and np.allclose(mine[i] + t * along, new, atol=1e-4)
        assert on_a_line


def test_with_enough_points_it_is_the_librarys() -> None:
    points, labels = some([8, 40])
    state = int(np.random.SeedSequence((7, 0)).generate_state(1)[0])
    theirs, _ = SMOTE(k_neighbors=5, random_state=state).fit_resample(points, labels)
    assert np.allclose(FeatureOverSampling("smote")(points, labels, seed=7)[0], theirs)


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_of_one_is_repeated_and_a_class_of_few_takes_the_neighbours_it_has(kind: str) -> None:
    points, labels = some([1, 3, 12])
    found, names = FeatureOverSampling(kind)(points, labels, seed=0)  # type: ignore[arg-type]
    assert np.bincount(names).tolist() == [12, 12, 12]
    assert (found[names == 0] == points[0]).all()
    assert len(np.unique(found[names == 1], axis=0)) > 3


def test_the_borderline_form_starts_at_the_border_and_falls_back_where_there_is_none() -> None:
    rng = np.random.default_rng(0)
    far, near = rng.normal(0, 0.1, (10, 2)), rng.normal(5, 0.5, (6, 2))
    others = rng.normal(5.5, 0.5, (60, 2))
    points, labels = np.concatenate([far, near, others]).astype(np.float32), np.repeat([0, 1], [16, 60])
    plain, border = (FeatureOverSampling(kind, neighbours=3)(points, labels, 0)[0][76:] for kind in KINDS)  # type: ignore[arg-type]
    assert (np.linalg.norm(plain, axis=1) < 1).mean() > 0.3 and (np.linalg.norm(border, axis=1) < 1).mean() < 0.1
    apart, names = some([5, 30], apart=100)
    assert np.bincount(FeatureOverSampling("borderline-smote")(apart, names, 0)[1]).tolist() == [30, 30]
