"""Claims about the features of EfficientNet-Lite."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gansynth.data.phantom import draw_cell
from gansynth.metrics.extractors import LiteFeatures, open_extractor
from gansynth.networks.efficientnet_lite import SHA256, LiteStages

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def lite() -> LiteFeatures:
    return LiteFeatures(2)


def cells(n: int, size: int) -> np.ndarray:
    return np.stack([draw_cell("monocyte", np.random.default_rng(i), size) for i in range(n)]).transpose(0, 3, 1, 2)


def test_features_are_mean_and_spread_of_every_channel_of_all_seven_stages(lite: LiteFeatures) -> None:
    images = cells(2, 128)
    found = lite(images)["features"]
    assert found.shape == (2, lite.width) == (2, 1712) and found.dtype == np.float32
    maps = LiteStages(2)(torch.from_numpy(images).float() / 127.5 - 1)
    first, last = maps[0].flatten(2), maps[-1].flatten(2)
    np.testing.assert_allclose(found[:, :16], first.mean(2).numpy(), atol=1e-4)
    np.testing.assert_allclose(found[:, 16:32], first.std(2, correction=0).numpy(), atol=1e-4)
    np.testing.assert_allclose(found[:, -352:], last.std(2, correction=0).numpy(), atol=1e-4)


def test_a_row_depends_on_its_image_only(lite: LiteFeatures) -> None:
    images = cells(3, 64)
    np.testing.assert_array_equal(lite(images)["features"][2:], lite(images[2:])["features"])


@pytest.mark.parametrize("size", [32, 200])
def test_images_of_any_size_are_looked_at_at_128_px(lite: LiteFeatures, size: int) -> None:
    images = cells(1, size)
    resized = torch.nn.functional.interpolate(
        torch.from_numpy(images).float(), (128, 128), mode="bilinear", antialias=size > 128
    )
    at_128 = lite(resized.round().clamp(0, 255).to(torch.uint8).numpy())["features"]
    found = lite(images)["features"]
    assert np.corrcoef(found[0], at_128[0])[0, 1] > 0.995


def test_two_versions_are_opened_by_name_and_known_by_their_files() -> None:
    for version in (0, 2):
        one = open_extractor(f"lite{version}")
        assert (one.name, one.sha256) == (f"lite{version}", SHA256[version])


def test_no_image_gives_no_row(lite: LiteFeatures) -> None:
    assert lite(np.zeros((0, 3, 64, 64), np.uint8))["features"].shape == (0, 1712)
