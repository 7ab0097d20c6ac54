"""The kernel distance is torch-fidelity's KID, and its interval means what it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gansynth.metrics import kernel_distance as module
from gansynth.metrics.kernel_distance import FEWEST, kernel_distance, kernel_estimate


def rectified(n: int, d: int, seed: int, shift: float = 0.0, scale: float = 1.0) -> NDArray[np.float32]:
    """Features as a network's: not negative, of decaying spread."""
    spread = np.arange(1, d + 1) ** -0.5
    noise = np.random.default_rng(seed).standard_normal((n, d)) * spread
    return np.maximum(noise * scale + (0.3 + shift) * spread, 0).astype(np.float32)


@pytest.mark.parametrize(("n", "m", "size"), [(40, 40, 40), (60, 60, 25), (50, 80, 50), (30, 20, 7)])
def test_distance_is_torch_fidelitys_on_the_same_subsets(n: int, m: int, size: int) -> None:
    from torch_fidelity.metric_kid import kid_features_to_metric

    x, y = rectified(n, 64, 0), rectified(m, 64, 1, 0.2, 1.2)
    theirs = kid_features_to_metric(
        torch.from_numpy(x), torch.from_numpy(y), kid_subset_size=size, rng_seed=7, verbose=False
    )["kernel_inception_distance_mean"]
    assert kernel_distance(x, y, subset_size=size, seed=7) == pytest.approx(theirs, abs=1e-6)


def test_estimate_can_be_torch_fidelitys_own_number() -> None:
    from torch_fidelity.metric_kid import kid_features_to_metric

    x, y = rectified(30, 64, 0), rectified(30, 64, 1, 0.2)
    theirs = kid_features_to_metric(torch.from_numpy(x), torch.from_numpy(y), kid_subset_size=30, verbose=False)
    assert kernel_estimate(x, y, as_published=True).value == theirs["kernel_inception_distance_mean"]


def test_large_sets_are_measured_subset_by_subset(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = rectified(90, 16, 0), rectified(90, 16, 1, 0.3)
    whole = kernel_estimate(x, y, subset_size=40, subsets=60)
    monkeypatch.setattr(module, "_WHOLE", 80)
    part = kernel_estimate(x, y, subset_size=40, subsets=60)
    assert part.value == pytest.approx(whole.value, abs=1e-6)
    assert part.interval is not None and whole.interval is not None
    # The variance comes from the subsets there: the same order, not the same number.
    assert np.diff(part.interval) == pytest.approx(np.diff(whole.interval), rel=0.5)


def test_full_sample_estimate_is_unbiased_at_any_n() -> None:
    values = [kernel_distance(rectified(12, 16, s), rectified(12, 16, 5000 + s)) for s in range(200)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))


def test_interval_is_the_jackknife() -> None:
    n, m = 14, 11
    x, y = rectified(n, 6, 0), rectified(m, 6, 1, 0.4)

    def unbiased(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
        def kernel(u: NDArray[np.float32], v: NDArray[np.float32]) -> NDArray[np.float64]:
            return (u.astype(float) @ v.T / u.shape[1] + 1) ** 3

        own = [(kernel(v, v).sum() - np.trace(kernel(v, v))) / (len(v) * (len(v) - 1)) for v in (a, b)]
        return float(sum(own) - 2 * kernel(a, b).mean())

    without_x = [unbiased(np.delete(x, i, 0), y) for i in range(n)]
    without_y = [unbiased(x, np.delete(y, i, 0)) for i in range(m)]
    variance = (n - 1) * np.var(without_x) + (m - 1) * np.var(without_y)
    found = module._distance(x, y, 1, n, 0)
    # With unequal sets a subset of the larger one is the value, but the variance is of all.
    assert found[1] == pytest.approx(variance, rel=1e-4)


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_interval_holds_the_distance_of_the_distributions(shift: float) -> None:
    found = [kernel_estimate(rectified(40, 32, s, shift), rectified(40, 32, 999 + s)) for s in range(120)]
    # Of the estimates, which are unbiased.
    truth = np.mean([one.value for one in found if one.value is not None])
    held = np.mean([one.interval[0] <= truth <= one.interval[1] for one in found if one.interval is not None])
    assert held >= 0.88


def test_too_few_images_have_no_value_and_say_why() -> None:
    found = kernel_estimate(rectified(30, 8, 0), rectified(FEWEST - 1, 8, 1), name="KD-cell")
    assert found.value is None
    assert found.note == f"KD-cell needs at least {FEWEST} images; there are {FEWEST - 1}"


def test_estimate_shows_the_floor_of_real_images_and_its_n() -> None:
    real = rectified(60, 16, 0)
    found = kernel_estimate(rectified(40, 16, 1, 0.5), real, floor=(real[:30], real[30:]))
    assert (found.floor, found.floor_n, found.n) == (kernel_distance(real[:30], real[30:]), 30, 40)
    assert found.value is not None and found.floor is not None and found.value > found.floor
