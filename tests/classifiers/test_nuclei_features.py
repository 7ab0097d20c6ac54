"""A classifier that looks at nuclei: the table's numbers, the same when opened, refused where cells are too small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gansynth.cells.nuclei import COLUMNS, nuclei_table
from gansynth.classifiers.classical import load_classical, save_classical, train_classical
from gansynth.classifiers.features import NucleusMeasures
from gansynth.data.phantom import phantom_dataset
from gansynth.errors import InputError
from gansynth.recipes.classifier import ClassicalRecipe, load_classifier_recipe
from gansynth.remedies.treatment import Treatment


def _recipe(*changes: str) -> ClassicalRecipe:
    recipe = load_classifier_recipe("nuclei-forest", ["resolution=48", "classical.trees=30", *changes])
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


def test_a_forest_on_nuclei_tells_types_apart_and_is_the_same_when_opened(tmp_path: Path) -> None:
    counts = {"eosinophil": 12, "lymphocyte": 12}
    cells, fresh = phantom_dataset(counts, size=48), phantom_dataset(counts, size=48, seed=1)
    trained = train_classical(Treatment.of(cells), _recipe())
    p = trained.probabilities(fresh.images)
    assert (p.argmax(axis=1) == fresh.labels).mean() > 0.8
    save_classical(trained, tmp_path)
    np.testing.assert_array_equal(load_classical(tmp_path).probabilities(fresh.images), p)


def test_images_too_small_for_nuclei_are_refused_in_one_sentence() -> None:
    cells = phantom_dataset({"eosinophil": 4, "lymphocyte": 4}, size=16)
    with pytest.raises(InputError, match="cannot be cut out at 16 pixels; set resolution"):
        train_classical(Treatment.of(cells), _recipe("resolution=16"))
