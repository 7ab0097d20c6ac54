"""Eq. 3 and 4 of hazra2022, and the ways a gradient penalty goes wrong in widely copied code."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from gansynth.gans.wasserstein import critic_loss, gradient_penalty, interpolate


def test_critic_loss_is_eq_3_with_the_sign_turned() -> None:
    real, generated = torch.tensor([3.0, 5.0]), torch.tensor([1.0, -1.0])
    assert critic_loss(real, generated).item() == -(4.0 - 0.0)


@given(st.floats(0.01, 10), st.integers(0, 1000))
def test_penalty_of_a_linear_critic_is_its_slope_minus_one_squared(slope: float, seed: int) -> None:
    torch.manual_seed(seed)
    weight = torch.randn(3 * 4 * 4)
    weight = slope * weight / weight.norm()
    penalty = gradient_penalty(lambda x: x.flatten(1) @ weight, torch.randn(5, 3, 4, 4))
    torch.testing.assert_close(penalty, torch.tensor((slope - 1) ** 2), rtol=1e-3, atol=1e-5)


def test_penalty_equals_gulrajanis_formula_on_a_network() -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Conv2d(3, 4, 3), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(4 * 6 * 6, 1))
    images = torch.randn(6, 3, 8, 8)
    per_image = []
    for image in images:
        x = image[None].clone().requires_grad_()
        per_image.append((torch.autograd.grad(critic(x), x)[0].norm() - 1) ** 2)
    torch.testing.assert_close(gradient_penalty(lambda x: critic(x).squeeze(1), images), torch.stack(per_image).mean())


def test_interpolation_weights_are_uniform_and_one_for_each_image() -> None:
    """A normal instead of a uniform weight leaves the line between the two images."""
    torch.manual_seed(0)
    points = interpolate(torch.ones(4000, 3, 2, 2), torch.zeros(4000, 3, 2, 2)).flatten(1)
    assert (points == points[:, :1]).all()
    weights = points[:, 0]
    assert weights.min() >= 0
    assert weights.max() <= 1
    assert torch.histc(weights, 4, 0, 1).min() > 900


def test_gradient_of_the_penalty_is_finite_where_the_critic_is_flat() -> None:
    """The square root without an epsilon has an infinite slope at zero."""
    critic = nn.Linear(12, 1)
    nn.init.zeros_(critic.weight)
    gradient_penalty(lambda x: critic(x.flatten(1)).squeeze(1), torch.randn(2, 3, 2, 2)).backward()
    assert critic.weight.grad is not None
    assert torch.isfinite(critic.weight.grad).all()


@pytest.mark.parametrize("n", [4, 8, 14, 16, 32])
def test_under_bf16_the_penalty_keeps_its_value_and_the_direction_of_its_gradient(n: int) -> None:
    """Not so everywhere: for less than 16 images a processor with AMX would give it another direction."""
    torch.manual_seed(0)
    critic = nn.Sequential(
        nn.Conv2d(3, 16, 5, 2, 2), nn.LeakyReLU(0.2), nn.Conv2d(16, 16, 3, 1, 1), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(16 * 64, 1),
    )  # fmt: skip
    images = torch.randn(n, 3, 16, 16)

    def run(bf16: bool) -> tuple[torch.Tensor, torch.Tensor]:
        critic.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            penalty = gradient_penalty(lambda x: critic(x).squeeze(1).float(), images)
        penalty.backward()
        return penalty.detach(), torch.cat([p.grad.flatten() for p in critic.parameters() if p.grad is not None])

    exact, exact_gradient = run(False)
    rough, rough_gradient = run(True)
    assert rough.dtype == torch.float32
    assert rough.item() == pytest.approx(exact.item(), rel=0.02)
    assert torch.cosine_similarity(exact_gradient, rough_gradient, dim=0) > 0.999
