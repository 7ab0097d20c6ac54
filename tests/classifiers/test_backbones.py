from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data
from timm.data import ImageNetInfo
from torch import nn
from torchvision.models import get_model
from torchvision.models.vision_transformer import interpolate_embeddings

from gansynth.classifiers import backbones, open_classifier, train_classifier
from gansynth.classifiers.backbones import build_backbone, build_cbam, published_weights
from gansynth.classifiers.neural import NeuralClassifier, build_network
from gansynth.classifiers.training import Outcome
from gansynth.data.phantom import phantom_dataset
from gansynth.errors import InputError
from gansynth.files.regular import file_sha256
from gansynth.metrics.extractors.weights import MissingWeights
from gansynth.networks.backbone import Preparation
from gansynth.networks.cbam_ensemble import CbamEnsemble
from gansynth.networks.efficientnet_lite import pretrained_efficientnet_lite
from gansynth.recipes.classifier import BackboneRecipe, CbamRecipe, load_classifier_recipe

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
        ("alexnet", "alexnet-owt-7be5be79.pth"),
        ("vgg16", "vgg16-397923af.pth"),
        ("googlenet", "googlenet-1378be20.pth"),
        ("resnet152", "resnet152-f82ba261.pth"),
        ("cbcm", "resnet152-f82ba261.pth"),
        ("densenet121", "densenet121-a639ec97.pth"),
        ("densenet169", "densenet169-b2777c0a.pth"),
        ("densenet201", "densenet201-c1103571.pth"),
        ("convnext-base", "convnext_base-6075fbad.pth"),
        ("efficientnetv2-b0", "tf_efficientnetv2_b0-c7cc451f.pth"),
        ("vit-b16", "vit_b_16-c867db91.pth"),
        ("ensemble-cbam", "tf_efficientnetv2_b0-c7cc451f.pth"),
    ],
)
def test_missing_weights_are_named_with_place_and_way_out(name: str, file: str, tmp_path: Path) -> None:
    found = load_classifier_recipe(name)
    assert isinstance(found, BackboneRecipe | CbamRecipe)
    with pytest.raises(MissingWeights) as error:
        build_network(found, 11, tmp_path)
    said = str(error.value)
    assert file in (Path(__file__).parents[2] / "docs" / "classifiers.md").read_text(encoding="utf-8")
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


def test_the_backbone_that_installs_with_the_toolkit_knows_a_cat_and_an_espresso(tmp_path: Path) -> None:
    shipped = load_classifier_recipe("efficientnet-lite0")
    assert isinstance(shipped, BackboneRecipe)
    published = published_weights(shipped.name, shipped.network)
    whole = backbones._with_weights(shipped.network, "pretrained", published, tmp_path).eval()
    names = ImageNetInfo()
    for picture, expected in ((data.chelsea(), "cat"), (data.coffee(), "espresso")):
        edge = min(picture.shape[:2])
        top, left = (np.array(picture.shape[:2]) - edge) // 2
        square = torch.tensor(picture[top : top + edge, left : left + edge]).permute(2, 0, 1)[None] / 127.5 - 1
        with torch.no_grad():
            probability, best = whole(Preparation(128, published.mean, published.std)(square)).softmax(1)[0].max(0)
        assert expected in names.index_to_description(int(best)) and probability > 0.5
    name, digits = published.file.name, published.file.sha256[:8]
    assert digits == "57934424" and published.find().name == name == f"efficientnet-lite0-{digits}.pth"


def test_the_backbone_that_installs_with_the_toolkit_learns_from_images_of_any_size_without_a_folder_of_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cells = phantom_dataset({"eosinophil": 4, "platelet": 4}, size=32)
    changes = ["resolution=32", "network.input_size=64", "training.batch_size=4", "network.frozen=true"]
    trained = train_classifier(
        cells, load_classifier_recipe("efficientnet-lite0", changes), validation=None, steps=1, device="cpu",
        progress=False,
    )  # fmt: skip
    assert trained.weights == "pretrained"
    ours, theirs = trained.network.trunk.state_dict(), pretrained_efficientnet_lite(0).state_dict()  # type: ignore[attr-defined]
    assert all(torch.equal(ours[name], theirs[name]) for name in ours) and len(ours) == len(theirs) - 2


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


