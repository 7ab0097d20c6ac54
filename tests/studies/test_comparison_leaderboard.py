"""The leaderboard: arms are compared where they cost the other classes the same, and no arm beats itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gansynth.studies.comparison.entries import Standing
from gansynth.studies.comparison.figures import Pooled
from gansynth.studies.comparison.leaderboard import LOSSES, MARGIN, Shifted, leaderboard

NAMES = ["basophil", "eosinophil", "monocyte"]
LABELS = np.repeat([0, 1, 2], [300, 3000, 3000])
CNN = "sequential-cnn"
RARE = np.array([True, False, False])


def arm(skill: float, *, bias: float = 0.0, others: float = 3.0, seed: int = 0) -> Pooled:
    """An arm of three trainings on two folds: `skill` tells basophils from others, `bias` only calls more cells so."""
    generator = np.random.default_rng(seed)
    n = len(LABELS)
    logits = generator.normal(0, 1, (3, n, 3))
    logits[:, np.arange(n), LABELS] += np.where(LABELS == 0, skill, others)
    logits[..., 0] += bias - 1.0
    odds = np.exp(logits)
    p = odds / odds.sum(axis=2, keepdims=True)
    paths = tuple(f"{i}.png" for i in range(n))
    return Pooled(paths, LABELS, np.arange(n) % 2, np.arange(n), p.argmax(axis=2), p)


def rank(arms: dict[str, Pooled], rare: list[str]) -> tuple[Standing, ...]:
    held = {(name, CNN): one for name, one in arms.items()}
    return leaderboard(held, rare, NAMES, [3000, 3000], list(arms))


def recalls(one: Pooled) -> list[float]:
    return [float((one.predicted[:, one.labels == c] == c).mean()) for c in range(3)]


def test_who_tells_rare_cells_apart_comes_first_and_who_only_calls_more_cells_rare_gains_nothing() -> None:
    found = rank({"none": arm(1.5), "greedy": arm(1.5, bias=1.5), "better": arm(2.5, seed=1)}, ["basophil"])
    by_name = {one.arm: one for one in found}
    assert found[0].arm == "better" and (found[0].p_holm or 0.0) < 0.05
    assert by_name["greedy"].rare_effect.value > 0.2, "as trained it recognises many more"
    assert by_name["greedy"].elsewhere_effect.interval[1] < 0
    assert by_name["greedy"].at_no_loss.value == pytest.approx(by_name["none"].at_no_loss.value, abs=0.005)
    assert by_name["greedy"].p_holm > 0.05


@settings(max_examples=25, deadline=None)
@given(skill=st.floats(0, 4), bias=st.floats(-2, 2), loss=st.floats(0.0, 0.2))
def test_at_no_loss_the_others_keep_what_is_wanted_and_not_one_image_more(
    skill: float, bias: float, loss: float
) -> None:
    one = arm(skill, bias=bias)
    wanted = np.array([0.8, 0.8]) - loss
    shifted = Shifted(one, RARE).at(wanted)
    assert shifted is not None
    for fold in (0, 1):
        here = one.folds == fold
        for seed in range(3):
            hit = shifted.predicted[seed] == LABELS
            kept = float(np.mean([hit[here & (c == LABELS)].mean() for c in (1, 2)]))
            assert wanted[fold] - 1e-9 <= kept < wanted[fold] + 0.5 / 1500 + 1e-9


def test_the_two_figures_as_trained_are_the_mean_recalls_of_the_rare_and_of_the_other_classes() -> None:
    one = arm(1.5, seed=3)
    (entry,) = rank({"none": one}, ["basophil", "monocyte"])
    by_class = recalls(one)
    assert entry.rare.value == pytest.approx((by_class[0] + by_class[2]) / 2)
    assert entry.elsewhere.value == pytest.approx(by_class[1])
    assert (entry.rare.n, entry.elsewhere.n) == (3300, 3000)
    assert entry.rare_effect is entry.at_no_loss_effect is None


def test_an_arm_equal_to_none_has_no_effect() -> None:
    found = rank({"none": arm(1.5), "same": arm(1.5)}, ["basophil"])
    same = next(one for one in found if one.arm == "same")
    assert same.rare_effect.value == same.at_no_loss_effect.value == 0
    assert same.p_holm > 0.05


def test_the_curve_rises_with_what_is_paid() -> None:
    (entry,) = rank({"none": arm(1.5)}, ["basophil"])
    curve = entry.trade_off
    reached = [value for value in curve if value is not None]
    assert len(curve) == len(LOSSES) and len(reached) > 5 and all(a <= b for a, b in pairwise(reached))
    assert curve[LOSSES.index(MARGIN)] == pytest.approx(entry.at_no_loss.value)


def test_an_arm_that_loses_elsewhere_whatever_it_calls_rare_comes_last() -> None:
    found = rank({"none": arm(1.5), "confused": arm(4.0, others=1.0)}, ["basophil"])
    assert found[-1].arm == "confused" and found[-1].at_no_loss is None
    assert (found[-1].rare.value or 0.0) > (found[0].rare.value or 0.0)


@pytest.mark.parametrize("rare", [[], NAMES])
def test_without_rare_or_without_other_classes_nothing_is_ranked(rare: list[str]) -> None:
    assert rank({"none": arm(1.5), "other": arm(2.0)}, rare) == ()


def test_arms_that_were_not_asked_for_are_left_out() -> None:
    held = {(name, CNN): arm(1.5) for name in ("none", "oversample", "only-gan")}
    found = leaderboard(held, ["basophil"], NAMES, [3000, 3000], ["none", "oversample"])
    assert {one.arm for one in found} == {"none", "oversample"}
