from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor

from gansynth.errors import InputError
from gansynth.metrics.estimate import Estimate
from gansynth.metrics.matched_similarity import matched_similarity
from gansynth.metrics.matching import Pairing

Images = NDArray[np.uint8]


@pytest.fixture(scope="module")
def digits() -> tuple[Images, Images, Images]:
    """Images of one digit: "generated" by nature, held out, and for training."""
    data = load_digits()
    grey = (data.images[data.target == 3] * 15.9).astype(np.uint8).repeat(2, 1).repeat(2, 2)
    images = np.random.default_rng(0).permutation(np.repeat(grey[:, None], 3, 1))
    return images[:50], images[50:100], images[100:]


def _measure(
    synthetic: Images, digits: tuple[Images, Images, Images], pairing: Pairing = "one-to-one", **options: object
) -> dict[str, Estimate]:
    _, real, other = digits
    parts = (synthetic, real, other)
    features = [part.reshape(len(part), 3 * 16 * 16) for part in parts]
    return matched_similarity(*parts, *features, pairing=pairing, **options)  # type: ignore[arg-type]


def _trunk(images: Images) -> list[Tensor]:
    """A stand-in for LPIPS' trunk with two layers, known by heart."""
    x = torch.from_numpy(np.array(images)).float() / 255
    return [x, torch.nn.functional.avg_pool2d(x, 4)]


@pytest.mark.parametrize(("metric", "sign"), [("PSNR", 1), ("SSIM", 1), ("l1", -1), ("l2", -1)])
def test_real_beats_the_class_mean_beats_collapse(
    digits: tuple[Images, Images, Images], metric: str, sign: int
) -> None:
    fresh = _measure(digits[0], digits)[metric]
    collapsed = _measure(digits[0][[7] * 50], digits)[metric]
    assert sign * fresh.value > sign * fresh.class_mean > sign * collapsed.value  # type: ignore[operator]
    assert fresh.floor == collapsed.floor and fresh.n == fresh.floor_n == 50
    low, high = fresh.interval  # type: ignore[misc]
    assert low < fresh.value < high and low - 2 * (high - low) < fresh.floor < high + 2 * (high - low)


def test_other_pairings_reward_what_is_no_merit(digits: tuple[Images, Images, Images]) -> None:
    random = _measure(digits[0], digits, "random")["PSNR"]
    assert random.class_mean > random.value  # type: ignore[operator]
    collapsed = digits[1][[7] * 50].copy()
    collapsed[:, :, 0, 0] ^= 1
    near, one = (_measure(collapsed, digits, how)["PSNR"].value for how in ("nearest", "one-to-one"))
    assert near > 40 > one  # type: ignore[operator]


def test_identical_pairs_are_counted_and_left_out_of_psnr(digits: tuple[Images, Images, Images]) -> None:
    half = np.concatenate([digits[1][:20], digits[0][:30]])
    found = _measure(half, digits)
    assert found["PSNR"].note == "20 of 50 pairs are identical and left out of the mean"
    assert np.isfinite(found["PSNR"].value) and found["l1"].note == ""
    whole = _measure(digits[1], digits)
    assert whole["PSNR"].value is None and whole["SSIM"].value == pytest.approx(1) and whole["l2"].value == 0


def test_order_of_the_images_changes_nothing(digits: tuple[Images, Images, Images]) -> None:
    order = np.random.default_rng(1).permutation(50)
    one, other = _measure(digits[0], digits), _measure(digits[0][order], digits)
    assert one["SSIM"].value == pytest.approx(other["SSIM"].value, abs=1e-7)
    assert one["PSNR"].value == pytest.approx(other["PSNR"].value)


def test_subsamples_keep_both_sides_equal(digits: tuple[Images, Images, Images]) -> None:
    few = _measure(digits[0], digits, most=12, subsamples=4)["l1"]
    assert few.n == few.floor_n == 12
    unequal = _measure(digits[0][:20], digits)["l1"]
    assert unequal.n == unequal.floor_n == 20
    # A match is the better the more there is to choose from: that is why both sides have the same number.
    assert few.value > _measure(digits[0], digits)["l1"].value  # type: ignore[operator]


def test_lpips_is_measured_on_the_same_pairs(digits: tuple[Images, Images, Images]) -> None:
    found = _measure(digits[0], digits, lpips=_trunk, most=20, subsamples=3)
    # The first layer alone is three times l2, and the second adds to it.
    assert found["LPIPS"].value > 3 * found["l2"].value > 0  # type: ignore[operator]
    assert found["LPIPS"].class_mean > 3 * found["l2"].class_mean * 0.999  # type: ignore[operator]
    only = _measure(digits[0], digits, lpips=lambda images: _trunk(images)[:1], most=20, subsamples=3)
    for part in ("value", "floor", "class_mean"):
        assert getattr(only["LPIPS"], part) == pytest.approx(3 * getattr(only["l2"], part), rel=1e-5)
    assert "LPIPS" not in _measure(digits[0], digits)


def test_what_cannot_be_measured_says_why(digits: tuple[Images, Images, Images]) -> None:
    def refuses(_: Images) -> list[Tensor]:
        raise InputError("LPIPS needs larger images")

    found = _measure(digits[0], digits, lpips=refuses)
    assert found["LPIPS"] == Estimate(None, 50, note="LPIPS needs larger images")
    assert found["MS-SSIM"].value is None and "176 x 176" in found["MS-SSIM"].note
    few = _measure(digits[0][:4], digits)
    assert few["SSIM"].value is None and "there are 4 synthetic and 50 held-out real" in few["SSIM"].note
    alone = _measure(digits[0], (digits[0], digits[1], digits[2][:0]))["SSIM"]
    assert alone.value is not None and alone.floor is None and alone.class_mean is None
