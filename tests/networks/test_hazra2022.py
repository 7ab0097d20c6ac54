"""Tables 3, 4 and 5 of hazra2022: shapes layer by layer, and parameters counted by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gansynth.networks.hazra2022 import Classifier, Critic, Generator, PreActivationBlock

BLOCK = 2 * (64 * 64 * 9 + 64)
DECONVOLUTION = 64 * 64 * 25 + 64
STEM = 3 * 64 * 25 + 64


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def shapes_of(network: nn.Module, layers: dict[str, str], *inputs: torch.Tensor) -> dict[str, tuple[int, ...]]:
    seen: dict[str, tuple[int, ...]] = {}
    modules = dict(network.named_modules())
    hooks = [
        modules[path].register_forward_hook(lambda _m, _i, out, name=name: seen.update({name: tuple(out.shape[1:])}))
        for name, path in layers.items()
    ]
    with torch.no_grad():
        network(*inputs)
    for hook in hooks:
        hook.remove()
    return seen


def test_generator_has_the_layers_of_table_3_and_three_channels_at_the_end() -> None:
    generator = Generator(n_classes=12)
    layers = {
        "fully connected": "fully_connected",
        "residual (2) at 32": "blocks1",
        "deconvolution to 64": "deconvolution1",
        "residual (4) at 64": "blocks2",
        "deconvolution to 128": "deconvolution2",
        "residual (2) at 128": "blocks3",
        "deconvolution s=1": "deconvolution3",
    }
    seen = shapes_of(generator, layers, torch.randn(1, 500), torch.tensor([3]))
    assert seen == {
        "fully connected": (64 * 32 * 32,),
        "residual (2) at 32": (64, 32, 32),
        "deconvolution to 64": (64, 64, 64),
        "residual (4) at 64": (64, 64, 64),
        "deconvolution to 128": (64, 128, 128),
        "residual (2) at 128": (64, 128, 128),
        "deconvolution s=1": (3, 128, 128),
    }
    fully_connected = (500 + 12) * 65536 + 65536
    last = 64 * 3 * 25 + 3
    assert count(generator) == fully_connected + 8 * BLOCK + 2 * DECONVOLUTION + last == 34_420_547


@pytest.mark.parametrize(
    ("network", "last", "parameters"),
    [(Critic(), 1, 1_267_969), (Classifier(12), 12, 1_269_388)],
    ids=["critic, table 4", "classifier, table 5"],
)
def test_critic_and_classifier_have_the_layers_of_tables_4_and_5(
    network: nn.Module, last: int, parameters: int
) -> None:
    layers = {
        "convolution": "trunk.convolution",
        "residual (2)": "trunk.blocks1",
        "residual (4) at 32": "trunk.blocks2",
        "residual (4) at 16": "trunk.blocks3",
        "fully connected": "trunk.fully_connected",
        "last": "score" if last == 1 else "logits",
    }
    assert shapes_of(network, layers, torch.randn(1, 3, 128, 128)) == {
        "convolution": (64, 64, 64),
        "residual (2)": (64, 64, 64),
        "residual (4) at 32": (64, 32, 32),
        "residual (4) at 16": (64, 16, 16),
        "fully connected": (128,),
        "last": (last,),
    }
    fully_connected = 64 * 8 * 8 * 128 + 128 + 128 * last + last
    assert count(network) == STEM + 10 * BLOCK + fully_connected == parameters


def test_a_residual_block_of_zero_weights_is_the_identity() -> None:
    block = PreActivationBlock(4)
    for p in block.parameters():
        nn.init.zeros_(p)
    x = torch.randn(2, 4, 5, 5)
    assert torch.equal(block(x), x)


def test_images_lie_in_the_range_of_tanh_and_follow_the_label() -> None:
    torch.manual_seed(0)
    generator = Generator(n_classes=3, latent=8, width=8, resolution=32)
    z = torch.randn(1, 8).repeat(3, 1)
    images = generator(z, torch.arange(3))
    assert images.shape == (3, 3, 32, 32)
    assert images.abs().max() <= 1
    assert not torch.equal(images[0], images[1])
