from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gansynth.metrics import appearance as module
from gansynth.metrics.appearance import appearance, nearest_in_any_orientation


def _images(n: int = 12, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(30, 200, (n, 3, 16, 16), dtype=np.uint8)


def _turn(images: NDArray[np.uint8], k: int) -> NDArray[np.uint8]:
    turned = np.rot90(images, k % 4, (2, 3))
    return turned[..., ::-1] if k >= 4 else turned


@settings(max_examples=16, deadline=None)
@given(k=st.integers(0, 7), brighter=st.integers(-30, 55), seed=st.integers(0, 99))
def test_a_copy_is_found_turned_mirrored_and_brighter(k: int, brighter: int, seed: int) -> None:
    images = _images(seed=seed)
    order = np.random.default_rng(seed).permutation(len(images))
    copies = (_turn(images[order], k).astype(np.int16) + brighter).astype(np.uint8)
    distance, index = nearest_in_any_orientation(appearance(copies), appearance(images))
    assert index.tolist() == order.tolist()
    assert distance == pytest.approx(np.zeros(len(images)), abs=1e-4)


def test_distance_is_the_smallest_of_eight(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = _images(5), _images(9, seed=1)
    a, b = appearance(first), appearance(second)
    views = np.stack([appearance(_turn(first, k)) for k in range(8)])
    every = np.sqrt(np.square(views[:, :, None] - b).mean(axis=(3, 4, 5))).min(axis=0)
    distance, index = nearest_in_any_orientation(a, b)
    assert distance == pytest.approx(every.min(axis=1), rel=1e-5)
    assert index.tolist() == every.argmin(axis=1).tolist()
    monkeypatch.setattr(module, "_BLOCK_ELEMENTS", 1)
    assert nearest_in_any_orientation(a, b)[0] == pytest.approx(distance)
    assert nearest_in_any_orientation(b, b)[0].max() == 0


def test_without_references_nothing_is_near() -> None:
    a = appearance(_images(3))
    distance, index = nearest_in_any_orientation(a, a[:0])
    assert np.isinf(distance).all() and index.tolist() == [-1] * 3
    assert len(nearest_in_any_orientation(a[:0], a)[0]) == 0
    with pytest.raises(ValueError, match="expected"):
        nearest_in_any_orientation(a, a[:, :1])
