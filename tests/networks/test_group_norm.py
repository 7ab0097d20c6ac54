"""Group normalisation that keeps type and memory order, against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gansynth.networks.group_norm import GroupNorm, group_norm


def given(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    x = (3 + 2 * torch.randn(3, 12, 5, 7)).to(dtype, memory_format=torch.channels_last)
    return x, torch.randn(3, 12), torch.randn(3, 12)


def by_torch(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return shift[:, :, None, None] + scale[:, :, None, None] * F.group_norm(x, 4)


def test_it_is_torchs_own_whether_or_not_a_gradient_is_asked_for() -> None:
    x, scale, shift = given()
    torch.testing.assert_close(group_norm(x, 4, scale, shift), by_torch(x, scale, shift), rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(group_norm(x, 4, scale, shift), by_torch(x, scale, shift), rtol=1e-4, atol=1e-5)


def test_its_gradient_is_that_of_the_formula() -> None:
    x, scale, shift = (t.double().requires_grad_() for t in given())
    assert torch.autograd.gradcheck(lambda *tensors: GroupNorm.apply(tensors[0], 4, *tensors[1:]), (x, scale, shift))
    mine = torch.autograd.grad(group_norm(x, 4, scale, shift).pow(3).sum(), (x, scale, shift))
    theirs = torch.autograd.grad(by_torch(x, scale, shift).pow(3).sum(), (x, scale, shift))
    torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("autocast", [False, True])
def test_sixteen_bits_stay_sixteen_bits_and_near_the_truth(autocast: bool) -> None:
    x, scale, shift = given(torch.bfloat16)
    x.requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        y = group_norm(x, 4, scale, shift)
    y.float().square().sum().backward()
    assert y.dtype == torch.bfloat16
    assert y.is_contiguous(memory_format=torch.channels_last)
    assert x.grad is not None and x.grad.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(y.float(), by_torch(x.float(), scale, shift), rtol=0, atol=0.06)


def test_a_constant_image_is_its_shift() -> None:
    x, scale, shift = given()
    flat = group_norm(torch.full_like(x, 7.0), 4, scale, shift)
    torch.testing.assert_close(flat, shift[:, :, None, None].expand_as(x), rtol=0, atol=0.02)
