"""Claims about the linear classifier in frozen features."""

from __future__ import annotations

import numpy as np
import pytest

from gansynth.metrics.linear_head import Standardisation, fit_linear_head


def blobs(counts: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng, labels = np.random.default_rng(seed), np.repeat(np.arange(len(counts)), counts)
    return rng.normal(0, 1, (len(labels), 8)) + 1.2 * np.eye(8)[labels], labels


def test_a_rare_class_is_recognised_as_often_as_a_frequent_one() -> None:
    head = fit_linear_head(*blobs((400, 400, 20)), 3)
    features, labels = blobs((500, 500, 500), seed=1)
    recall = [(head(features)[labels == c] == c).mean() for c in range(3)]
    assert min(recall) > 0.5 and max(recall) - min(recall) < 0.2


def test_the_scale_of_a_feature_decides_nothing() -> None:
    features, labels = blobs((50, 50, 50))
    scale = np.array([1e-3, 1, 1e3, 1, 1, 1, 1, 1])
    one, other = fit_linear_head(features, labels, 3), fit_linear_head(features * scale, labels, 3)
    assert (one(features) == other(features * scale)).mean() > 0.98


def test_a_class_without_images_is_never_answered() -> None:
    features, labels = blobs((30, 30))
    head = fit_linear_head(features, 2 * labels, 4)
    assert set(head(features).tolist()) == {0, 2}


def test_one_class_teaches_nothing() -> None:
    with pytest.raises(ValueError, match="two classes or more"):
        fit_linear_head(np.zeros((4, 2)), np.ones(4), 3)


def test_a_feature_that_never_varies_is_left_where_it_is() -> None:
    standardise = Standardisation.of([[1.0, 5.0], [3.0, 5.0]])
    np.testing.assert_allclose(standardise([[1.0, 5.0], [3.0, 5.5]]), [[-1, 0], [1, 0.5]])
