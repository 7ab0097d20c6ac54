"""The Fréchet distance is torch-fidelity's, and its interval means what it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gansynth.errors import InputError
from gansynth.metrics.frechet import FEWEST, frechet_distance, frechet_estimate, published_frechet_distance


def rectified(n: int, d: int, seed: int, shift: float = 0.0, scale: float = 1.0) -> NDArray[np.float32]:
    """Features as a network's: not negative, of decaying spread."""
    spread = np.arange(1, d + 1) ** -0.5
    noise = np.random.default_rng(seed).standard_normal((n, d)) * spread
    return np.maximum(noise * scale + (0.3 + shift) * spread, 0).astype(np.float32)


def of_torch_fidelity(x: NDArray[np.float32], y: NDArray[np.float32]) -> float:
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    of_x, of_y = (fid_features_to_statistics(torch.from_numpy(v)) for v in (x, y))
    return float(fid_statistics_to_metric(of_x, of_y, False)["frechet_inception_distance"])


@pytest.mark.parametrize("n", [40, 127, 128, 129, 600])
def test_distance_is_torch_fidelitys_with_fewer_and_with_more_images_than_features(n: int) -> None:
    x, y = rectified(n, 128, 0), rectified(n, 128, 1, 0.2, 1.2)
    assert frechet_distance(x, y) == pytest.approx(of_torch_fidelity(x, y), rel=1e-6)


def test_estimate_can_be_torch_fidelitys_own_number() -> None:
    x, y = rectified(30, 64, 0), rectified(30, 64, 1, 0.2)
    assert published_frechet_distance(x, y) == of_torch_fidelity(x, y)
    assert frechet_estimate(x, y, as_published=True).value == of_torch_fidelity(x, y)


def test_distance_of_a_collapsed_set_with_dead_features_is_torch_fidelitys() -> None:
    x, y = rectified(60, 40, 0), np.repeat(rectified(3, 40, 1), 20, axis=0)
    x[:, 7] = y[:, 7] = 0
    assert frechet_distance(x, y) == pytest.approx(of_torch_fidelity(x, y), rel=1e-6)
    assert frechet_distance(x.T.copy(), y.T.copy()) >= 0


def test_distance_to_itself_is_zero() -> None:
    x = rectified(50, 20, 0)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-6)


def test_sets_of_unequal_size_are_refused_with_the_reason() -> None:
    with pytest.raises(InputError, match=r"FID between sets of unequal size \(30 and 31 images\).*bias depends on n"):
        frechet_distance(rectified(30, 8, 0), rectified(31, 8, 1))
    with pytest.raises(InputError, match="FD-cell"):
        frechet_estimate(rectified(30, 8, 0), rectified(31, 8, 1), name="FD-cell")


def test_too_few_images_have_no_value_and_say_why() -> None:
    found = frechet_estimate(rectified(FEWEST - 1, 8, 0), rectified(FEWEST - 1, 8, 1))
    assert found.value is None
    assert found.note == f"FID needs at least {FEWEST} images; there are {FEWEST - 1}"


def test_estimate_shows_the_floor_of_real_images_and_its_n() -> None:
    real = rectified(80, 16, 0)
    found = frechet_estimate(rectified(50, 16, 1, 0.5), real[:50], floor=(real[:40], real[40:]))
    assert found.value == pytest.approx(frechet_distance(rectified(50, 16, 1, 0.5), real[:50]), rel=1e-9)
    assert (found.floor, found.floor_n) == (frechet_distance(real[:40], real[40:]), 40)


@pytest.mark.parametrize("d", [12, 200], ids=["more images than features", "fewer"])
def test_interval_is_the_infinitesimal_jackknife(d: int) -> None:
    """What weight on one image does to the distance, by the formula and by adding a little of its weight."""
    n, weight = 60, 1e-5
    x, y = rectified(n, d, 0).astype(float), rectified(n, d, 1, 0.2).astype(float)

    def distance(of_x: NDArray[np.float64], of_y: NDArray[np.float64]) -> float:
        means = [w @ v for w, v in ((of_x, x), (of_y, y))]
        halves = [
            np.sqrt(w * n / (n - 1))[:, None] * (v - m) for w, v, m in zip((of_x, of_y), (x, y), means, strict=True)
        ]
        root = np.linalg.svd(halves[0] @ halves[1].T, compute_uv=False).sum()
        return float(((means[0] - means[1]) ** 2).sum() + sum((h**2).sum() for h in halves) - 2 * root)

    even = np.full(n, 1 / n)
    whole, variance = distance(even, even), 0.0
    for image in range(n):
        more = (1 - weight) * even + weight * (np.arange(n) == image)
        variance += ((distance(more, even) - whole) / weight) ** 2 + ((distance(even, more) - whole) / weight) ** 2
    found = frechet_estimate(x, y)
    assert found.value is not None and found.interval is not None
    half = (found.interval[1] - found.value) / 1.96
    assert half == pytest.approx(np.sqrt(variance / (n * (n - 1))), rel=1e-3)


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.2, 1.2)], ids=["equal distributions", "different"])
def test_interval_holds_the_mean_distance_at_this_n(shift: float, scale: float) -> None:
    found = [frechet_estimate(rectified(40, 64, s, shift, scale), rectified(40, 64, 999 + s)) for s in range(80)]
    mean = np.mean([one.value for one in found if one.value is not None])
    held = np.mean([one.interval[0] <= mean <= one.interval[1] for one in found if one.interval is not None])
    assert held >= 0.9


@pytest.mark.parametrize("n", [0, 1])
def test_one_image_has_no_distance_and_says_what_it_needs(n: int) -> None:
    found = frechet_estimate(np.zeros((n, 4)), np.ones((n, 4)))
    assert found.value is None and found.n == n and found.note
