from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from gansynth.metrics.memorisation import (
    alarm_p_value,
    class_memorisation,
    copy_tests,
    copy_threshold,
    either,
    memorisation,
    memorisation_alarm,
    nearest,
)


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
        found.append(memorisation(nearest(generated, train)[0], nearest(held_out, train)[0]).p_value)
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
    assert nearest(images, images)[0].max() == 0
    shifted = nearest(images.astype(np.float32) + 2, images)[0]
    assert shifted == pytest.approx(np.full(50, 2 * np.sqrt(3 * 16 * 16)), rel=1e-6)
    assert np.isinf(nearest(images, images[:0])[0]).all()


def test_nearest_says_which() -> None:
    points = np.random.default_rng(6).normal(size=(30, 4))
    order = np.random.default_rng(7).permutation(30)
    distance, index = nearest(points[order], points)
    assert index.tolist() == order.tolist() and (distance == 0).all()
    assert nearest(points, points[:0])[1].tolist() == [-1] * 30


def _reports(copied: float, n: int, classes: int, reports: int = 1000, only: int | None = None) -> NDArray[np.float64]:
    """p values of simulated reports; copies are nearer to the training images than any fresh image."""
    rng = np.random.default_rng(8)
    generated, held_out = rng.lognormal(size=(2, reports, classes, n))
    generated[:, slice(None) if only is None else only, : round(copied * n)] *= 1e-3
    _, p_value, _, p_nearer = copy_tests(generated, held_out)
    return alarm_p_value(either(p_value, p_nearer))


@pytest.mark.parametrize("n", [20, 50, 200])
@pytest.mark.parametrize("classes", [1, 8])
def test_honest_reports_raise_an_alarm_in_at_most_six_of_a_hundred(n: int, classes: int) -> None:
    assert np.mean(_reports(0, n, classes) <= 0.05) <= 0.06


@pytest.mark.parametrize("n", [20, 50, 200])
@pytest.mark.parametrize("classes", [1, 8])
def test_reports_with_three_copies_in_ten_raise_an_alarm(n: int, classes: int) -> None:
    assert np.mean(_reports(0.3, n, classes, reports=400) <= 0.05) > 0.9


def test_copies_in_one_class_of_eight_raise_an_alarm() -> None:
    assert np.mean(_reports(0.3, 50, 8, only=3) <= 0.05) > 0.9


def test_chance_of_nearer_images_is_counted_over_all_orders() -> None:
    generated, held_out = [0.1, 0.2, 0.9, 3.0], [1.0, 2.0, 4.0]
    result = memorisation(generated, held_out)
    everything = np.sort([*generated, *held_out])
    first = [min(set(range(7)) - set(chosen)) for chosen in combinations(range(7), 4)]
    assert result.nearer == 3 == np.searchsorted(everything, min(held_out))
    assert result.p_nearer == pytest.approx(np.mean(np.array(first) >= 3))
    assert memorisation(held_out, [0.5]).p_nearer == 1, "none is nearer"


def test_one_held_out_image_that_was_trained_on_hides_no_copies() -> None:
    rng = np.random.default_rng(9)
    generated, held_out = np.r_[np.full(20, 0.1), rng.uniform(5, 9, 80)], np.r_[0.0, rng.uniform(5, 9, 99)]
    assert memorisation(generated, held_out).p_nearer < 1e-4


def test_alarm_is_one_verdict_over_all_classes() -> None:
    rng = np.random.default_rng(10)
    honest = [memorisation(rng.normal(size=40), rng.normal(size=40)) for _ in range(6)]
    copied = memorisation(np.r_[np.full(12, -9.0), rng.normal(size=28)], rng.normal(size=40))
    empty = memorisation([], rng.normal(size=40))
    assert not memorisation_alarm(honest)[0] and memorisation_alarm([*honest, copied, empty])[0]
    assert memorisation_alarm([*honest, copied])[1] == memorisation_alarm([copied, empty, *honest])[1]
    assert memorisation_alarm([copied])[1] == copied.p_alarm
    assert memorisation_alarm([]) == memorisation_alarm([empty]) == (False, 1.0)


def test_an_ordinary_real_image_is_no_copy() -> None:
    free = np.random.default_rng(11).uniform(10, 30, 400)
    assert copy_threshold(free) == pytest.approx(np.median(free) / 2)
    assert copy_threshold(np.r_[free, np.zeros(10)]) == 0 == copy_threshold([])
