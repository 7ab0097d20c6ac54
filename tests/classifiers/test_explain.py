"""Claims about explanations: they find what decides, agree with captum, and refuse what means nothing."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from captum.attr import GuidedBackprop
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from gansynth.classifiers.calibration import Calibrated, Calibration
from gansynth.classifiers.classifier import Classifier
from gansynth.classifiers.explain import Method, explain
from gansynth.classifiers.explain.cam import grad_cam, score_cam
from gansynth.classifiers.explain.explanation import last_maps, layer_by_layer
from gansynth.classifiers.explain.guided import guided_gradient
from gansynth.classifiers.explain.share import mean_share, share_inside
from gansynth.classifiers.neural import NeuralClassifier, build_network
from gansynth.errors import InputError
from gansynth.recipes.classifier import NeuralRecipe, load_classifier_recipe

CLASSES = ("dark", "bright")


class BrightSpot(nn.Module):
    """Class 1 is the brighter, the more white there is; class 0 does not depend on the image."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 2, 3, padding=1, bias=False)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        nn.init.constant_(self.convolution.weight, 1.0)

    def forward(self, x: Tensor) -> Tensor:
        score = self.pool(self.relu(self.convolution(x))).mean(dim=(1, 2, 3))
        return torch.stack([torch.zeros_like(score), score], dim=1)


def classifier_of(network: nn.Module, resolution: int = 32) -> NeuralClassifier:
    recipe = load_classifier_recipe("sequential-cnn", [f"resolution={resolution}"])
    assert isinstance(recipe, NeuralRecipe)
    return NeuralClassifier(network.eval(), recipe, CLASSES, torch.device("cpu"))


def spotted(n: int = 1) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    images = np.zeros((n, 3, 32, 32), np.uint8)
    where = np.zeros((32, 32), bool)
    where[6:14, 18:26] = True
    images[:, :, where] = 255
    return images, where


def built(name: str, *changes: str, n_classes: int = 3) -> nn.Module:
    torch.manual_seed(0)
    recipe = load_classifier_recipe(name, list(changes))
    assert isinstance(recipe, NeuralRecipe)
    return build_network(recipe, n_classes).eval()


@pytest.mark.parametrize("method", list(Method))
def test_each_method_finds_the_spot_that_decides(method: Method) -> None:
    images, where = spotted(3)
    found = explain(classifier_of(BrightSpot()), images, method)
    assert found.classes.tolist() == [1, 1, 1]
    assert found.maps.shape == (3, 32, 32) and found.maps.min() >= 0 and found.maps.max() == 1
    grown = F.max_pool2d(torch.from_numpy(where)[None].float(), 5, 1, 2)[0].bool().numpy()
    assert all(share_inside(one, grown) > 0.95 for one in found.maps)
    assert (found.lines is not None) == (method is Method.GUIDED_GRAD_CAM)


@pytest.mark.parametrize("method", [Method.GRAD_CAM, Method.SCORE_CAM])
def test_rows_do_not_depend_on_their_company(method: Method) -> None:
    images = np.random.default_rng(0).integers(0, 256, (18, 3, 32, 32), dtype=np.uint8)
    classifier = classifier_of(built("sequential-cnn", "resolution=32", "network.channels=[4, 4, 4, 8]", n_classes=2))
    together = explain(classifier, images, method, np.arange(18) % 2)
    alone = explain(classifier, images[17:], method, np.array([1]))
    assert np.allclose(together.maps[17], alone.maps[0], atol=1e-4)


def test_grad_cam_is_the_formula_of_the_paper() -> None:
    network = built("custom-cnn", "resolution=32", "network.channels=[4, 4, 4, 8]")
    images, classes = torch.rand(2, 3, 32, 32) * 2 - 1, torch.tensor([0, 2])
    maps = network.stages(images).detach().requires_grad_()  # type: ignore[operator]
    logits = network.logits(torch.relu(network.hidden(maps.flatten(1))))  # type: ignore[operator]
    (gradient,) = torch.autograd.grad(logits.gather(1, classes[:, None]).sum(), maps)
    formula = (gradient.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1, keepdim=True).relu().detach()
    formula = F.interpolate(formula, (32, 32), mode="bilinear", align_corners=False)[:, 0]
    with layer_by_layer(network):
        found = grad_cam(network, last_maps(network, "custom-cnn", images), images, classes)
    assert torch.allclose(found, formula, atol=1e-6) and found.max() > 0


