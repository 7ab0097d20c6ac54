"""Distances of LPIPS's features, computed once for each image, are LPIPS. Stand-in trunk, the real linear heads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gansynth.errors import InputError
from gansynth.files.regular import file_sha256
from gansynth.metrics.extractors import alex
from gansynth.metrics.extractors.alex import AlexFeatures
from gansynth.metrics.extractors.weights import ALEXNET, WeightFile


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of AlexNet's convolutions under their published names; of the rest, one small tensor."""
    torch.manual_seed(0)
    shapes = {0: (64, 3, 11, 11), 3: (192, 64, 5, 5), 6: (384, 192, 3, 3), 8: (256, 384, 3, 3), 10: (256, 256, 3, 3)}
    state = {"classifier.6.bias": torch.zeros(1000)}
    for place, shape in shapes.items():
        state[f"features.{place}.weight"] = torch.nn.init.kaiming_normal_(torch.empty(shape), nonlinearity="relu")
        state[f"features.{place}.bias"] = torch.randn(shape[0]) / 10
    path = tmp_path_factory.mktemp("weights") / ALEXNET.name
    torch.save(state, path)
    return path


@pytest.fixture(scope="module")
def extractor(weights: Path) -> AlexFeatures:
    return AlexFeatures(weights.parent, file=WeightFile(weights.name, file_sha256(weights), "LPIPS", ""))


def images(n: int, seed: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (n, 3, *size), dtype=np.uint8)


@pytest.mark.parametrize("size", [(31, 40), (64, 64)])
def test_distances_are_lpips(extractor: AlexFeatures, weights: Path, size: tuple[int, int]) -> None:
    import lpips

    one, other = images(5, 0, size), images(5, 1, size)
    other[4] = one[4]
    whole = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    trunk = torch.load(weights, weights_only=True)
    for name, parameter in whole.net.named_parameters():
        parameter.data = trunk["features." + name.partition(".")[2]]
    with torch.no_grad():
        a, b = (torch.from_numpy(pixels).float() / 255 for pixels in (one, other))
        theirs = whole(a, b, normalize=True).flatten()
    pairs = zip(extractor(one), extractor(other), strict=True)
    ours = sum((x - y).square().sum(dim=1).mean(dim=(1, 2)) for x, y in pairs)
    assert torch.is_tensor(ours)
    assert ours.tolist() == pytest.approx(theirs.tolist(), rel=1e-5, abs=1e-7)
    assert ours[4] == 0 and ours[0] > 0.01


def test_features_are_five_layers_that_do_not_depend_on_the_batch(
    extractor: AlexFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = images(5, 0, (64, 64))
    whole = extractor(x)
    assert [tuple(layer.shape) for layer in whole] == [
        (5, 64, 15, 15), (5, 192, 7, 7), (5, 384, 3, 3), (5, 256, 3, 3), (5, 256, 3, 3)
    ]  # fmt: skip
    monkeypatch.setattr(alex, "BATCH", 2)
    for layer, in_batches in zip(whole, extractor(x), strict=True):
        torch.testing.assert_close(in_batches, layer, rtol=1e-5, atol=1e-7)


def test_images_too_small_for_alexnet_are_refused(extractor: AlexFeatures) -> None:
    with pytest.raises(InputError, match="at least 31 x 31 px; these have 40 x 30"):
        extractor(images(1, 0, (30, 40)))


def test_other_networks_weights_are_refused(tmp_path: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(2, 2)}, tmp_path / "other.pth")
    file = WeightFile("other.pth", file_sha256(tmp_path / "other.pth"), "LPIPS", "")
    with pytest.raises(InputError, match=r"other\.pth: holds no AlexNet weights"):
        AlexFeatures(tmp_path, file=file)