def test_a_head_on_a_random_trunk_that_never_learns_is_warned_of_and_said_everywhere(tmp_path: Path) -> None:
    cells = phantom_dataset({"eosinophil": 4, "platelet": 4}, size=32)
    asked = recipe("network.weights=none", "network.frozen=true")
    with pytest.warns(UserWarning, match="trains a head on a trunk of random weights"):
        trained = train_classifier(cells, asked, tmp_path, validation=cells, steps=1, device="cpu", progress=False)
    assert trained.weights == open_classifier(tmp_path, device="cpu").weights == "random frozen"
    assert Outcome(trained, None, None).sentence.endswith("(only the head has learned, on a trunk of random weights)")


STAND_INS = {
    # A small relative of each family with something special in its loading; its head is replaced, its maps are taken.
    "googlenet": "torchvision",
    "densenet121": "torchvision",
    "test_efficientnet": "timm",
    "test_vit": "timm",
}


def whole(model: str, library: str) -> nn.Module:
    torch.manual_seed(0)
    if library == "timm":
        import timm

        network: nn.Module = timm.create_model(model)
        return network
    return get_model(model, weights=None, **({"init_weights": False} if model == "googlenet" else {}))


@pytest.mark.parametrize(("model", "library"), STAND_INS.items())
def test_a_backbone_computes_what_the_library_computes_under_its_head(
    model: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = whole(model, library).eval()
    monkeypatch.setattr(backbones, "read_published", lambda file, weights_dir: dict(theirs.state_dict()))
    size = 160 if model == "test_vit" else 64
    changes = (f"network.library={library}", f"network.input_size={size}", f"resolution={size}")
    ours = build_backbone(recipe(*changes, model=model), 3).eval()
    seen = []
    last = [module for module in theirs.modules() if isinstance(module, nn.Linear)][-1]
    last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    if model == "googlenet":
        theirs.transform_input = True  # as torchvision sets it when it loads the published file
    images = torch.rand(2, 3, size, size) * 2 - 1
    with torch.no_grad():
        theirs(ours.prepare(images))
        assert torch.allclose(ours.features(images), seen[0], atol=1e-5)
    assert not any(name.startswith("aux") for name in ours.trunk.state_dict())


def test_a_vision_transformers_positions_follow_the_size_of_its_images(monkeypatch: pytest.MonkeyPatch) -> None:
    positions = {}

    def remember(size: int, patch: int, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        positions["before"] = state["encoder.pos_embedding"].shape
        changed = interpolate_embeddings(size, patch, OrderedDict(state))
        positions["after"] = changed["encoder.pos_embedding"].shape
        return changed

    monkeypatch.setattr("torchvision.models.vision_transformer.interpolate_embeddings", remember)
    state = {"conv_proj.weight": torch.zeros(8, 3, 16, 16), "encoder.pos_embedding": torch.zeros(1, 197, 8)}
    changed = backbones._for_image_size(64, state)
    assert positions == {"before": (1, 197, 8), "after": (1, 17, 8)}
    assert changed["encoder.pos_embedding"].shape == (1, 17, 8)


@pytest.mark.parametrize(
    ("name", "size", "sentence"),
    [
        ("inception-v3", 32, "inception_v3 cannot look at images of 32 px"),
        ("alexnet", 32, "alexnet cannot look at images of 32 px"),
    ],
)
def test_images_too_small_for_a_backbone_are_refused(name: str, size: int, sentence: str) -> None:
    found = load_classifier_recipe(name, [f"network.input_size={size}", "network.weights=none"])
    assert isinstance(found, BackboneRecipe)
    with torch.device("meta"), pytest.raises(InputError, match=sentence):
        build_backbone(found, 3)


def cbam(*changes: str) -> CbamRecipe:
    trunks = (
        "[{library: torchvision, model: mobilenet_v3_small, input_size: 64}, {library: timm, model: test_efficientnet}]"
    )
    found = load_classifier_recipe("ensemble-cbam", [f"network.backbones={trunks}", *SMALL[2:], *changes])
    assert isinstance(found, CbamRecipe)
    return found


def test_the_ensemble_by_attention_trains_opens_again_and_is_explained(tmp_path: Path) -> None:
    from gansynth.classifiers.explain import explain

    cells = phantom_dataset({"eosinophil": 4, "platelet": 4}, size=32)
    small = cbam("resolution=32", "network.weights=none", "network.hidden=8")
    trained = train_classifier(cells, small, tmp_path / "run", validation=cells, steps=1, device="cpu", progress=False)
    assert trained.weights == "none"
    opened = open_classifier(tmp_path / "run", device="cpu")
    assert abs(trained.probabilities(cells.images) - opened.probabilities(cells.images)).max() < 1e-6
    assert explain(opened, cells.images[:2], "grad-cam").maps.shape == (2, 32, 32)
    with pytest.raises(InputError, match="guided backpropagation means something only where ReLU"):
        explain(opened, cells.images[:2], "guided-grad-cam")


def test_the_ensemble_by_attention_may_begin_with_backbones_that_were_tuned_alone(tmp_path: Path) -> None:
    cells = phantom_dataset({"eosinophil": 4, "platelet": 4}, size=32)
    recipe = cbam(
        "resolution=32", "network.weights=none", "network.hidden=8", "network.tuned_first=true", "network.frozen=true"
    )
    trained = train_classifier(cells, recipe, tmp_path / "run", validation=cells, steps=1, device="cpu", progress=False)
    assert trained.weights == "none" and isinstance(trained, NeuralClassifier)
    assert isinstance(trained.network, CbamEnsemble)
    for k, of_ensemble in enumerate(trained.network.trunks):
        alone = open_classifier(tmp_path / "run" / "backbones" / str(k), device="cpu")
        assert isinstance(alone, NeuralClassifier) and alone.weights == "none"
        own = {name.rpartition("trunk.")[2]: tensor for name, tensor in alone.network.state_dict().items()}
        held = of_ensemble.state_dict()
        # torchvision's maps are the part `features` of its network, timm's are all of it but the head.
        assert held and all(torch.equal(t, own.get(name, own.get(f"features.{name}"))) for name, t in held.items())
    opened = open_classifier(tmp_path / "run", device="cpu")
    assert abs(trained.probabilities(cells.images) - opened.probabilities(cells.images)).max() < 1e-6
    again = train_classifier(
        cells, recipe, tmp_path / "run", validation=cells, steps=1, device="cpu", resume=True, progress=False
    )
    assert abs(trained.probabilities(cells.images) - again.probabilities(cells.images)).max() < 1e-6


def test_attention_needs_maps() -> None:
    with torch.device("meta"), pytest.raises(InputError, match="VisionTransformer makes no maps"):
        build_cbam(cbam("network.backbones=[vit-b16, densenet121]", "network.weights=none"), 3)
    for backbones_given, sentence in (("[svm, resnet50]", "'svm' is not a backbone"), ("[resnet50]", "at least 2")):
        with pytest.raises(InputError, match=sentence):
            cbam(f"network.backbones={backbones_given}")


def test_a_recipe_may_bring_a_cheap_remedy_but_not_beside_an_arms() -> None:
    from gansynth.remedies.treatment import Treatment

    cells = phantom_dataset({"eosinophil": 8, "platelet": 4}, size=32)
    assert load_classifier_recipe("cbcm").remedy == "cb-focal"  # type: ignore[attr-defined]
    losses = []
    for remedy in ("none", "cb-focal:beta=0.999:gamma=1"):
        own = recipe("network.weights=none", f"remedy={remedy}", "augmentation=none")
        curve = train_classifier(cells, own, validation=None, steps=1, device="cpu", progress=False).curve
        losses.append(curve[0].train_loss)
    assert losses[0] != losses[1]
    with pytest.raises(InputError, match="makes images first"):
        train_classifier(cells, recipe("network.weights=none", "remedy=c-wgan-gp-64"), validation=None, steps=1)
    with pytest.raises(InputError, match="brings a remedy of its own"):
        train_classifier(Treatment.of(cells), own, validation=None, steps=1)
