"""Transfer, fine-tuning and ensembles run with the networks whose weights install, under their own names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import abouali2023_lite
from abouali2023_lite import MODELS, TRANSFER, TUNED
from gansynth.errors import InputError
from gansynth.recipes.classifier import AverageRecipe, BackboneRecipe, CbamRecipe, load_classifier_recipe

if TYPE_CHECKING:
    from .conftest import Asked


def test_the_recipes_differ_in_what_the_paper_says_they_differ_in(tmp_path: Path) -> None:
    made = {name: load_classifier_recipe(file) for name, file in abouali2023_lite.recipes(tmp_path, 48).items()}
    assert set(made) == set(MODELS) and all(recipe.resolution == 48 for recipe in made.values())
    transfer, tuned = made[TRANSFER], made[TUNED]
    assert isinstance(transfer, BackboneRecipe) and isinstance(tuned, BackboneRecipe)
    assert transfer.network.frozen and not tuned.network.frozen and tuned.network.weights == "pretrained"
    average, attention = made["lite-average"], made["lite-attention"]
    assert isinstance(average, AverageRecipe) and isinstance(attention, CbamRecipe)
    assert [member.name for member in average.members] == ["lite0-tuned", "lite2-tuned"]
    trunks = attention.network.backbones
    assert [trunk.model for trunk in trunks] == ["tf_efficientnet_lite0", "tf_efficientnet_lite2"]
    assert attention.network.tuned_first and not attention.network.frozen
    assert attention.network.spatial == "perceptron" and {trunk.input_size for trunk in trunks} == {64}


def test_every_model_has_its_row_and_transfer_is_held_against_tuning(
    asked: Asked, without_pages: pytest.MonkeyPatch, module_on_one_thread: None, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(abouali2023_lite, "SHARE", {"quick": 0.5})
        quick = asked(tmp_path, abouali2023_lite.AMOUNTS, "--epochs", "1")
        abouali2023_lite.study(quick, [TRANSFER, TUNED, "lite-average"])
    text = (tmp_path / "tables.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and "model" not in line and "---" not in line]
    assert [row.split(" | ")[0][2:] for row in rows[:3]] == [MODELS[TRANSFER], MODELS[TUNED], MODELS["lite-average"]]
    assert f"| {MODELS[TRANSFER]} | {MODELS[TUNED]} | macro-F1 |" in text
    with pytest.raises(InputError, match="--models: there is no 'resnet152'"):
        abouali2023_lite.study(quick, ["resnet152"])
