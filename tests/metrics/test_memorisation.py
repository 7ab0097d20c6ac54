from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from gansynth.metrics.memorisation import class_memorisation, memorisation, nearest_distances


def _digit_trials(copied: float, trials: int = 200) -> list[float]:
    """p values for one digit's images cut at random into training, held-out and "generated" ones."""
    rng, digits = np.random.default_rng(0), load_digits()
    found = []
    for trial in range(trials):
        images = rng.permutation(digits.data[digits.target == trial % 10])
        train, held_out, generated = images[:70], images[70:120], images[120:170].copy()
        copies = int(copied * len(generated))
        # A generator never repeats a pixel exactly: copies carry noise of one grey level in sixteen.
        generated[:copies] = train[rng.integers(0, len(train), copies)] + rng.normal(0, 1, (copies, 64))
        found.append(memorisation(nearest_distances(generated, train), nearest_distances(held_out, train)).p_value)
    return found


def test_fresh_images_raise_few_alarms() -> None:
    assert np.mean(np.array(_digit_trials(copied=0.0)) < 0.05) <= 0.10


def test_three_copies_in_ten_are_found_nine_times_in_ten() -> None:
    assert np.mean(np.array(_digit_trials(copied=0.3)) < 0.05) >= 0.85


def test_auc_says_how_much_nearer() -> None:
    far, near = np.linspace(5, 6, 30), np.linspace(0, 1, 20)
    assert memorisation(near, far).value == 1 and memorisation(far, near).value == 0
    assert memorisation(far, far).value == pytest.approx(0.5)
    assert memorisation(near, far).interval[1] == 1 and 0.8 < memorisation(near, far).interval[0] < 1
    assert memorisation(near, far).p_value < 1e-6 < memorisation(far, near).p_value


def test_interval_of_the_auc_covers_the_truth() -> None:
    rng = np.random.default_rng(4)
    truth = (rng.normal(-0.7, 1, 10**6) < rng.normal(0, 1, 10**6)).mean()
    ends = [memorisation(rng.normal(-0.7, 1, 40), rng.normal(0, 1, 25)).interval for _ in range(500)]
    assert 0.92 <= np.mean([low <= truth <= high for low, high in ends]) <= 0.98


def test_each_class_is_tested_by_itself() -> None:
    generated, held_out = np.r_[np.zeros(20), np.full(20, 9.0)], np.r_[np.full(15, 5.0), np.full(15, 5.0)]
    copied, fresh, absent = class_memorisation(generated, np.repeat([0, 1], 20), held_out, np.repeat([0, 1], 15), 3)
    assert copied.value == 1 and fresh.value == 0 and np.isnan(absent.value) and absent.n == 0


def test_nearest_distance_of_a_training_image_is_zero() -> None:
    images = np.random.default_rng(5).integers(0, 256, (50, 3, 16, 16), dtype=np.uint8)
    assert nearest_distances(images, images).max() == 0
    shifted = nearest_distances(images.astype(np.float32) + 2, images)
    assert shifted == pytest.approx(np.full(50, 2 * np.sqrt(3 * 16 * 16)), rel=1e-6)
    assert np.isinf(nearest_distances(images, images[:0])).all()