def test_score_cam_is_the_algorithm_of_the_paper() -> None:
    network = built("custom-cnn", "resolution=32", "network.channels=[4, 4, 4, 8]")
    image, c = torch.rand(1, 3, 32, 32) * 2 - 1, 2
    maps = network.stages(image)[0].detach()  # type: ignore[operator]
    scores, used = [], []
    empty = network(torch.zeros_like(image))[0, c]
    for one in maps:  # algorithm 1, map by map
        if one.max() > one.min():
            mask = F.interpolate(one[None, None], (32, 32), mode="bilinear", align_corners=False)
            mask = (mask - mask.min()) / (mask.max() - mask.min())
            scores.append(network(image * mask)[0, c] - empty)
            used.append(one)
    weights = torch.stack(scores).softmax(0)
    formula = sum(w * m for w, m in zip(weights, used, strict=True)).relu()  # type: ignore[union-attr]
    formula = F.interpolate(formula[None, None], (32, 32), mode="bilinear", align_corners=False)[0, 0]
    with layer_by_layer(network):
        layer = last_maps(network, "custom-cnn", image)
        found = score_cam(network, layer, image, torch.tensor([c]))
        few = score_cam(network, layer, image, torch.tensor([c]), channels=1)
    assert torch.allclose(found[0], formula, atol=1e-5)
    best = max(used, key=lambda m: float(m.var()))
    assert torch.allclose(few[0], F.interpolate(best[None, None], (32, 32), mode="bilinear")[0, 0], atol=1e-5)


@pytest.mark.filterwarnings("ignore:Setting backward hooks", "ignore:Input Tensor 0")
@pytest.mark.parametrize("model", ["shufflenet_v2_x0_5", "resnet18"])
def test_guided_gradients_are_captums_where_every_relu_is_a_module(model: str) -> None:
    size = "network.input_size=64"
    network = built("resnet50", f"network.model={model}", "network.weights=none", size)
    images, classes = torch.rand(2, 3, 64, 64) * 2 - 1, torch.tensor([0, 2])
    ours = guided_gradient(network, model, images, classes)
    theirs = GuidedBackprop(network).attribute(images, target=classes)
    assert torch.allclose(ours, theirs, atol=1e-6 * float(theirs.abs().max()))


