"""The leaderboard: more rare cells recognised comes first, what is paid elsewhere is seen, and no arm beats itself."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gansynth.studies.comparison_figures import Pooled
from gansynth.studies.comparison_leaderboard import KEPT, LOST, MARGIN, leaderboard

NAMES = ["basophil", "eosinophil", "monocyte"]
LABELS = np.repeat([0, 1, 2], [300, 6000, 6000])
CNN = "sequential-cnn"


def arm(recalls: tuple[float, float, float], taken_for: int, seed: int = 0) -> Pooled:
    """An arm of three trainings on two folds: images that are missed are taken for one class."""
    generator = np.random.default_rng(seed)
    right = generator.random((3, len(LABELS))) < np.array(recalls)[LABELS]
    wrong = np.where(taken_for == LABELS, (LABELS + 1) % 3, taken_for)
    predicted = np.where(right, LABELS, wrong)
    folds = np.arange(len(LABELS)) % 2
    paths = tuple(f"{i}.png" for i in range(len(LABELS)))
    return Pooled(paths, LABELS, folds, np.arange(len(LABELS)), predicted, np.eye(3)[predicted])


def rank(arms: dict[str, Pooled], rare: list[str]) -> list[dict[str, object]]:
    held = {(name, CNN): one for name, one in arms.items()}
    return leaderboard(held, rare, NAMES, [6000, 6000], list(arms))


def recall(labels: NDArray[np.int64], predicted: NDArray[np.int64], c: int) -> float:
    return float((predicted[:, labels == c] == c).mean())


def test_more_rare_cells_come_first_and_a_loss_elsewhere_comes_last() -> None:
    found = rank(
        {
            "none": arm((0.3, 0.9, 0.9), 1),
            "helps": arm((0.6, 0.9, 0.9), 1),
            "helps-less": arm((0.5, 0.9, 0.9), 1),
            "greedy": arm((0.9, 0.7, 0.7), 0),
        },
        ["basophil"],
    )
    assert [one["arm"] for one in found] == ["helps", "helps-less", "none", "greedy"]
    assert [one["rank"] for one in found] == [1, 2, 3, 4]
    assert [one["verdict"] for one in found] == [KEPT, KEPT, KEPT, LOST]
    greedy = found[-1]["elsewhere_effect"]
    assert isinstance(greedy, dict) and greedy["interval"][1] < -MARGIN


def test_the_two_figures_are_the_mean_recalls_of_the_rare_and_of_the_other_classes() -> None:
    one = arm((0.4, 0.8, 0.9), 2, seed=3)
    (entry,) = rank({"none": one}, ["basophil", "monocyte"])
    by_class = [recall(LABELS, one.predicted, c) for c in range(3)]
    rare, elsewhere = entry["rare"], entry["elsewhere"]
    assert isinstance(rare, dict) and isinstance(elsewhere, dict)
    assert rare["value"] == pytest.approx((by_class[0] + by_class[2]) / 2)
    assert elsewhere["value"] == pytest.approx(by_class[1])
    assert (rare["n"], elsewhere["n"]) == (6300, 6000)
    assert entry["rare_effect"] is None


def test_an_arm_equal_to_none_has_no_effect_and_loses_nothing() -> None:
    found = rank({"none": arm((0.3, 0.9, 0.9), 1), "same": arm((0.3, 0.9, 0.9), 1)}, ["basophil"])
    same = next(one for one in found if one["arm"] == "same")
    assert isinstance(same["rare_effect"], dict) and same["rare_effect"]["value"] == 0
    assert same["rare_effect"]["p_holm"] > 0.05
    assert same["verdict"] == KEPT


def test_false_alarms_are_missing_from_the_recall_of_the_others() -> None:
    """Precision need not be ranked: what a remedy wrongly calls rare, it takes from another class."""
    shy, bold = arm((0.5, 0.95, 0.95), 1), arm((0.5, 0.75, 0.75), 0)
    found = {one["arm"]: one for one in rank({"none": shy, "bold": bold}, ["basophil"])}
    assert found["bold"]["verdict"] == LOST


@pytest.mark.parametrize("rare", [[], NAMES])
def test_without_rare_or_without_other_classes_nothing_is_ranked(rare: list[str]) -> None:
    assert rank({"none": arm((0.3, 0.9, 0.9), 1), "other": arm((0.6, 0.9, 0.9), 1)}, rare) == []


def test_arms_that_were_not_asked_for_are_left_out() -> None:
    held = {(name, CNN): arm((0.3, 0.9, 0.9), 1) for name in ("none", "oversample", "only-gan")}
    found = leaderboard(held, ["basophil"], NAMES, [6000, 6000], ["none", "oversample"])
    assert {one["arm"] for one in found} == {"none", "oversample"}
