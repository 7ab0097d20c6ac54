"""Every published weight file is listed, looked for, and loaded by the code that needs it. Files are stand-ins."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from gansynth.classifiers import backbones, published_files
from gansynth.classifiers.backbones import load_published, published_weights
from gansynth.classifiers.published_files import known_weights, look_for_weights
from gansynth.cli import gansynth
from gansynth.files.regular import file_sha256
from gansynth.metrics.extractors import AlexFeatures
from gansynth.metrics.extractors.weights import ALEXNET, FOLDER_VARIABLE
from gansynth.recipes.classifier import BackboneRecipe, CbamRecipe, classifier_recipe_names, load_classifier_recipe

TRUNKS = {
    trunk.model: trunk
    for recipe in map(load_classifier_recipe, classifier_recipe_names())
    if isinstance(recipe, (BackboneRecipe, CbamRecipe))
    for trunk in ((recipe.network,) if isinstance(recipe, BackboneRecipe) else recipe.network.backbones)
}


@pytest.fixture(autouse=True)
def _nothing_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)


@pytest.fixture
def alexnet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with random weights of AlexNet's trunk under the published name, with a sum to match for LPIPS."""
    shapes = {0: (64, 3, 11, 11), 3: (192, 64, 5, 5), 6: (384, 192, 3, 3), 8: (256, 384, 3, 3), 10: (256, 256, 3, 3)}
    state = {"classifier.6.bias": torch.zeros(1000)}
    for place, shape in shapes.items():
        state |= {f"features.{place}.weight": torch.zeros(shape), f"features.{place}.bias": torch.zeros(shape[0])}
    folder = tmp_path / "weights"
    folder.mkdir()
    torch.save(state, folder / ALEXNET.name)
    file = replace(ALEXNET, sha256=file_sha256(folder / ALEXNET.name))
    monkeypatch.setattr(published_files, "ALEXNET", file)
    monkeypatch.setattr(published_files, "AlexFeatures", lambda folder: AlexFeatures(folder, file=file))
    return folder


def test_every_file_that_a_recipe_or_a_metric_needs_is_listed() -> None:
    listed = {known.file: known for known in known_weights()}
    for trunk in TRUNKS.values():
        assert published_weights("any", trunk).file.name in listed
    assert {"weights-inception-2015-12-05-6726825d.pth", "DinoBloom-S.pth", "sam_vit_b_01ec64.pth"} <= set(listed)
    assert listed["densenet169-b2777c0a.pth"].used_for == "recipes densenet169, ensemble-cbam"
    assert [known.file for known in known_weights() if not known.sha256] == [f"DinoBloom-{s}.pth" for s in "SBLG"]


@pytest.mark.parametrize("model", TRUNKS)
def test_every_backbone_takes_a_file_of_its_own_names_and_shapes_and_no_other(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trunk = TRUNKS[model]
    published = published_weights("any", trunk)
    if published.lite is not None:
        return  # the file itself is at hand: test_backbones
    with torch.device("meta"):
        state = dict(backbones._built(trunk).state_dict())
        monkeypatch.setattr(backbones, "read_published", lambda file, weights_dir: state)
        assert list(load_published(trunk, published).state_dict()) == list(state)
        del state[next(iter(state))]
        with pytest.raises(backbones.InputError, match=f"does not fit {trunk.library}'s {model}"):
            load_published(trunk, published)


def test_a_file_is_missing_present_or_wrong(alexnet: Path) -> None:
    looks = {(look.name, look.state): look for look in look_for_weights(alexnet, load=True)}
    there = looks["AlexNet, trunk of LPIPS", "present"]
    assert there.loaded and there.path == str(alexnet / ALEXNET.name) and there.expected[0] == str(alexnet)
    assert "is not the published file" in looks["torchvision's alexnet", "wrong"].problem
    assert looks["EfficientNet-Lite0", "present"].loaded
    assert {state for _, state in looks if _.startswith("DinoBloom")} == {"missing"}


def test_what_is_there_and_does_not_load_is_wrong(alexnet: Path) -> None:
    (alexnet / "DinoBloom-S.pth").write_bytes(b"cut off")
    (look,) = (look for look in look_for_weights(alexnet, load=True) if look.file == "DinoBloom-S.pth")
    assert look.state == "wrong" and "cannot be read as PyTorch weights" in look.problem


def test_the_command_lists_checks_and_fails_for_a_wrong_file(alexnet: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke(gansynth, ["weights"])
    assert run.exit_code == 0 and "present (installed)" in run.stdout and "resnet152-f82ba261.pth" in run.stdout
    (alexnet / "mine.pth").touch()
    run = CliRunner().invoke(gansynth, ["weights", "--check", str(alexnet), "--json"])
    found = json.loads(run.stdout)
    assert found["not_known"] == ["mine.pth"] and len(found["weights"]) == len(known_weights())
    assert run.exit_code == 2 and "is not the published file" in run.stderr
    assert CliRunner().invoke(gansynth, ["weights", "--check", str(tmp_path / "none")]).exit_code == 2
