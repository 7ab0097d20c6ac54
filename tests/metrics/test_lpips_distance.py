from __future__ import annotations

import lpips
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansynth.metrics.diversity import mean_off_diagonal, mean_pairwise_distance
from gansynth.metrics.lpips_distance import lpips_diversity, lpips_matrix, lpips_pairs


@pytest.fixture(scope="module")
def oracle() -> lpips.LPIPS:
    """The published linear weights on a trunk of random weights: the published trunk cannot be had everywhere."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)


def _images(n: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (n, 3, 64, 64), dtype=np.uint8)


def _unit(images: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(images).float() / 255


@torch.no_grad()
def _features(oracle: lpips.LPIPS, images: NDArray[np.uint8]) -> list[Tensor]:
    layers = oracle.net(oracle.scaling_layer(2 * _unit(images) - 1))
    roots = [lin.model[-1].weight.sqrt() for lin in oracle.lins]
    return [lpips.normalize_tensor(layer) * root for layer, root in zip(layers, roots, strict=True)]


@torch.no_grad()
def test_pairs_have_the_distance_of_the_package_lpips(oracle: lpips.LPIPS) -> None:
    images = _images(8)
    features = _features(oracle, images)
    first, second = [x[:4] for x in features], [x[4:] for x in features]
    expected = oracle(_unit(images[:4]), _unit(images[4:]), normalize=True).flatten()
    assert lpips_pairs(first, second) == pytest.approx(expected.numpy(), rel=1e-5)
    one = lpips_pairs([x[:1] for x in features], second)
    assert one == pytest.approx(oracle(_unit(images[:1]), _unit(images[4:]), normalize=True).flatten(), rel=1e-5)


def test_matrix_holds_the_pairs(oracle: lpips.LPIPS) -> None:
    features = _features(oracle, _images(6))
    matrix = lpips_matrix(features)
    for shift in range(1, 6):
        rolled = lpips_pairs(features, [x.roll(-shift, 0) for x in features])
        assert matrix[np.arange(6), (np.arange(6) + shift) % 6] == pytest.approx(rolled, abs=1e-6)
    assert (np.diagonal(matrix) == 0).all()


def test_diversity_is_the_mean_over_pairs_and_nearly_nothing_after_collapse(oracle: lpips.LPIPS) -> None:
    images = _images(7)
    varied = lpips_diversity(_features(oracle, images))
    matrix = lpips_matrix(_features(oracle, images))
    assert varied.value == pytest.approx(matrix[np.triu_indices(7, 1)].mean())
    assert varied.interval[0] < varied.value < varied.interval[1] * 1.0001
    collapsed = lpips_diversity(_features(oracle, images[[0] * 7]))
    assert collapsed.value == pytest.approx(0, abs=1e-6)
    assert np.isnan(lpips_diversity(_features(oracle, images[:1])).value)


def test_known_distances_give_the_diversity_of_the_points() -> None:
    points = np.random.default_rng(1).normal(size=(12, 3))
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    one, other = mean_off_diagonal(distances), mean_pairwise_distance(points)
    assert one.value == pytest.approx(other.value) and one.interval == pytest.approx(other.interval)


def test_features_of_other_layers_are_refused() -> None:
    with pytest.raises(ValueError, match="different layers"):
        lpips_pairs([torch.zeros(1, 2, 3, 3)], [torch.zeros(1, 2, 4, 4)])
