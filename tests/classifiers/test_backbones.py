from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torchvision.models import get_model

from gansynth.classifier_recipes import BackboneRecipe, load_classifier_recipe
from gansynth.classifiers import backbones, open_classifier, train_classifier
from gansynth.classifiers.backbones import build_backbone, published_weights
from gansynth.data.phantom import phantom_dataset
from gansynth.errors import InputError
from gansynth.file_hash import file_sha256
from gansynth.metrics.extractors.weights import MissingWeights

SMALL = ("resolution=32", "network.input_size=32", "training.batch_size=4", "training.epochs=1")


def recipe(*changes: str, name: str = "resnet50", model: str = "mobilenet_v3_small") -> BackboneRecipe:
    found = load_classifier_recipe(name, [*SMALL, f"network.model={model}", *changes])
    assert isinstance(found, BackboneRecipe)
    return found


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with weights of a small network under their published name, with a sha256 to match."""
    torch.manual_seed(0)
    published = published_weights("resnet50", recipe().network)
    folder = tmp_path / "weights"
    folder.mkdir()
    torch.save(get_model("mobilenet_v3_small", weights=None).state_dict(), folder / published.file.name)
    file = replace(published.file, sha256=file_sha256(folder / published.file.name))
    monkeypatch.setattr(backbones, "published_weights", lambda name, network: replace(published, file=file))
    return folder


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("vgg19", "vgg19-dcbb9e9d.pth"),
        ("resnet50", "resnet50-11ad3fa6.pth"),
        ("inception-v3", "inception_v3_google-0cc3c7bd.pth"),
        ("xception", "xception-43020ad28.pth"),
        ("efficientnet", "efficientnet_b0_rwightman-7f5810bc.pth"),
    ],
)
def test_missing_weights_are_named_with_place_and_way_out(name: str, file: str, tmp_path: Path) -> None:
    found = load_classifier_recipe(name)
    assert isinstance(found, BackboneRecipe)
    with pytest.raises(MissingWeights) as error:
        build_backbone(found, 11, tmp_path)
    said = str(error.value)
    assert file in said and str(tmp_path) in said and "https://" in said and "--weights none" in said


def test_published_weights_are_loaded_under_a_new_head(stand_in: Path) -> None:
    network = build_backbone(recipe(), 3, stand_in)
    published = torch.load(next(stand_in.iterdir()), weights_only=True)
    name = "features.0.0.weight"
    assert torch.equal(network.trunk.state_dict()[name], published[name])
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 3)


def test_a_file_that_is_not_the_published_one_is_refused(stand_in: Path) -> None:
    file = next(stand_in.iterdir())
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(InputError, match="is not the published file"):
        build_backbone(recipe(), 3, stand_in)


def test_an_unknown_network_gets_a_suggestion() -> None:
    with pytest.raises(InputError, match=r"torchvision has no network 'resnet5'; did you mean 'resnet50'\?"):
        build_backbone(recipe(model="resnet5"), 3)
    with pytest.raises(InputError, match=r"timm has no network 'legacy_xceptio'; did you mean 'legacy_xception'\?"):
        build_backbone(recipe(name="xception", model="legacy_xceptio"), 3)


def test_a_frozen_backbone_learns_its_head_only_and_opens_without_the_published_file(
    stand_in: Path, tmp_path: Path
) -> None:
    cells = phantom_dataset({"eosinophil": 8, "platelet": 8}, size=32)
    transfer = recipe("network.frozen=true")
    trained = train_classifier(
        cells, transfer, tmp_path / "run", validation=cells, weights_dir=stand_in, device="cpu", progress=False
    )
    assert trained.weights == "pretrained"
    published = torch.load(next(stand_in.iterdir()), weights_only=True)
    for file in stand_in.iterdir():
        file.unlink()
    opened = open_classifier(tmp_path / "run", device="cpu")
    assert opened.weights == "pretrained"
    weights = opened.network.state_dict()  # type: ignore[attr-defined]
    assert torch.equal(weights["trunk.features.1.block.0.1.running_var"], published["features.1.block.0.1.running_var"])
    assert torch.equal(weights["trunk.features.0.0.weight"], published["features.0.0.weight"])
    a, b = trained.probabilities(cells.images), opened.probabilities(cells.images)
    assert a.shape == (16, 2) and (abs(a - b) < 1e-6).all()


def test_a_backbone_can_be_trained_from_scratch_and_says_so() -> None:
    cells = phantom_dataset({"eosinophil": 4, "platelet": 4}, size=32)
    trained = train_classifier(
        cells, recipe("network.weights=none"), validation=None, steps=1, device="cpu", progress=False
    )
    assert trained.weights == "none"
