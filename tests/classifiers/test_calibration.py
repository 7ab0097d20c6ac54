from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gansynth.classifiers import open_classifier, train_classifier
from gansynth.classifiers.calibration import Calibrated, fitted_temperature, tempered
from gansynth.errors import InputError

from .tiny_classifier import tiny_cells, tiny_recipe


def test_the_temperature_that_spoilt_the_probabilities_is_found() -> None:
    rng = np.random.default_rng(0)
    honest = rng.dirichlet(np.ones(4) / 2, 4000)
    labels = np.array([rng.choice(4, p=p) for p in honest])
    for temperature in (0.4, 1.0, 3.0):
        boasting = tempered(honest, 1 / temperature)
        assert fitted_temperature(boasting, labels) == pytest.approx(temperature, rel=0.1)


def test_tempering_keeps_the_order_of_classes_and_takes_certainty() -> None:
    p = np.array([[1.0, 0.0, 0.0], [0.5, 0.3, 0.2]])
    cooled = tempered(p, 2.0)
    assert np.allclose(cooled.sum(axis=1), 1) and np.array_equal(cooled.argsort(axis=1), p.argsort(axis=1))
    assert np.allclose(tempered(p, 1.0), p, atol=1e-9) and cooled[1].max() < 0.5


def test_a_run_can_be_opened_calibrated(tmp_path: Path) -> None:
    cells, held_out = tiny_cells()
    options = {"device": "cpu", "progress": False}
    plain = train_classifier(cells, tiny_recipe(), tmp_path / "run", validation=held_out, **options)  # type: ignore[arg-type]
    told = json.loads((tmp_path / "run" / "calibration.json").read_text())
    assert told["log_loss_after"] <= told["log_loss_before"] + 1e-6 and told["n"] == 20
    calibrated = open_classifier(tmp_path / "run", calibrated=True)
    before, after = plain.probabilities(held_out.images), calibrated.probabilities(held_out.images)
    assert isinstance(calibrated, Calibrated) and np.allclose(after, tempered(before, told["temperature"]))
    assert np.array_equal(before.argmax(axis=1), after.argmax(axis=1))
    assert calibrated.chosen_on_sha256 == set(held_out.records["sha256"])
    assert not isinstance(open_classifier(tmp_path / "run"), Calibrated)
    asked = train_classifier(cells, tiny_recipe("training.calibrated=true"), validation=held_out, **options)  # type: ignore[arg-type]
    assert isinstance(asked, Calibrated) and asked.calibration.temperature == told["temperature"]


def test_without_validation_images_nothing_is_calibrated(tmp_path: Path) -> None:
    cells, _ = tiny_cells()
    train_classifier(cells, tiny_recipe(), tmp_path / "run", validation=None, steps=2, device="cpu", progress=False)
    with pytest.raises(InputError, match="classify without --calibrated"):
        open_classifier(tmp_path / "run", calibrated=True)
    with pytest.raises(InputError, match="needs validation images"):
        train_classifier(cells, tiny_recipe("training.calibrated=true"), validation=None, progress=False)
