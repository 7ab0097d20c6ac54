"""What Radford et al. 2016, section 3, ask of the networks."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gansynth.networks.dcgan import Discriminator, Generator


def test_sizes() -> None:
    generator, discriminator = Generator(10, [16, 12, 8, 6, 99]), Discriminator(64, [6, 8, 12, 16])
    images = generator(torch.randn(3, 10))
    assert images.shape == (3, 3, 64, 64)
    assert images.abs().max() <= 1
    assert discriminator(images).shape == (3,)
    with pytest.raises(ValueError, match="take 32 px, not 64"):
        Discriminator(64, [6, 8, 12])


def test_convolutions_alone_change_the_size_and_no_layer_is_fully_connected() -> None:
    for network in (Generator(10, [16, 12, 8, 6, 4]), Discriminator(64, [6, 8, 12, 16])):
        assert not any(isinstance(m, nn.Linear | nn.MaxPool2d | nn.AvgPool2d | nn.Upsample) for m in network.modules())


def test_all_is_batch_normalised_but_the_generators_output_and_the_discriminators_input() -> None:
    generator, discriminator = Generator(10, [16, 12, 8, 6, 4]), Discriminator(64, [6, 8, 12, 16])
    assert [m.num_features for m in generator.modules() if isinstance(m, nn.BatchNorm2d)] == [16, 12, 8, 6]
    assert [m.num_features for m in discriminator.modules() if isinstance(m, nn.BatchNorm2d)] == [8, 12, 16]


def test_weights_begin_normal_with_a_deviation_of_two_hundredths() -> None:
    torch.manual_seed(0)
    for network in (Generator(64, [64, 64, 32, 32, 4]), Discriminator(64, [32, 32, 64, 64])):
        weights = torch.cat(
            [m.weight.flatten() for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
        )
        assert weights.detach().std() == pytest.approx(0.02, rel=0.02)


def test_once_trained_an_image_does_not_depend_on_its_batch() -> None:
    generator = Generator(10, [16, 12, 8]).eval()
    z = torch.randn(4, 10)
    torch.testing.assert_close(generator(z)[:1], generator(z[:1]))
