"""A classifier that looks at nuclei: the table's numbers, the same when opened, refused where cells are too small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gansynth.cells.nuclei import COLUMNS, nuclei_table
from gansynth.classifiers.classical import load_classical, save_classical, train_classical
from gansynth.classifiers.feature_network import FeatureNetwork
from gansynth.classifiers.features import NucleusMeasures
from gansynth.data.phantom import phantom_dataset
from gansynth.errors import InputError
from gansynth.recipes.classifier import ClassicalRecipe, load_classifier_recipe
from gansynth.remedies.treatment import Treatment

QUICK = {"nuclei-forest": "classical.trees=30", "nuclei-cnn": "classical.epochs=20"}


def _recipe(*changes: str, name: str = "nuclei-forest") -> ClassicalRecipe:
    recipe = load_classifier_recipe(name, ["resolution=48", QUICK[name], *changes])
    assert isinstance(recipe, ClassicalRecipe)
    return recipe


def test_the_features_are_the_numbers_of_the_table_and_whether_the_cut_is_good() -> None:
    cells = phantom_dataset({"eosinophil": 4, "lymphocyte": 4}, size=48)
    found, table = NucleusMeasures()(cells.images), nuclei_table(cells)
    good = (table["problem"] == "").to_numpy()
    assert found.shape == (8, 1 + len(COLUMNS)) and good.sum() >= 4
    np.testing.assert_array_equal(found[:, 0], good)
    np.testing.assert_allclose(found[good, 1:], table.loc[good, list(COLUMNS)].to_numpy(), rtol=1e-5)


def test_an_image_without_a_nucleus_is_all_zeros() -> None:
    assert (NucleusMeasures()(np.full((1, 3, 48, 48), 230, np.uint8)) == 0).all()


@pytest.mark.parametrize("name", QUICK)
def test_a_classifier_on_nuclei_tells_types_apart_and_is_the_same_when_opened(name: str, tmp_path: Path) -> None:
    counts = {"eosinophil": 12, "lymphocyte": 12}
    cells, fresh = phantom_dataset(counts, size=48), phantom_dataset(counts, size=48, seed=1)
    trained = train_classical(Treatment.of(cells), _recipe(name=name))
    p = trained.probabilities(fresh.images)
    assert (p.argmax(axis=1) == fresh.labels).mean() > 0.8
    save_classical(trained, tmp_path)
    np.testing.assert_array_equal(load_classical(tmp_path).probabilities(fresh.images), p)


def test_weights_of_classes_move_what_the_network_says_and_the_random_state_stays() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60, 5)).astype(np.float32)
    labels = np.repeat([0, 3], [50, 10])
    before = torch.get_rng_state()
    plain = FeatureNetwork((4,), 30, 1e-2, seed=0).fit(points, labels, np.ones(60))
    heavy = FeatureNetwork((4,), 30, 1e-2, seed=0).fit(points, labels, np.where(labels == 3, 20.0, 1.0))
    assert torch.equal(torch.get_rng_state(), before) and plain.classes_.tolist() == [0, 3]
    assert heavy.predict_proba(points)[:, 1].mean() > plain.predict_proba(points)[:, 1].mean() + 0.1


def test_images_too_small_for_nuclei_are_refused_in_one_sentence() -> None:
    cells = phantom_dataset({"eosinophil": 4, "lymphocyte": 4}, size=16)
    with pytest.raises(InputError, match="cannot be cut out at 16 pixels; set resolution"):
        train_classical(Treatment.of(cells), _recipe("resolution=16"))
