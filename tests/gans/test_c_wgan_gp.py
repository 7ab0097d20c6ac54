"""The three-player game: who learns from what."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gansynth.gans import build_gan
from gansynth.gans.engine.ema import Ema
from gansynth.gans.gan import Batch
from gansynth.gans.methods.c_wgan_gp import CWGANGP, mode_seeking
from gansynth.recipes import load_recipe

from .tiny import tiny_recipe

PAPER = ["resolution=32", "networks.width=8", "latent=8"]


@pytest.fixture(params=["compact", "hazra2022"])
def gan(request: pytest.FixtureRequest) -> CWGANGP:
    torch.manual_seed(0)
    plain = ["augmentation.policy=none", "augmentation.orientations=false"]
    recipe = tiny_recipe(*plain) if request.param == "compact" else load_recipe("c-wgan-gp", [*PAPER, *plain])
    built = build_gan(recipe, ["a", "b", "c"])
    assert isinstance(built, CWGANGP)
    return built


def batch_for(gan: CWGANGP, n: int = 4) -> Batch:
    r = gan.recipe.resolution
    labels = torch.arange(n) % 3
    return Batch(torch.rand(n, 3, r, r) * 2 - 1, labels, torch.randn(n, gan.recipe.latent), labels.flip(0), step=0)


def gradients(network: nn.Module) -> list[torch.Tensor]:
    return [p.grad for p in network.parameters() if p.grad is not None and p.grad.abs().sum() > 0]


def test_players_are_attributes_and_take_their_turns_in_order(gan: CWGANGP) -> None:
    assert [t.player for t in gan.turns()] == ["critic", "classifier", "generator"]
    assert gan.turns()[0].repeats == gan.recipe.training.critic_steps


def test_before_the_game_the_classifier_learns_alone() -> None:
    gan = build_gan(tiny_recipe("training.warm_up=2"), ["a", "b"])
    assert [[turn.player for turn in gan.turns() if turn.is_due(step)] for step in (0, 1, 2)] == [
        ["classifier"],
        ["classifier"],
        ["critic", "classifier", "generator"],
    ]


def test_the_critics_loss_is_never_propagated_into_the_generator(gan: CWGANGP) -> None:
    torch.stack(list(gan.critic_loss(batch_for(gan)).values())).sum().backward()
    assert gradients(gan.critic)
    assert not gradients(gan.generator)
    assert not gradients(gan.classifier)


def test_the_classifier_learns_from_real_images_only(gan: CWGANGP) -> None:
    batch = batch_for(gan)
    terms = gan.classifier_loss(batch)
    expected = F.cross_entropy(gan.classifier(batch.images), batch.labels)
    torch.testing.assert_close(terms["real"], gan.recipe.losses.classifier_real * expected)
    terms["real"].backward()
    assert gradients(gan.classifier)
    assert not gradients(gan.generator)


def test_the_classifier_learns_from_generated_images_where_the_recipe_says_so() -> None:
    gan = build_gan(tiny_recipe("losses.classifier_generated=0.5", "training.warm_up=2"), ["a", "b", "c"])
    assert isinstance(gan, CWGANGP)
    batch = batch_for(gan)
    assert set(gan.classifier_loss(batch)) == {"real"}, "before the game there is nothing to learn from"
    terms = gan.classifier_loss(replace(batch, step=2))
    terms["generated"].backward()
    assert gradients(gan.classifier) and not gradients(gan.generator)
    assert "generated" not in CWGANGP(tiny_recipe(), 3).classifier_loss(batch)


def test_the_papers_recipe_keeps_the_last_generator_and_alters_and_tempers_nothing() -> None:
    paper = load_recipe("c-wgan-gp-paper", PAPER)
    assert paper.sampling.mode == "natural" and paper.training.steps == 50 * 256
    gan = build_gan(paper, ["a", "b", "c"])
    images = torch.rand(2, 3, 32, 32)
    assert gan.augment(images) is images or torch.equal(gan.augment(images), images)
    slow = Ema(gan.generator, paper.training.ema_half_life, paper.training.ema_ramp)
    with torch.no_grad():
        for weight in gan.generator.parameters():
            weight.add_(1)
    slow.update(paper.training.batch_size, paper.training.batch_size)
    for kept, last in zip(slow.network.parameters(), gan.generator.parameters(), strict=True):
        torch.testing.assert_close(kept, last)


def test_the_generator_learns_from_critic_and_classifier(gan: CWGANGP) -> None:
    for term in ("critic", "class"):
        gan.zero_grad()
        gan.generator_loss(batch_for(gan))[term].backward()
        assert gradients(gan.generator), term


def test_the_classifier_gives_logits_and_the_loss_adds_the_only_softmax(gan: CWGANGP) -> None:
    """A softmax before the cross entropy flattens its gradient (a bug of widely copied AC-GANs)."""
    images = torch.rand(6, 3, gan.recipe.resolution, gan.recipe.resolution)
    logits = gan.classifier(images)
    assert not torch.allclose(logits.sum(dim=1), torch.ones(6))
    assert not any(isinstance(m, nn.Softmax | nn.LogSoftmax) for m in gan.modules())


def test_no_batch_normalisation_anywhere_in_the_critic(gan: CWGANGP) -> None:
    assert not any("Norm" in type(m).__name__ for m in gan.critic.modules())


def test_real_and_generated_images_in_one_pass_score_as_in_two(gan: CWGANGP) -> None:
    batch = batch_for(gan)
    generated = gan.generate_detached(batch)
    together = gan.score(torch.cat([batch.images, generated]), torch.cat([batch.labels, batch.generated_labels]))
    apart = torch.cat([gan.score(batch.images, batch.labels), gan.score(generated, batch.generated_labels)])
    torch.testing.assert_close(together, apart)


def test_a_lazy_penalty_costs_nothing_between_and_counts_in_full_when_due() -> None:
    torch.manual_seed(0)
    gan = build_gan(tiny_recipe("augmentation.policy=none", "losses.penalty_every=4"), ["a", "b", "c"])
    assert isinstance(gan, CWGANGP)
    batch = batch_for(gan)
    lazy = {}
    for step in range(8):
        torch.manual_seed(1)
        terms = gan.critic_loss(Batch(batch.images, batch.labels, batch.latents, batch.generated_labels, step))
        if "penalty" in terms:
            lazy[step] = terms["penalty"].item()
    eager = build_gan(tiny_recipe("augmentation.policy=none", "losses.penalty_every=1"), ["a", "b", "c"])
    assert isinstance(eager, CWGANGP)
    eager.load_state_dict(gan.state_dict())
    torch.manual_seed(1)
    assert sorted(lazy) == [0, 4]
    assert lazy[4] == pytest.approx(4 * eager.critic_loss(batch)["penalty"].item(), rel=1e-5)


def test_mode_seeking_falls_as_images_of_a_class_grow_apart(gan: CWGANGP) -> None:
    batch = batch_for(gan, 6)
    same = torch.zeros_like(batch.images)
    assert mode_seeking(batch.images, batch) < mode_seeking(0.1 * batch.images, batch) < mode_seeking(same, batch)


def test_mode_seeking_looks_at_the_white_cell_not_at_what_lies_around_it(gan: CWGANGP) -> None:
    batch, edge = batch_for(gan), gan.recipe.resolution
    inside = slice(edge // 4, edge - edge // 4)
    same_cell = batch.images.clone()
    same_cell[..., inside, inside] = same_cell[:1, :, inside, inside]
    alike = batch.images[:1].expand_as(batch.images)
    torch.testing.assert_close(mode_seeking(same_cell, batch), mode_seeking(alike, batch))
