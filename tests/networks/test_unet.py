"""The U-Net of the diffusion model: its size, what it looks at, and how it begins."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from gansynth.gans import build_gan
from gansynth.networks.unet import FEATURES, UNet, sines


def build(*, random: bool = True) -> UNet:
    torch.manual_seed(0)
    unet = UNet(3, (8, 16), 8, blocks=1, attention=(4,), dropout=0.5).eval()
    if random:  # past its beginning, at which last convolutions are zero
        for parameter in unet.parameters():
            nn.init.normal_(parameter, std=0.2)
    return unet


def given() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    torch.manual_seed(1)
    return torch.randn(2, 3, 8, 8), torch.tensor([-1.0, 0.5]), torch.tensor([0, 2]), torch.tensor([0, 5])


def test_the_recipe_at_64_px_has_between_ten_and_eighteen_million_weights() -> None:
    gan = build_gan("edm-64", [f"class {c}" for c in range(11)])
    assert 10e6 < sum(p.numel() for p in gan.parameters()) < 18e6


def test_it_begins_as_zero() -> None:
    assert float(build(random=False)(*given()).detach().abs().max()) == 0


@pytest.mark.parametrize("place", range(4))
def test_image_noise_class_and_orientation_all_count(place: int) -> None:
    unet, inputs = build(), list(given())
    before = unet(*inputs)
    inputs[place] = inputs[place] + 1
    assert before.shape == (2, 3, 8, 8)
    assert not torch.allclose(before, unet(*inputs), atol=1e-3)


def test_an_image_does_not_depend_on_its_neighbours() -> None:
    unet, inputs = build(), given()
    torch.testing.assert_close(unet(*inputs)[1:], unet(*(t[1:] for t in inputs)), rtol=1e-4, atol=1e-4)


def test_images_as_they_were_photographed_add_nothing_to_the_condition_while_it_learns() -> None:
    unet = build(random=False).train()
    nn.init.normal_(unet.last.weight)
    optimizer = torch.optim.Adam(unet.parameters(), 0.1)
    for _ in range(2):
        optimizer.zero_grad()
        unet(*given()).square().sum().backward()
        optimizer.step()
    moved = unet.orientation.weight.detach().abs()
    assert float(moved[0].max()) == 0
    assert float(moved[5].min()) > 0


def test_noise_levels_that_differ_are_distinguished() -> None:
    levels = torch.linspace(-1.55, 1.1, 200)  # ln(sigma) / 4 from 0.002 to 80
    features = sines(levels)
    assert features.shape == (200, FEATURES)
    distances = torch.cdist(features, features) + 10 * torch.eye(200)
    assert float(distances.min()) > 0.1


def test_channels_stay_last() -> None:
    unet = build().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    seen: list[bool] = []

    def look(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.append(inputs[0].is_contiguous(memory_format=torch.channels_last))

    for module in unet.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_pre_hook(look)
    images, *others = given()
    unet(images.contiguous(memory_format=torch.channels_last), *others)
    assert len(seen) > 8 and all(seen)