class Functional(nn.Module):
    """Two ReLUs that are not modules, one of them in place on a tensor that is read again."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.a(x)
        z = self.b(F.relu(y, inplace=True)) + y
        return torch.relu(z).mean(dim=(2, 3))


def test_every_relu_is_guided_however_it_is_called() -> None:
    torch.manual_seed(0)
    network, images, classes = Functional(), torch.randn(2, 3, 8, 8), torch.tensor([1, 3])
    x = images.clone().requires_grad_()
    y = network.a(x)
    r = y.clamp(min=0)
    z = network.b(r) + r
    # By hand, from the last ReLU to the image (Springenberg et al. 2015, section 3.4).
    at_z = torch.zeros_like(z)
    at_z[torch.arange(2), classes] = 1 / 64
    at_z = at_z * (z > 0)
    (at_r,) = torch.autograd.grad(z, r, at_z, retain_graph=True)
    (by_hand,) = torch.autograd.grad(y, x, at_r.clamp(min=0) * (y > 0))
    assert torch.allclose(guided_gradient(network, "functional", images, classes), by_hand, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("sequential-cnn", ["resolution=32"], "has LeakyReLU"),
        ("resnet50", ["network.model=mobilenet_v3_small", "network.weights=none"], "Hardsi.* and .*SiLU|Hardswish"),
        ("xception", ["network.model=test_convnext", "network.weights=none", "network.input_size=64"], "has GELU"),
    ],
)
def test_guided_gradients_are_refused_where_more_than_relu_bends(name: str, changes: list[str], reason: str) -> None:
    network = built(name, *changes)
    with pytest.raises(InputError, match=reason):
        guided_gradient(network, name, torch.zeros(1, 3, 32, 32), torch.tensor([0]))


@pytest.mark.parametrize(
    ("model", "library", "layer"),
    [
        ("alexnet", "torchvision", "trunk.features.11"),  # not the pooling after it
        ("resnet18", "torchvision", "trunk.layer4"),
        ("densenet121", "torchvision", "trunk.features"),
        ("mobilenet_v3_small", "torchvision", "trunk.features"),
        ("convnext_tiny", "torchvision", "trunk.features"),
        ("googlenet", "torchvision", "trunk.inception5b"),
        ("tf_efficientnetv2_b0", "timm", "trunk.bn2"),
    ],
)
def test_the_last_maps_are_those_before_pooling(model: str, library: str, layer: str) -> None:
    changes = (f"network.library={library}", f"network.model={model}", "network.weights=none", "network.input_size=96")
    with torch.device("meta"):  # shapes alone
        network = built("resnet50", *changes)
        found = last_maps(network, model, torch.zeros(1, 3, 64, 64))
    assert [name for name, module in network.named_modules() if module is found] == [layer]


def test_the_sequential_cnn_is_explained_before_its_pooling_and_left_as_it_was() -> None:
    network = built("sequential-cnn", "resolution=32").train()
    before, images = copy.deepcopy(network.state_dict()), torch.rand(2, 3, 32, 32)
    with layer_by_layer(network):
        assert not network.training
        in_turn, layer = network(images), last_maps(network, "sequential-cnn", images)
    assert layer is network.stages[3].activation  # type: ignore[union-attr,index]
    assert network.training and "forward" not in vars(network.stages[0])  # type: ignore[index]
    assert torch.allclose(network.eval()(images), in_turn, atol=1e-5)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("method", [Method.GRAD_CAM, Method.SCORE_CAM])
def test_a_vision_transformer_has_no_maps(method: Method) -> None:
    changes = ("network.library=timm", "network.model=test_vit", "network.weights=none", "network.input_size=160")
    with pytest.raises(InputError, match="but the one that cuts the image into patches"):
        explain(classifier_of(built("resnet50", *changes, n_classes=2)), spotted()[0], method)


def test_tokens_after_convolutions_are_no_maps() -> None:
    class Hybrid(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.mix = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.mix(self.stem(x).flatten(2).transpose(1, 2)).mean(dim=1)

    with pytest.raises(InputError, match="decides on tokens"):
        explain(classifier_of(Hybrid()), spotted()[0], "grad-cam")


def test_a_frozen_backbone_is_explained_as_one_that_is_not() -> None:
    small = ("network.model=mobilenet_v3_small", "network.weights=none", "network.input_size=64")
    free, frozen = (built("resnet50", *small, f"network.frozen={f}", n_classes=2) for f in ("false", "true"))
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 32, 32), dtype=np.uint8)
    a, b = (explain(classifier_of(network), images, "grad-cam", np.array([0, 1])) for network in (free, frozen))
    assert np.array_equal(a.maps, b.maps) and a.maps.max() == 1
    assert all(p.grad is None for p in frozen.parameters())


def test_what_says_nothing_for_a_class_has_an_empty_map_and_no_share() -> None:
    images, where = spotted()
    found = explain(classifier_of(BrightSpot()), images, "grad-cam", np.array([0]))
    assert not found.maps.any() and math.isnan(share_inside(found.maps[0], where))


def test_a_calibrated_network_is_explained_and_others_are_refused() -> None:
    neural, images = classifier_of(BrightSpot()), spotted()[0]
    calibrated = explain(Calibrated(neural, Calibration(2.0, 1, 0.5, 0.1, 0.4, 0.1, ())), images, "grad-cam")
    plain = explain(neural, images, "grad-cam")
    assert np.array_equal(calibrated.maps, plain.maps)
    assert calibrated.probabilities[0, 1] < plain.probabilities[0, 1]

    class Other(Classifier):
        recipe = load_classifier_recipe("svm")

        def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
            return np.full((len(images), 2), 0.5)

    with pytest.raises(InputError, match="svm: is not a network"):
        explain(Other(), images, "grad-cam")
    with pytest.raises(InputError, match=r"no method 'lime'.*grad-cam, guided-grad-cam, score-cam"):
        explain(neural, images, "lime")
    with pytest.raises(InputError, match="takes images of 32 x 32"):
        explain(neural, images[:, :, :16], "grad-cam")
    assert explain(neural, images[:0], "grad-cam").maps.shape == (0, 32, 32)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
@settings(max_examples=30, deadline=None)
def test_shares_of_a_mask_and_of_the_rest_are_one_and_know_no_scale(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    attribution, mask = rng.random((5, 7)), rng.random((5, 7)) < rng.random()
    inside, outside = share_inside(attribution, mask), share_inside(attribution, ~mask)
    assert inside + outside == pytest.approx(1)
    assert share_inside(attribution * scale, mask) == pytest.approx(inside)
    assert share_inside(np.ones((5, 7)), mask) == pytest.approx(mask.mean())


def test_the_mean_share_is_students_and_leaves_out_what_has_none() -> None:
    from scipy.stats import ttest_1samp

    shares = [0.2, 0.4, 0.9, math.nan, 0.3]
    found = mean_share(shares)
    theirs = ttest_1samp([s for s in shares if s == s], 0).confidence_interval()
    assert found.value == pytest.approx(0.45) and found.n == 4 and found.note == "1 of 5 images have no share"
    assert found.interval == pytest.approx((max(0, theirs.low), min(1, theirs.high)))
    assert mean_share([math.nan]).value is None and mean_share([]).value is None
    assert mean_share([0.5]).interval is None
    low, _ = mean_share([-0.5, 0.5, 0.1], lowest=-1.0).interval or (0, 0)
    assert -1 <= low < 0
