"""What every GAN of the zoo owes: the same loop, the same run folder, and no leak between players."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from gansynth.gans import GAN, Batch, Run, build_gan, open_run, train_gan
from gansynth.gans.engine.loop import Batches, _move, build_optimizers
from gansynth.gans.export import export_run
from gansynth.gans.gan import _REGISTRY
from gansynth.recipes import GanRecipe, load_recipe, recipe_names
from gansynth.runs.weights import read_weights

from .tiny import SMALL, that_fit, tiny_dataset

COMPACT = [name for name in recipe_names() if name.endswith("-64")]
PAPER = [name for name in recipe_names() if f"{name}-64" in COMPACT]
CHEAP = (
    "reports.classifier_images=64",
    "reports.watch_images=2",
    "training.warm_up=3",
    "training.critic_steps=1",
    "training.decay=none",  # where rates fall with the budget, two steps of two are not the first two of five
)
DATA = tiny_dataset()
CLASSES = DATA.class_names
WARM = 3


def small(name: str, *changes: str) -> GanRecipe:
    """A recipe of the zoo, made tiny: at 16 px for a compact one, at 32 px in narrow tables for a paper's."""
    if name in COMPACT:
        return load_recipe(name, [*that_fit(name, SMALL), *CHEAP, *changes])
    own = [
        "networks.channels=[8,16]",
        "networks.sampling_steps=3",
        "networks.generator=[8,8,8,8]",
        "networks.critic=[8,8,8]",
        "networks.classifier=[8,8,8]",
    ]
    own = that_fit(name, [*own, "networks.projected_edge=32", "networks.width=4"])
    return load_recipe(name, ["resolution=32", "latent=8", "training.batch_size=8", *own, *CHEAP, *changes])


def build(name: str, *changes: str) -> GAN:
    torch.manual_seed(0)
    return build_gan(small(name, *changes), CLASSES)


def batch_for(gan: GAN, step: int = WARM) -> Batch:
    torch.manual_seed(1)
    r, n = gan.recipe.resolution, 8
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])
    latents = torch.randn(n, gan.recipe.latent + getattr(gan.generator, "n_noise", 0))
    return Batch(torch.rand(n, 3, r, r) * 2 - 1, labels, latents, labels.flip(0), step)


def train_small(name: str, out: Path, steps: int, *, resume: bool = False) -> Run:
    return train_gan(DATA, small(name), out, steps=steps, resume=resume, device="cpu", progress=False)


def test_every_gan_has_a_recipe_at_64_and_at_128_px() -> None:
    assert {load_recipe(name).gan for name in COMPACT} == {load_recipe(name).gan for name in PAPER} == set(_REGISTRY)
    assert {load_recipe(name).resolution for name in PAPER} == {128}


def test_all_are_trained_on_the_same_terms() -> None:
    """Batch, sampling of classes, augmentation and the slow generator are not part of a method."""
    recipes = [load_recipe(name) for name in COMPACT if name != "edm-64"]  # not a GAN: it learns much longer
    assert len({(r.training.batch_size, r.training.critic_steps, r.training.ema_half_life) for r in recipes}) == 1
    assert len({(r.sampling.mode, r.sampling.alpha, r.augmentation) for r in recipes}) == 1
    assert len({r.networks.model_dump()["generator"] for r in recipes if r.gan != "dcgan"}) == 1
    critics = {r.networks.model_dump().get("critic", ()) for r in recipes if r.gan != "dcgan"}
    assert len(critics - {()}) == 1  # none where the only critic looks at pretrained features


@pytest.mark.parametrize("name", COMPACT + PAPER)
def test_a_move_changes_its_own_player_only(name: str) -> None:
    """Neither weights nor running statistics nor power iterations of a player at rest."""
    gan, data = build(name), DATA
    if gan.recipe.resolution == 32:
        data = replace(data, images=data.images.repeat(2, 2).repeat(2, 3))
    optimizers, fabric = build_optimizers(gan, gan.recipe), Fabric(accelerator="cpu", devices=1)
    batches = Batches(data, gan.recipe, 8, torch.device("cpu"))
    gan.train()
    for turn in gan.turns():
        before = {k: v.clone() for k, v in gan.state_dict().items()}
        terms = _move(gan, turn, batches.draw(turn, turn.since), optimizers[turn.player], fabric)
        moved = {k.split(".")[0] for k, v in gan.state_dict().items() if not torch.equal(v, before[k])}
        assert moved == {turn.player}
        assert all(term.dtype == torch.float32 and torch.isfinite(term) for term in terms.values())


