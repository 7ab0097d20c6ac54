"""Claims about the study of planted degradations: faults are what they say, and FD-cell rises with them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from gansynth.classifiers import CellEncoder
from gansynth.data.phantom import phantom_dataset
from gansynth.networks.cell_encoder import CellEncoderNetwork

STUDY = Path(__file__).parents[2] / "eval" / "planted_degradations.py"


@pytest.fixture(scope="module")
def study() -> ModuleType:
    spec = importlib.util.spec_from_file_location("planted_degradations", STUDY)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(STUDY.parent))  # studies import each other from their own folder
    sys.modules["planted_degradations"] = module
    spec.loader.exec_module(module)
    return module


def test_fd_cell_rises_with_the_dose_of_blur(study: ModuleType) -> None:
    cells = phantom_dataset({"eosinophil": 40, "lymphocyte": 40}, size=64)
    torch.manual_seed(0)
    encoder = CellEncoder(CellEncoderNetwork(2, width=8), {"class_names": cells.class_names})
    encoder.fit_scale(cells.images)
    one, other = study.halves(cells.labels, 0)
    clean = encoder(cells.images)["features"]
    found = [study.distances(clean, clean, one, other)["FD"]]
    for dose in (0.75, 1.5, 3):
        found.append(study.distances(clean, encoder(study.blur(cells.images, dose))["features"], one, other)["FD"])
    assert found == sorted(found) and found[-1] > 2 * found[0]


def test_faults_of_the_picture_grow_with_their_dose(study: ModuleType) -> None:
    images = phantom_dataset({"basophil": 2, "monocyte": 2}, size=64).images
    for plant, doses, _ in study.PICTURE_FAULTS.values():
        far = [np.abs(plant(images, dose).astype(float) - images).mean() for dose in (doses[0], doses[2], doses[-1])]
        assert 0 < far[0] < far[1] < far[2] < 60
        assert plant(images, doses[0]).dtype == np.uint8


def test_faults_of_the_set_do_what_they_say(study: ModuleType) -> None:
    labels = np.repeat(np.arange(6), 20)
    side = study.Side(np.arange(120), labels)
    pool = study.Side(np.arange(1000, 1240), np.repeat(np.arange(6), 40))
    rng = np.random.default_rng(0)
    swapped = study.class_swap(side, 0.5, pool, rng)
    assert (np.bincount(swapped.labels) == 20).all() and (swapped.labels != labels).sum() == 60
    collapsed = study.mode_collapse(side, 1 / 4, pool, rng)
    assert len(np.unique(collapsed.rows)) == 24 and (collapsed.rows // 20 == labels).all()
    few, copied = study.copies_of_few(side, 1.0, pool, rng), study.copies(side, 0.5, pool, rng)
    assert len(np.unique(few.rows)) == 6 * study.FEW and (few.rows >= 1000).all()
    assert (copied.rows >= 1000).sum() == 60 and len(np.unique(copied.rows)) == 120
    assert ((copied.rows[copied.rows >= 1000] - 1000) // 40 == labels[copied.rows >= 1000]).all()
    mixed = study.class_mix(side, 1.0, pool, rng)
    assert set(mixed.labels) <= set(range(5)) and len(np.unique(mixed.rows)) == len(mixed.rows)


def test_halves_share_no_image_and_have_one_mix_of_classes(study: ModuleType) -> None:
    labels = np.repeat(np.arange(3), (9, 20, 31))
    one, other = study.halves(labels, 0)
    assert not set(one.rows) & set(other.rows)
    assert np.bincount(one.labels).tolist() == np.bincount(other.labels).tolist() == [4, 10, 15]
