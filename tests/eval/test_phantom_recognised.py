"""The table of recognised phantom cells counts what the run's own classifier says."""

from __future__ import annotations

import numpy as np
import pytest

from eval import phantom_recognised
from gansynth.errors import InputError


class Painter:
    """A run whose cells of the first class are fresh ones, and whose others are grey."""

    name, resolution, class_names = "painter", 32, ("eosinophil", "lymphocyte")

    def independent_classifier(self, device: object) -> object:
        return lambda images: np.stack([images.std(axis=(1, 2, 3)) > 0, np.full(len(images), 0.5)], axis=1)

    def generator(self, device: object) -> object:
        return lambda c, seeds: np.random.default_rng(0).integers(0, 256 if c == 0 else 1, (len(seeds), 3, 32, 32))


def test_hits_are_those_of_the_class_that_was_asked_for() -> None:
    found = phantom_recognised.recognised(Painter(), 6)  # type: ignore[arg-type]
    assert found == {"eosinophil": (6, 6), "lymphocyte": (6, 0)}
    table = phantom_recognised.markdown(Painter(), 6)  # type: ignore[arg-type]
    assert table.splitlines()[2].startswith("| eosinophil | 100% (61%-100%) | 100%")
    assert table.splitlines()[-1].startswith("| all | 100% (")


def test_a_run_without_a_classifier_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Painter, "independent_classifier", lambda self, device: None)
    with pytest.raises(InputError, match="no independent classifier"):
        phantom_recognised.recognised(Painter(), 2)  # type: ignore[arg-type]