@pytest.mark.parametrize("name", COMPACT + PAPER)
def test_what_only_generates_makes_the_same_images_and_opens_no_pretrained_network(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gan = build(name).eval()
    monkeypatch.setattr("gansynth.networks.efficientnet_lite.weight_file", None)
    alone = build_gan(gan.recipe, CLASSES, to_generate=True).eval()
    alone.generator.load_state_dict(gan.generator.state_dict())
    for one in (gan, alone):
        one.label_with(lambda images: np.eye(3, dtype=np.float32)[np.arange(len(images)) % 3])
    batch = batch_for(gan)
    with torch.inference_mode():
        made = [one.generate(batch.latents, batch.generated_labels) for one in (gan, alone)]
    assert torch.equal(*made)


@pytest.mark.parametrize("name", COMPACT + PAPER)
def test_the_game_ends_with_one_move_of_the_generator(name: str) -> None:
    gan = build(name)
    due = [turn for turn in gan.turns() if turn.is_due(WARM)]
    assert [turn.player for turn in due][-1] == "generator"
    assert sum(turn.repeats for turn in due if turn.player == "generator") == 1
    assert due[0].repeats == gan.recipe.training.critic_steps


@pytest.mark.parametrize("name", COMPACT)
def test_no_loss_of_another_player_reaches_the_generator(name: str) -> None:
    gan = build(name)
    for turn in gan.turns():
        if turn.player != "generator" and turn.is_due(WARM):
            gan.zero_grad()
            torch.stack(list(turn.loss(batch_for(gan)).values())).sum().backward()
            assert all(p.grad is None for p in gan.generator.parameters())


@pytest.mark.parametrize("name", COMPACT)
def test_logits_meet_one_softmax_only_and_a_penalty_no_batch_norm(name: str) -> None:
    gan = build(name)
    assert not any(isinstance(m, nn.Softmax | nn.LogSoftmax | nn.Sigmoid | nn.LogSigmoid) for m in gan.modules())
    critic = next((turn for turn in gan.turns() if turn.player == "critic"), None)
    if critic is not None and "penalty" in critic.loss(batch_for(gan, step=4 * WARM)):
        assert not any("Norm" in type(m).__name__ for m in gan.critic.modules())  # type: ignore[union-attr]


@pytest.mark.parametrize("name", COMPACT)
def test_the_order_of_a_batch_does_not_matter(name: str) -> None:
    """Each image is judged under its own label, wherever both stand."""
    still = ("augmentation.policy=none", "augmentation.orientations=false", "networks.deviation_group=1")
    gan = build(name, *that_fit(name, still))
    batch, order = batch_for(gan, step=WARM + 2), torch.tensor([6, 2, 0, 7, 1, 4, 3, 5])
    mixed = Batch(
        batch.images[order], batch.labels[order], batch.latents[order], batch.generated_labels[order], batch.step
    )
    for turn in (t for t in gan.turns() if t.is_due(batch.step)):
        gan.eval()  # power iterations stand still
        plain, other = turn.loss(batch), turn.loss(mixed)
        # Drawn at random for each place, or a matter of neighbours in the batch.
        for term in plain.keys() - {"penalty", "wrong_label", "mode_seeking", "denoising"}:
            torch.testing.assert_close(plain[term], other[term], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in COMPACT if name != "c-wgan-gp-64"])
def test_a_run_resumes_exports_and_makes_image_i_of_a_class_whatever_else_is_asked_for(
    name: str, tmp_path: Path
) -> None:
    whole = train_small(name, tmp_path / "whole", 5)
    train_small(name, tmp_path / "parts", 2)
    parts = train_small(name, tmp_path / "parts", 5, resume=True)
    assert whole.model_sha256 == parts.model_sha256
    mine, yours = (read_weights(run.path / "state" / "step-00000005.safetensors")[0] for run in (whole, parts))
    assert mine.keys() == yours.keys()
    assert all(torch.equal(mine[k], yours[k]) for k in mine)
    generate = open_run(tmp_path / "whole").generator()
    images = generate(1, np.arange(32))
    assert images.dtype == np.uint8
    assert images.shape == (32, 3, 16, 16)
    np.testing.assert_array_equal(generate(1, np.array([7, 3, 31])), images[[7, 3, 31]])
    exported = export_run(whole, tmp_path / "small").generator()(1, np.arange(32))
    assert np.abs(exported.astype(int) - images).mean() < 30
