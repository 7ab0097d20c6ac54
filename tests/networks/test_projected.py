"""The critic that looks through a pretrained network: what of it learns, what of it is kept, what it sees."""

from __future__ import annotations

import torch

from gansynth.networks.projected import ProjectedCritic


def critic(edge: int = 32, group: int = 1) -> ProjectedCritic:
    torch.manual_seed(0)
    return ProjectedCritic(3, edge, group)


def images(n: int = 2) -> torch.Tensor:
    return torch.rand(n, 3, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_every_place_of_every_head_gives_a_score() -> None:
    assert critic(128)(images(), torch.tensor([0, 1])).shape == (2, 64)


def test_only_the_heads_learn_and_are_kept() -> None:
    names = [name for name, _ in critic().named_parameters()]
    assert names
    assert all(name.startswith("heads.") for name in names)
    assert all(name.startswith("heads.") for name in critic().state_dict())


def test_what_nobody_trains_is_the_same_in_every_critic() -> None:
    """Else a resumed training would look at other mixtures than the one before."""
    torch.manual_seed(1)
    first = ProjectedCritic(3, 32)
    torch.manual_seed(2)
    second = ProjectedCritic(3, 32)
    second.load_state_dict(first.state_dict())
    labels = torch.tensor([0, 1])
    torch.testing.assert_close(first.eval()(images(), labels), second.eval()(images(), labels))


def test_the_generator_learns_through_the_frozen_network() -> None:
    x = images().requires_grad_()
    critic()(x, torch.tensor([0, 1])).sum().backward()
    assert x.grad is not None
    assert float(x.grad.abs().sum()) > 0


def test_the_frozen_network_follows_a_conversion() -> None:
    double = critic().double()
    assert double(images().double(), torch.tensor([0, 1])).dtype == torch.float32
    assert next(double._frozen[0].parameters()).dtype == torch.float64


def test_the_label_changes_the_score_and_so_does_a_groups_spread() -> None:
    judge = critic(group=2).eval()
    x, zero = images(2), torch.tensor([0, 0])
    assert not torch.equal(judge(x, zero), judge(x, torch.tensor([1, 1])))
    together, alone = judge(x, zero)[0], judge(x[[0, 0]], zero)[0]
    assert not torch.equal(together, alone)
