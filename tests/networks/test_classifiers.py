from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gansynth.networks.backbone import Backbone
from gansynth.networks.custom_cnn import CustomCNN
from gansynth.networks.pooled_norm import convolved_normed_pooled
from gansynth.networks.sequential_cnn import SequentialCNN


def layers() -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    convolution, norm = nn.Conv2d(3, 8, 5, 2, 2, bias=False).double(), nn.BatchNorm2d(8).double()
    with torch.no_grad():
        for tensor in (norm.weight, norm.bias, norm.running_mean):  # weights of both signs
            assert tensor is not None
            tensor.normal_()
    return convolution, norm


@pytest.mark.parametrize("training", [True, False])
def test_taking_the_maxima_first_changes_no_value_no_gradient_and_no_statistic(training: bool) -> None:
    torch.manual_seed(0)
    convolution, norm = layers()
    theirs, their_norm = copy.deepcopy(convolution), copy.deepcopy(norm)
    norm.train(training), their_norm.train(training)
    x = torch.randn(4, 3, 18, 18, dtype=torch.double).contiguous(memory_format=torch.channels_last).requires_grad_()
    y = x.detach().clone().requires_grad_()
    ours = convolved_normed_pooled(x, convolution, norm, 0.1)
    usual = F.max_pool2d(F.leaky_relu(their_norm(theirs(y)), 0.1), 2)
    gradient = torch.randn_like(usual)
    ours.backward(gradient)
    usual.backward(gradient)
    assert torch.allclose(ours, usual, atol=1e-12) and torch.allclose(x.grad, y.grad, atol=1e-12)  # type: ignore[arg-type]
    ours_all, theirs_all = (
        [*convolution.parameters(), *norm.parameters()],
        [*theirs.parameters(), *their_norm.parameters()],
    )
    for p, q in zip(ours_all, theirs_all, strict=True):
        assert torch.allclose(p.grad, q.grad, atol=1e-10)  # type: ignore[arg-type]
    for p, q in zip(norm.buffers(), their_norm.buffers(), strict=True):
        assert torch.allclose(p, q)


@pytest.mark.parametrize(("resolution", "stride"), [(64, 1), (128, 2), (72, 2), (35, 2)])
def test_sequential_cnn_gives_logits_at_every_size(resolution: int, stride: int) -> None:
    network = SequentialCNN(5, resolution, (4, 4, 4, 8), kernel=5, stride=stride)
    assert network(torch.zeros(2, 3, resolution, resolution)).shape == (2, 5)


def test_sequential_cnn_is_four_times_convolution_norm_leaky_relu_and_pooling() -> None:
    kinds = [nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU, nn.MaxPool2d] * 4
    network = SequentialCNN(11, 128)
    assert [type(layer) for stage in network.stages for layer in stage.children()] == kinds
    assert isinstance(network.dropout, nn.Dropout) and isinstance(network.logits, nn.Linear)


def test_custom_cnn_has_as_many_parameters_as_in_figure_9() -> None:
    assert sum(p.numel() for p in CustomCNN(11, 224).parameters()) == 3_310_251


class Trunk(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen = x
        return self.norm(self.layer(x)).mean(dim=(2, 3))


def test_a_backbone_sees_the_size_and_the_scale_it_was_trained_with() -> None:
    network = Backbone(Trunk(), 4, 3, input_size=24, mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.5))
    white, grey = torch.ones(2, 3, 16, 16), torch.full((2, 3, 16, 16), 0.0)
    assert network(white).shape == (2, 3)
    assert torch.allclose(network.trunk.seen[0, :, 12, 12], torch.tensor([2.5, 2.4, 1.4]))
    network(grey)
    assert torch.allclose(network.trunk.seen[0, :, 12, 12], torch.tensor([0.0, 0.4, 0.4]), atol=1e-6)


def test_a_frozen_trunk_neither_learns_nor_changes_its_statistics() -> None:
    network = Backbone(Trunk(), 4, 3, input_size=16, mean=(0.5,) * 3, std=(0.5,) * 3, frozen=True).train()
    before = copy.deepcopy(network.trunk.state_dict())
    network(torch.randn(4, 3, 16, 16)).sum().backward()
    assert all(p.grad is None for p in network.trunk.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in network.trunk.state_dict().items())
    assert network.head.weight.grad is not None
