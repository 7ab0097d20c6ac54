from __future__ import annotations

from pathlib import Path

import pytest

from gansynth.errors import InputError
from gansynth.recipes.classifier import (
    BackboneRecipe,
    SequentialRecipe,
    classifier_recipe_names,
    load_classifier_recipe,
)


@pytest.mark.parametrize("name", classifier_recipe_names())
def test_every_recipe_of_the_zoo_opens_under_its_name_and_survives_a_round_trip(name: str, tmp_path: Path) -> None:
    recipe = load_classifier_recipe(name)
    assert recipe.name == name
    (tmp_path / "recipe.yaml").write_text(recipe.to_yaml())
    assert load_classifier_recipe(tmp_path) == recipe


def test_the_ten_classifiers_of_the_paper_are_there() -> None:
    paper = {"sequential-cnn", "vgg19", "resnet50", "inception-v3", "xception", "efficientnet"}
    assert paper | {"logistic-regression", "naive-bayes", "svm", "random-forest"} <= set(classifier_recipe_names())
    inception = load_classifier_recipe("inception-v3")
    assert isinstance(inception, BackboneRecipe)
    assert (inception.resolution, inception.network.input_size) == (299, 299)


def test_the_first_convolution_strides_over_large_images_only() -> None:
    strides = []
    for changes in (["resolution=64"], ["resolution=128"], ["resolution=128", "network.stride=1"]):
        recipe = load_classifier_recipe("sequential-cnn", changes)
        assert isinstance(recipe, SequentialRecipe)
        strides.append(recipe.stride)
    assert strides == [1, 2, 1]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (["training.epoch=3"], r"--set training.epoch=3: unknown name 'training.epoch'; did you mean 'epochs'\?"),
        (["classifier=cnn"], r"--set classifier=cnn: classifier: no classifier 'cnn'; there are sequential-cnn"),
        (["classical.C=1"], r"unknown name 'classical'; did you mean 'classifier'\?"),
        (["network.channels=[8, 8]"], r"network.channels: .*at least 4"),
        (["name=../../x"], r"--set name=../../x: name: should be letters, digits"),
        (["resolution=16", "network.stride=2"], r"resolution 16 is below 32"),
    ],
)
def test_a_wrong_recipe_is_refused_with_its_place(changes: list[str], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        load_classifier_recipe("sequential-cnn", changes)


def test_an_unknown_recipe_gets_a_suggestion() -> None:
    with pytest.raises(InputError, match=r"no recipe named 'resnet5'.*did you mean 'resnet50'\?"):
        load_classifier_recipe("resnet5")


def test_a_wrong_line_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("name: mine\nclassifier: svm\nresolution: 64\nclassical:\n  kernel: round\n")
    with pytest.raises(InputError, match=r"mine.yaml, line 5: classical.kernel: .*'rbf'"):
        load_classifier_recipe(tmp_path / "mine.yaml")
