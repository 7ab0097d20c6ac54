"""A classifier of one's own with the remedy that a comparison recommends: the same as that comparison's arm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gansynth.classifiers import open_classifier
from gansynth.classifiers.training import train_classifier, train_on_split
from gansynth.data import split_dataset
from gansynth.data.dataset import CellDataset
from gansynth.data.phantom import phantom_dataset
from gansynth.errors import InputError
from gansynth.remedies import Workplace, parse_arm
from tests.classifiers.tiny_classifier import tiny_recipe


@pytest.fixture(scope="module")
def cells() -> CellDataset:
    return split_dataset(phantom_dataset({"eosinophil": 40, "platelet": 20}, size=16), seed=0)


@pytest.mark.parametrize("spec", ["none", "oversample", "posthoc-logit-adjustment", "augmentation+weighted"])
def test_a_run_with_a_remedy_says_what_the_arm_of_a_comparison_says(
    cells: CellDataset, tmp_path: Path, spec: str
) -> None:
    recipe = tiny_recipe()
    mine = train_on_split(cells, recipe, tmp_path / "run", remedy=spec, progress=False).classifier
    training, validation = cells.part("train"), cells.part("val")
    place = Workplace(tmp_path / "arm", lambda _: cells)
    arm = train_classifier(parse_arm(spec).treat(training, place), recipe, validation=validation, progress=False)
    tested = cells.part("test").images
    np.testing.assert_array_equal(mine.probabilities(tested), arm.probabilities(tested))
    np.testing.assert_allclose(open_classifier(tmp_path / "run").probabilities(tested), mine.probabilities(tested))


def test_images_that_a_remedy_makes_are_kept_in_the_run_and_made_once(cells: CellDataset, tmp_path: Path) -> None:
    recipe, out = tiny_recipe("training.epochs=1"), tmp_path / "run"
    made = tmp_path / "made" / "platelet"
    made.mkdir(parents=True)
    from PIL import Image

    for i, image in enumerate(phantom_dataset({"platelet": 20}, size=16, seed=9).images):
        Image.fromarray(image.transpose(1, 2, 0)).save(made / f"{i}.png")
    found = train_on_split(cells, recipe, out, remedy=str(made.parent), progress=False)
    assert len(found.classifier.seen_sha256) > len(cells.part("train"))
    again = train_on_split(cells, recipe, out, remedy=str(made.parent), resume=True, progress=False)
    assert found.classifier.seen_sha256 == again.classifier.seen_sha256


def test_what_the_classifier_cannot_follow_is_refused_before_anything_is_written(
    cells: CellDataset, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"smote.*classifiers of features only"):
        train_on_split(cells, tiny_recipe(), tmp_path / "run", remedy="smote", progress=False)
    with pytest.raises(InputError, match="'nonsense' is not a remedy"):
        train_on_split(cells, tiny_recipe(), tmp_path / "run", remedy="nonsense", progress=False)
    assert not (tmp_path / "run").exists()
