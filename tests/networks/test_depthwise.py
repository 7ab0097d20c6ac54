from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from gansynth.networks.backbone import Backbone
from gansynth.networks.depthwise import with_fast_depthwise
from gansynth.networks.efficientnet_lite import LiteStages


def gradients(conv: nn.Conv2d, x: torch.Tensor, *, bf16: bool) -> tuple[torch.Tensor, torch.Tensor, torch.dtype]:
    x = x.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        y = conv(x)
    towards = torch.randn(y.shape, generator=torch.Generator().manual_seed(1))
    of_x, of_weight = torch.autograd.grad((y.float() * towards).sum(), (x, conv.weight))
    return of_x, of_weight, y.dtype


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2)])
def test_gradients_of_depthwise_convolutions_are_those_of_float32(kernel: int, stride: int) -> None:
    torch.manual_seed(0)
    plain = nn.Conv2d(8, 8, kernel, stride=stride, padding=kernel // 2, groups=8)
    fast = with_fast_depthwise(copy.deepcopy(plain))
    x = torch.randn(16, 8, 12, 12)
    expected, expected_weight, _ = gradients(plain, x, bf16=False)
    of_x, of_weight, dtype = gradients(fast, x, bf16=True)
    assert dtype == torch.bfloat16  # what follows stays fast
    assert torch.cosine_similarity(of_x.flatten(), expected.flatten(), dim=0) > 0.9999
    assert torch.cosine_similarity(of_weight.flatten(), expected_weight.flatten(), dim=0) > 0.9999


def precisions(network: nn.Module, run: object) -> set[tuple[int, int, torch.dtype]]:
    """Return kernel, stride and dtype of what each depthwise convolution of a network was computed in."""
    seen = set()
    convolve = torch.ops.aten.convolution.default

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            if function is convolve and args[8] > 1:
                seen.add((args[1].shape[-1], args[3][0], args[0].dtype))
            return function(*args, **(kwargs or {}))

    with Watch(), torch.autocast("cpu", torch.bfloat16):
        run()  # type: ignore[operator]
    return seen


def test_only_what_is_slow_in_bfloat16_is_computed_in_float32() -> None:
    bf16, f32 = torch.bfloat16, torch.float32
    stages, images = LiteStages(0, last=4), torch.randn(2, 3, 64, 64)
    # Where they stride, kernels of 3 and 5 have a row of zeros before them (`SameConv2d`).
    assert precisions(stages, lambda: stages(images)) == {(3, 1, bf16), (5, 1, bf16), (4, 2, bf16), (6, 2, bf16)}
    towards_images = precisions(stages, lambda: stages(images.requires_grad_()))  # a critic's: its weights rest
    assert towards_images == {(3, 1, bf16), (5, 1, bf16), (4, 2, f32), (6, 2, f32)}
    trunk = nn.Sequential(
        nn.Conv2d(3, 4, 1),
        nn.Conv2d(4, 4, 5, groups=4),
        nn.Conv2d(4, 4, 3, groups=4),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    names = list(trunk.state_dict())
    tuned = Backbone(trunk, 4, 2, input_size=16, mean=(0.5,) * 3, std=(0.5,) * 3).train()
    assert list(tuned.trunk.state_dict()) == names
    assert precisions(tuned, lambda: tuned(torch.randn(2, 3, 16, 16))) == {(5, 1, f32), (3, 1, f32)}
    with torch.no_grad():
        assert precisions(tuned, lambda: tuned(torch.randn(2, 3, 16, 16))) == {(5, 1, bf16), (3, 1, bf16)}
