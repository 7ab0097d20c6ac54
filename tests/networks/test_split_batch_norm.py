"""Batch norms beside synthetic images: what they learn from, and that nothing of it is left in the network."""

from __future__ import annotations

import pytest
import torch
from timm.layers import BatchNormAct2d
from torch import nn
from torch.nn import functional as F

from gansynth.networks.sequential_cnn import SequentialCNN
from gansynth.networks.split_batch_norm import SplitBatchNorm2d, joined, say_how_many_are_real, split


@pytest.fixture
def batch() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(6, 3, 5, 5, generator=generator)
    return torch.cat([real, 4 + 2 * torch.randn(3, 3, 5, 5, generator=generator)])


@pytest.mark.parametrize("statistics", ["real", "own"])
def test_real_images_are_normalised_as_if_they_were_alone(batch: torch.Tensor, statistics: str) -> None:
    alone, norm = nn.BatchNorm2d(3), SplitBatchNorm2d(nn.BatchNorm2d(3), statistics)  # type: ignore[arg-type]
    norm.real = 6
    assert torch.allclose(norm(batch)[:6], alone(batch[:6]), atol=1e-6)
    assert torch.allclose(norm.norm.running_mean, alone.running_mean)
    assert torch.allclose(norm.norm.running_var, alone.running_var)


def test_synthetic_images_are_normalised_by_the_statistics_of_the_real_ones_and_do_not_change_them(
    batch: torch.Tensor,
) -> None:
    norm = SplitBatchNorm2d(nn.BatchNorm2d(3), "real")
    norm.real = 6
    mean, variance = batch[:6].mean((0, 2, 3)), batch[:6].var((0, 2, 3), correction=0)
    expected = F.batch_norm(batch[6:], mean, variance, eps=norm.norm.eps)
    assert torch.allclose(norm(batch)[6:], expected, atol=1e-5)


@pytest.mark.parametrize("statistics", ["real", "own"])
def test_the_activation_within_a_normalisation_is_that_of_all_images(batch: torch.Tensor, statistics: str) -> None:
    """timm's networks have it there: a pretrained backbone once saw synthetic images without any."""
    norm = SplitBatchNorm2d(BatchNormAct2d(3, act_layer=nn.ReLU6), statistics)  # type: ignore[arg-type]
    plain = SplitBatchNorm2d(nn.BatchNorm2d(3), statistics)  # type: ignore[arg-type]
    norm.real = plain.real = 6
    assert torch.allclose(norm(batch), F.relu6(plain(batch)), atol=1e-6)
    assert torch.allclose(norm(batch)[:6], BatchNormAct2d(3, act_layer=nn.ReLU6)(batch[:6]), atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_gradients_are_those_of_the_formula(batch: torch.Tensor, dtype: torch.dtype) -> None:
    """Of the maps, of weight and bias; in bfloat16 to its rounding, also where the mean is large beside the spread."""
    torch.manual_seed(1)
    norm = SplitBatchNorm2d(nn.BatchNorm2d(3).double(), "real")
    norm.real = 6
    with torch.no_grad():
        norm.norm.weight.copy_(torch.randn(3))
    x = (batch.double() + torch.tensor([0.0, 3.0, -8.0])[:, None, None]).to(dtype).requires_grad_()
    towards = torch.randn(batch.shape, dtype=torch.float64)

    def formula(x: torch.Tensor) -> torch.Tensor:
        mean, variance = x[:6].mean((0, 2, 3), keepdim=True), x[:6].var((0, 2, 3), correction=0, keepdim=True)
        weight, bias = norm.norm.weight[:, None, None], norm.norm.bias[:, None, None]
        return weight * (x - mean) / (variance + norm.norm.eps).sqrt() + bias

    given = (x, norm.norm.weight, norm.norm.bias)
    expected = torch.autograd.grad(formula(x.double()), given, towards)
    if dtype != torch.float64:
        norm.norm.float()
        given = (x, norm.norm.weight, norm.norm.bias)
    found = torch.autograd.grad(norm(x), given, towards.to(dtype))
    close = {torch.float64: 1e-9, torch.float32: 1e-4, torch.bfloat16: 0.03}[dtype]
    for mine, theirs in zip(found, expected, strict=True):
        assert (mine.double() - theirs).abs().max() < close * theirs.abs().max()


def test_the_loss_of_synthetic_images_does_not_pull_at_what_the_statistics_undo(batch: torch.Tensor) -> None:
    """Scale and shift of what is normalised: with statistics taken for constants a training ran away along them."""
    norm = SplitBatchNorm2d(nn.BatchNorm2d(3), "real")
    norm.real = 6
    scale, shift = torch.ones(3, 1, 1, requires_grad=True), torch.zeros(3, 1, 1, requires_grad=True)
    found = norm(scale * batch + shift)[6:]
    (found * torch.linspace(-1, 2, found.numel()).view_as(found)).sum().backward()
    assert scale.grad is not None and shift.grad is not None and norm.norm.bias.grad is not None
    least = 1e-3 * norm.norm.bias.grad.abs().max()  # not nothing: the epsilon beside the variance is no part of them
    assert scale.grad.abs().max() < least and shift.grad.abs().max() < least


def test_with_statistics_of_their_own_synthetic_images_are_normalised_apart(batch: torch.Tensor) -> None:
    norm = SplitBatchNorm2d(nn.BatchNorm2d(3), "own")
    norm.real = 6
    found = norm(batch)[6:]
    assert found.mean((0, 2, 3)).abs().max() < 1e-5 and norm.auxiliary is not None
    assert (norm.auxiliary.running_mean - 0.1 * batch[6:].mean((0, 2, 3))).abs().max() < 1e-5


def test_a_network_is_split_and_joined_and_predicts_by_the_statistics_of_real_images(batch: torch.Tensor) -> None:
    torch.manual_seed(0)
    network = SequentialCNN(2, 16, (4, 4, 4, 4))
    names = list(network.state_dict())
    split(network, "own")
    assert sum(isinstance(module, SplitBatchNorm2d) for module in network.modules()) == 4
    images = torch.rand(6, 3, 16, 16)
    say_how_many_are_real(network, 4)
    network(images).sum().backward()
    within = network.eval()(images)
    assert list(joined(network).state_dict()) == names
    assert torch.equal(network(images), within)
