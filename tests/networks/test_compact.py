from __future__ import annotations

import pytest
import torch
from torch import nn

from gansynth.networks.compact import (
    CompactClassifier,
    CompactCritic,
    MinibatchDeviation,
    ModulatedConv2d,
    SkipGenerator,
    ToRGB,
)
from gansynth.networks.group_norm_classifier import GroupNormClassifier


@pytest.mark.parametrize("upsample", [False, True])
def test_modulated_convolution_equals_modulating_the_weights_of_each_image(upsample: bool) -> None:
    """Karras et al. 2020, eq. 1 and 3: the two forms are one; and maps may be doubled before or after the style."""
    torch.manual_seed(0)
    layer = ModulatedConv2d(4, 6, style=5, upsample=upsample)
    nn.init.normal_(layer.bias)
    x, w = torch.randn(3, 4, 8, 8), torch.randn(3, 5)
    style, given = layer.style(w), nn.functional.interpolate(x, scale_factor=2, mode="bilinear") if upsample else x
    for i in range(3):
        weight = layer.weight * layer.scale * style[i][None, :, None, None]
        weight = weight / (weight.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
        expected = nn.functional.conv2d(given[i : i + 1], weight, padding=1) * (2 / 1.04) ** 0.5
        torch.testing.assert_close(layer(x, w)[i : i + 1], expected + layer.bias[:, None, None])


def test_colours_equal_a_1_x_1_convolution_with_the_modulated_weights_of_each_image() -> None:
    torch.manual_seed(0)
    layer = ToRGB(4, style=5)
    nn.init.normal_(layer.bias)
    x, w = torch.randn(3, 4, 6, 8), torch.randn(3, 5)
    for maps in (x, x.contiguous(memory_format=torch.channels_last)):
        for i, style in enumerate(layer.style(w)):
            weight = layer.weight * layer.scale * style[None, :, None, None]
            expected = nn.functional.conv2d(maps[i : i + 1], weight, layer.bias)
            torch.testing.assert_close(layer(maps, w)[i : i + 1], expected)


def test_every_label_and_every_latent_gives_another_image() -> None:
    torch.manual_seed(0)
    generator = SkipGenerator(3, 16, 32, [8, 8, 8, 8], style=16)
    images = generator(torch.randn(6, 16), torch.tensor([0, 0, 1, 1, 2, 2]))
    assert images.shape == (6, 3, 32, 32)
    assert images.abs().max() <= 1
    assert torch.cdist(images.flatten(1), images.flatten(1))[~torch.eye(6, dtype=torch.bool)].min() > 0.1


def noisy_generator(**settings: float) -> SkipGenerator:
    torch.manual_seed(0)
    generator = SkipGenerator(3, 16, 16, [8, 8, 8], style=16, noise=True, **settings)  # type: ignore[arg-type]
    for block in generator.blocks:
        nn.init.ones_(block.first.noise)  # type: ignore[union-attr, arg-type]
    return generator


def test_noise_that_follows_the_latent_decides_the_image() -> None:
    generator = noisy_generator().eval()
    assert generator.n_noise == 2 * (16 + 64 + 256)
    z, labels = torch.randn(2, 16), torch.tensor([0, 1])
    noise, other = torch.randn(2, 2, generator.n_noise)
    image = generator(torch.cat([z, noise], dim=1), labels)
    torch.testing.assert_close(image, generator(torch.cat([z, noise], dim=1), labels))
    assert not torch.allclose(image, generator(torch.cat([z, other], dim=1), labels), atol=1e-3)


def test_noise_is_drawn_where_none_is_given_and_is_not_heeded_before_it_is_learned() -> None:
    z, labels = torch.randn(2, 16), torch.tensor([0, 1])
    heeding = noisy_generator().eval()
    assert not torch.allclose(heeding(z, labels), heeding(z, labels), atol=1e-3)
    young = SkipGenerator(3, 16, 16, [8, 8, 8], style=16, noise=True).eval()
    torch.testing.assert_close(young(z, labels), young(z, labels))


def test_a_class_is_a_cloud_in_which_each_image_has_its_own_place() -> None:
    generator = SkipGenerator(3, 16, 16, [8, 8, 8], style=16, noise=True, embedding_noise=0.5)
    z, labels = torch.randn(2, 16), torch.tensor([0, 1])
    assert not torch.allclose(generator.style(z, labels), generator.style(z, labels)), "drawn anew in training"
    generator.eval()
    middle = generator.style(z, labels)
    torch.testing.assert_close(middle, generator.style(z, labels))
    assert generator.n_noise == 16 + 2 * (16 + 64 + 256)
    rows = torch.cat([z, torch.randn(2, generator.n_noise)], dim=1)
    torch.testing.assert_close(generator(rows, labels), generator(rows, labels))
    torch.testing.assert_close(generator.style(rows, labels), generator.style(rows[:, :32], labels))
    assert not torch.allclose(generator.style(rows, labels), middle, atol=1e-3)
    rows[:, 16:32] = 0
    torch.testing.assert_close(generator.style(rows, labels), middle)


def test_truncation_draws_images_to_the_typical_one_of_their_class() -> None:
    torch.manual_seed(0)
    generator = SkipGenerator(2, 16, 16, [8, 8, 8], style=16)
    z, labels = torch.randn(8, 16), torch.tensor([0, 1]).repeat_interleave(4)

    def spread(share: float) -> float:
        generator.truncate(torch.tensor([share, 1.0]))
        images = generator(z, labels)
        first, second = images.unflatten(0, (2, 4)).std(dim=1).mean(dim=(1, 2, 3)).tolist()
        assert second == pytest.approx(of_second), "each class has its own share"
        return first

    with torch.no_grad():
        of_second = float(generator(z[4:], labels[4:]).std(dim=0).mean())
    more, full, half, none = spread(1.3), spread(1.0), spread(0.5), spread(0.0)
    assert none < 1e-6 < half < full < more
    plain = SkipGenerator(2, 16, 16, [8, 8, 8], style=16)
    plain.load_state_dict(generator.state_dict())
    generator.truncate(torch.ones(2))
    torch.testing.assert_close(generator(z, labels), plain(z, labels))


def test_deviation_never_mixes_the_real_and_the_generated_half_of_a_batch() -> None:
    layer = MinibatchDeviation(group=4)
    real, generated = torch.randn(8, 2, 4, 4), torch.zeros(8, 2, 4, 4)
    together = layer(torch.cat([real, generated]))[:, -1]
    torch.testing.assert_close(together[:8], layer(real)[:, -1])
    assert together[8:].max() < 1e-3 < together[:8].min()


def test_the_critic_is_blind_to_labels_unless_it_projects() -> None:
    torch.manual_seed(0)
    images, labels = torch.randn(4, 3, 16, 16), torch.tensor([0, 1, 2, 0])
    blind, told = CompactCritic(16, [8, 8]), CompactCritic(16, [8, 8], n_classes=3)
    assert torch.equal(blind(images, labels), blind(images))
    assert not torch.equal(told(images, labels), told(images, labels.flip(0)))


def test_the_normalised_classifier_judges_an_image_alone_as_in_a_batch() -> None:
    torch.manual_seed(0)
    network, images = GroupNormClassifier(3, 16, [4, 6]), torch.randn(5, 3, 16, 16)
    torch.testing.assert_close(network(images)[2:3], network(images[2:3]))
    torch.testing.assert_close(network(images), network.eval()(images))
    assert network(images).shape == (5, 3)


@pytest.mark.parametrize(
    "build",
    [CompactCritic, lambda r, c: CompactClassifier(2, r, c), lambda r, c: GroupNormClassifier(2, r, c)],
)
def test_channels_that_do_not_fit_the_resolution_are_refused(build) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="take 16 px, not 64"):
        build(64, [8, 8])
