"""Claims about the cell encoder: what it returns, what it remembers, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from gansynth.classifiers import CellEncoder, open_encoder, train_cell_encoder, zoo_encoders
from gansynth.data import CellDataset
from gansynth.data.phantom import phantom_dataset
from gansynth.errors import InputError

COUNTS = {"eosinophil": 40, "lymphocyte": 40, "platelet": 24}


@pytest.fixture(scope="module")
def phantom() -> CellDataset:
    return phantom_dataset(COUNTS, size=64)


@pytest.fixture(scope="module")
def encoder(phantom: CellDataset) -> CellEncoder:
    return train_cell_encoder(phantom, seed=0, images=24 * 64, width=8)


def test_training_on_phantom_cells_beats_chance_on_new_ones(encoder: CellEncoder) -> None:
    new = phantom_dataset(dict.fromkeys(COUNTS, 20), size=64, seed=1)
    assert (encoder(new.images)["logits"].argmax(1) == new.labels).mean() > 0.7


def test_equal_seeds_train_equal_encoders_and_leave_the_callers_chance_alone(phantom: CellDataset) -> None:
    torch.manual_seed(5)
    before = torch.rand(1)
    torch.manual_seed(5)
    once, again = (train_cell_encoder(phantom, seed=3, images=128, width=4) for _ in range(2))
    assert torch.equal(torch.rand(1), before)
    assert once.sha256 == again.sha256 != train_cell_encoder(phantom, seed=4, images=128, width=4).sha256


def test_an_image_has_the_same_features_in_any_company(encoder: CellEncoder, phantom: CellDataset) -> None:
    together = encoder(phantom.images)
    alone = [encoder(phantom.images[i : i + 1]) for i in (0, 63, 64, 103)]
    shuffled = encoder(phantom.images[::-1])
    for key in ("features", "logits"):
        assert together[key].dtype == np.float32
        np.testing.assert_array_equal(np.concatenate([a[key] for a in alone]), together[key][[0, 63, 64, 103]])
        np.testing.assert_array_equal(shuffled[key][::-1], together[key])


def test_an_image_of_another_size_is_resized_and_none_is_no_image(encoder: CellEncoder, phantom: CellDataset) -> None:
    larger = phantom.images[:8].repeat(2, axis=2).repeat(2, axis=3)
    small, large = encoder(phantom.images[:8])["logits"], encoder(larger)["logits"]
    np.testing.assert_allclose(small, large, atol=0.25 * np.abs(small).max())
    none = encoder(phantom.images[:0])
    assert none["features"].shape == (0, encoder(phantom.images[:1])["features"].shape[1])
    assert none["logits"].shape == (0, 3)


def test_features_have_unit_variance_on_the_training_images(encoder: CellEncoder, phantom: CellDataset) -> None:
    features = encoder(phantom.images)["features"]
    assert 0.5 < features.var(axis=0).mean() < 1.5


def test_a_saved_encoder_opens_as_it_was(encoder: CellEncoder, phantom: CellDataset, tmp_path: Path) -> None:
    encoder.save(tmp_path / "whole")
    opened = open_encoder(tmp_path / "whole")
    assert opened.sha256 == encoder.sha256 and opened.class_names == encoder.class_names
    np.testing.assert_array_equal(opened(phantom.images)["features"], encoder(phantom.images)["features"])


def test_half_the_bits_hardly_change_the_features(encoder: CellEncoder, phantom: CellDataset, tmp_path: Path) -> None:
    rounded = encoder.rounded()
    rounded.save(tmp_path / "half")
    encoder.save(tmp_path / "whole")
    opened = open_encoder(tmp_path / "half")
    assert opened.sha256 == rounded.sha256
    np.testing.assert_array_equal(opened(phantom.images)["logits"], rounded(phantom.images)["logits"])
    np.testing.assert_allclose(opened(phantom.images)["features"], encoder(phantom.images)["features"], atol=0.05)
    half, whole = ((tmp_path / name / "encoder.safetensors").stat().st_size for name in ("half", "whole"))
    assert half < 0.7 * whole


def test_the_training_images_are_recorded(encoder: CellEncoder, phantom: CellDataset) -> None:
    assert encoder.training_sha256 == set(phantom.records["sha256"])
    assert encoder.info["training_counts"] == COUNTS


def test_a_training_that_goes_on_remembers_the_images_of_the_first(encoder: CellEncoder, phantom: CellDataset) -> None:
    more = phantom_dataset(COUNTS, size=64, seed=2)
    second = train_cell_encoder(more, seed=1, images=64, begin_with=encoder)
    assert second.training_sha256 == set(phantom.records["sha256"]) | set(more.records["sha256"])
    assert second.info["began_with"]["images_seen"] == 24 * 64 and second.sha256 != encoder.sha256
    with pytest.raises(InputError, match="other classes"):
        train_cell_encoder(phantom_dataset({"monocyte": 2, "platelet": 2}, size=64), begin_with=encoder)


def test_synthetic_images_are_refused(phantom: CellDataset) -> None:
    records = phantom.records.copy()
    records.loc[:4, "origin"] = "synthetic"
    with pytest.raises(InputError, match="5 of 104 images are synthetic"):
        train_cell_encoder(CellDataset(phantom.images, phantom.labels, phantom.class_names, records), seed=0)


def test_one_class_is_refused() -> None:
    with pytest.raises(InputError, match="two classes"):
        train_cell_encoder(phantom_dataset({"platelet": 3}, size=64), seed=0)


def test_a_folder_that_is_no_encoder_is_refused(encoder: CellEncoder, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a cell encoder"):
        open_encoder(tmp_path)
    with pytest.raises(InputError, match="did you mean 'pbc-encoder'"):
        open_encoder("pbc-encodr")
    encoder.save(tmp_path / "edited")
    weights = tmp_path / "edited" / "encoder.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(InputError, match="cut off"):
        open_encoder(tmp_path / "edited")
    encoder.rounded().save(tmp_path / "edited")
    told = tmp_path / "edited" / "encoder.json"
    told.write_text(json.dumps({**json.loads(told.read_text()), "sha256": "0" * 64}))
    with pytest.raises(InputError, match="sha256 differs"):
        open_encoder(tmp_path / "edited")
    told.write_text("[]")
    with pytest.raises(InputError, match="cut off or edited"):
        open_encoder(tmp_path / "edited")


def test_the_zoo_has_an_encoder_of_blood_cells() -> None:
    shipped = open_encoder("pbc-encoder")
    assert zoo_encoders() == ["pbc-encoder"]
    assert len(shipped.class_names) == 11 and len(shipped.training_sha256) > 9000
    features = shipped(np.random.default_rng(0).integers(0, 256, (2, 3, 80, 80), dtype=np.uint8))["features"]
    assert features.shape[1] <= 512 and np.isfinite(features).all()
