from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

from gansynth.data.phantom import phantom_dataset
from gansynth.metrics import similarity
from gansynth.metrics.similarity import l1, l2, ms_ssim, psnr, ssim

Images = NDArray[np.uint8]


def _pairs(seed: int, n: int, height: int, width: int, noise: float) -> tuple[Images, Images]:
    """Smooth blobs, and the same with noise: what images are like, as far as these measures can tell."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (n, 3, 4, 4)).repeat(-(-height // 4), 2).repeat(-(-width // 4), 3)
    first = coarse[:, :, :height, :width] + rng.normal(0, 5, (n, 3, height, width))
    second = first + rng.normal(0, noise, first.shape)
    return tuple(np.rint(part).clip(0, 255).astype(np.uint8) for part in (first, second))  # type: ignore[return-value]


def _skimage_ssim(a: Images, b: Images) -> list[float]:
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    return [structural_similarity(x, y, channel_axis=0, **settings) for x, y in zip(a, b, strict=True)]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.integers(1, 4), st.integers(11, 40), st.integers(11, 40), st.floats(0, 80))
def test_ssim_and_psnr_are_those_of_skimage(seed: int, n: int, height: int, width: int, noise: float) -> None:
    a, b = _pairs(seed, n, height, width, noise)
    assert ssim(a, b) == pytest.approx(_skimage_ssim(a, b), abs=5e-6)
    with np.errstate(divide="ignore"):
        expected = [peak_signal_noise_ratio(x, y, data_range=255) for x, y in zip(a, b, strict=True)]
    assert psnr(a, b) == pytest.approx(expected, abs=1e-6)


def test_ssim_of_cells_is_that_of_skimage_to_a_millionth() -> None:
    cells = phantom_dataset({"eosinophil": 4, "lymphocyte": 4}, size=64).images
    a, b = cells[:-1], cells[1:]
    assert ssim(a, b) == pytest.approx(_skimage_ssim(a, b), abs=1e-6)


def test_ms_ssim_is_that_of_torchmetrics() -> None:
    a, b = _pairs(1, 2, 190, 177, 30)
    oracle = multiscale_structural_similarity_index_measure(
        torch.from_numpy(a).double(), torch.from_numpy(b).double(), data_range=255.0, reduction="none"
    )
    assert ms_ssim(a, b) == pytest.approx(oracle.numpy(), abs=1e-6)
    assert ms_ssim(a, a) == pytest.approx(np.ones(2))


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = _pairs(2, 9, 20, 24, 30)
    whole = ssim(a, b), l2(a, b)
    monkeypatch.setattr(similarity, "_PAIRS", 4)
    monkeypatch.setattr(similarity, "_BLOCK_ELEMENTS", 1)
    assert ssim(a, b) == pytest.approx(whole[0], abs=1e-7) and (l2(a, b) == whole[1]).all()


@pytest.mark.parametrize(("measure", "of_equal"), [(l1, 0), (l2, 0), (psnr, np.inf), (ssim, 1)])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 999), n=st.integers(2, 20))
def test_identity_symmetry_and_order(
    measure: Callable[[Images, Images], NDArray[np.float64]], of_equal: float, seed: int, n: int
) -> None:
    a, b = _pairs(seed, n, 12, 15, 40)
    order = np.random.default_rng(seed).permutation(n)
    assert measure(a, a) == pytest.approx(np.full(n, of_equal))
    assert measure(a, b) == pytest.approx(measure(b, a), abs=1e-6)
    assert measure(a[order], b[order]) == pytest.approx(measure(a, b)[order], abs=1e-6)


def test_errors_are_shares_of_the_range() -> None:
    black, grey, white = (np.full((1, 3, 5, 5), level, np.uint8) for level in (0, 51, 255))
    assert l1(black, white) == l2(black, white) == 1
    assert l1(black, grey) == 0.2 and l2(black, grey) == pytest.approx(0.04)
    assert psnr(black, grey) == pytest.approx(10 * np.log10(25))
    assert len(l1(black[:0], white[:0])) == 0


def test_what_cannot_be_compared_is_refused() -> None:
    small, large = np.zeros((1, 3, 10, 10), np.uint8), np.zeros((1, 3, 175, 175), np.uint8)
    with pytest.raises(ValueError, match="at least 11 x 11"):
        ssim(small, small)
    with pytest.raises(ValueError, match="at least 176 x 176"):
        ms_ssim(large, large)
    with pytest.raises(ValueError, match="one shape"):
        l1(small, large)
    with pytest.raises(ValueError, match="uint8"):
        l1(small / 255, small / 255)
