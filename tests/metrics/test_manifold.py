"""Improved precision and recall, density and coverage are prdc's, and their intervals mean what they say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from prdc import compute_prdc

from gansynth.metrics import manifold as module
from gansynth.metrics.manifold import FEWEST, NAMES, Manifold, manifold, manifold_estimates, manifold_values


def cloud(n: int, seed: int, shift: float = 0.0, scale: float = 1.0, d: int = 8) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).standard_normal((n, d)) * scale + shift).astype(np.float32)


@pytest.mark.parametrize(("n", "m"), [(50, 50), (70, 30), (12, 90)])
@pytest.mark.parametrize("nearest", [3, 5])
def test_values_are_exactly_prdcs(n: int, m: int, nearest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_ELEMENTS", 700)
    synthetic, real = cloud(n, 0, 0.2, 0.8), cloud(m, 1)
    theirs = compute_prdc(real, synthetic, nearest)
    ours = manifold(synthetic, real, nearest)
    assert ours._asdict() == pytest.approx(theirs, rel=1e-12)


def test_papers_numbers_of_neighbours_are_used() -> None:
    synthetic, real = cloud(60, 0, 0.3, 0.8), cloud(60, 1)
    at_three, at_five = manifold(synthetic, real, 3), manifold(synthetic, real, 5)
    found = manifold_estimates(synthetic, real)
    assert tuple(found) == NAMES
    expected = at_three.precision, at_three.recall, at_five.density, at_five.coverage
    assert tuple(one.value for one in found.values()) == expected
    assert tuple(manifold_values(synthetic, real).values()) == expected


@pytest.mark.parametrize("nearest", [1, 3, 5])
def test_variances_are_the_jackknifes(nearest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_ELEMENTS", 130)
    synthetic, real = cloud(25, 0, 0.3, 0.7), cloud(20, 1)
    known = module._Neighbourhoods.of(*module._checked(real, synthetic, nearest), nearest)
    without = [
        [manifold(np.delete(synthetic, i, 0), real, nearest) for i in range(25)],
        [manifold(synthetic, np.delete(real, i, 0), nearest) for i in range(20)],
    ]
    brute = sum((len(figures) - 1) * np.var(figures, axis=0) for figures in without)
    assert known.variances(nearest) == pytest.approx(Manifold(*brute), rel=1e-9)


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.4, 0.8)], ids=["equal distributions", "different"])
def test_intervals_hold_the_mean_at_this_n(shift: float, scale: float) -> None:
    found = [manifold_estimates(cloud(60, s, shift, scale), cloud(60, 999 + s)) for s in range(60)]
    for name in NAMES:
        mean = np.mean([one[name].value for one in found])
        held = [ends[0] <= mean <= ends[1] for ends in (one[name].interval for one in found) if ends is not None]
        assert np.mean(held) >= 0.88, name


def test_intervals_have_a_width_where_every_image_counts() -> None:
    far = manifold_estimates(cloud(30, 0, 50.0), cloud(30, 1))
    assert far["improved-precision"].value == 0
    assert far["improved-precision"].interval == pytest.approx((0, 0.1135), abs=1e-3)


def test_collapsed_generator_is_precise_and_covers_nothing() -> None:
    real = cloud(100, 0)
    found = manifold_values(np.repeat(real[:1] + 1e-4, 100, axis=0), cloud(100, 0))
    assert found["improved-precision"] == 1
    assert found["improved-recall"] == 0
    assert found["coverage"] < 0.3


def test_of_large_sets_a_random_part_is_looked_at_and_its_n_is_told() -> None:
    found = manifold_estimates(cloud(80, 0), cloud(70, 1), floor=(cloud(90, 2), cloud(60, 3)), most=40)
    assert {(one.n, one.floor_n) for one in found.values()} == {(40, 40)}
    assert found == manifold_estimates(cloud(80, 0), cloud(70, 1), floor=(cloud(90, 2), cloud(60, 3)), most=40)


def test_floor_is_what_other_real_images_score() -> None:
    real = cloud(100, 1)
    found = manifold_estimates(cloud(50, 0, 1.0), real[:50], floor=(real[50:], real[:50]))
    assert {name: one.floor for name, one in found.items()} == manifold_values(real[50:], real[:50])


def test_too_few_images_have_no_value_and_say_why() -> None:
    found = manifold_estimates(cloud(50, 0), cloud(FEWEST - 1, 1))
    assert found["density"].note == f"density needs at least {FEWEST} images; there are {FEWEST - 1}"
    assert manifold_values(cloud(50, 0), cloud(FEWEST - 1, 1)) == {}
