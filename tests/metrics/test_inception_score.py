"""The Inception score is torch-fidelity's, in splits that n images can bear."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gansynth.metrics.inception_score import FEWEST, inception_score, inception_score_estimate, splits_for

_WORLD = np.random.default_rng(0).standard_normal((10, 40)) * 1.5


def logits(n: int, seed: int) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).standard_normal((n, 10)) @ _WORLD).astype(np.float32)


@pytest.mark.parametrize(("n", "splits"), [(37, 1), (40, 10), (2000, None)])
def test_score_is_torch_fidelitys(n: int, splits: int | None) -> None:
    from torch_fidelity.metric_isc import isc_features_to_metric

    theirs = isc_features_to_metric(torch.from_numpy(logits(n, 0)), splits or 10, True, 2020)["inception_score_mean"]
    assert inception_score(logits(n, 0), splits=splits) == pytest.approx(theirs, rel=1e-9)


def test_no_split_has_fewer_than_a_hundred_images_unless_there_are_no_more() -> None:
    assert [splits_for(n) for n in (30, 199, 200, 999, 1000, 50_000)] == [1, 1, 2, 9, 10, 10]


@pytest.mark.parametrize("n", [40, 400])
def test_interval_holds_the_mean_score_at_this_n(n: int) -> None:
    found = [inception_score_estimate(logits(n, 1 + s)) for s in range(100)]
    mean = np.mean([one.value for one in found if one.value is not None])
    held = np.mean([one.interval[0] <= mean <= one.interval[1] for one in found if one.interval is not None])
    assert held >= 0.88


def test_floor_is_the_score_of_as_many_real_images() -> None:
    found = inception_score_estimate(logits(50, 1), logits(300, 2))
    assert found.floor_n == 50
    assert found.floor == inception_score_estimate(logits(50, 1), logits(300, 2)).floor
    few = inception_score_estimate(logits(50, 1), logits(30, 2))
    assert (few.floor, few.floor_n) == (inception_score(logits(30, 2)), 30)


def test_too_few_images_have_no_value_and_say_why() -> None:
    assert inception_score_estimate(logits(FEWEST - 1, 0)).note == f"IS needs at least {FEWEST} images; there are 19"
