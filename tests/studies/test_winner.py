"""Claims about the sentences that say which arm of a comparison won."""

from __future__ import annotations

from pathlib import Path

import pytest

from gansynth.studies.comparison.recommendation import placed, winner
from gansynth.studies.comparison.result import Comparison

from ..report.comparison_folder import ARMS, GAN, write_comparison_folder

CLASSIFIER = "sequential-cnn"


@pytest.fixture(scope="module", params=[4.0, 0.0], ids=["remedies help", "nothing helps"])
def compared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[float, Comparison]:
    folder = tmp_path_factory.mktemp("compared") / "out"
    return request.param, Comparison.read(write_comparison_folder(folder, gain=request.param, folds=1, doses=False))


def test_an_arm_has_won_only_where_the_corrected_test_shows_it(compared: tuple[float, Comparison]) -> None:
    gain, results = compared
    endpoint = results.about.endpoints[0]
    arms = placed(results, CLASSIFIER, endpoint)
    first, *others = winner(results, CLASSIFIER, {GAN: "balanced with synthetic cells"})
    if gain:
        effect = results.effect(arms[0].arm, CLASSIFIER, endpoint)
        assert effect is not None and effect.shown
        assert arms[0].arm == GAN and first.startswith("Balanced with synthetic cells won: ")
        assert " on the original data, difference +" in first
    else:
        assert first.startswith("Nothing won")
        assert all("no difference from the original data is shown" in one for one in others)
    assert {one.arm for one in arms} == set(ARMS)
    assert len(others) == len([one for one in arms[1:] if one.arm != "none"])


def test_one_arm_alone_wins_nothing(tmp_path: Path) -> None:
    alone = Comparison.read(write_comparison_folder(tmp_path / "out", arms=("none",), folds=1))
    assert winner(alone, CLASSIFIER) == []
