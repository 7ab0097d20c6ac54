"""Each method against its paper: losses on hand-made logits, who sees a label, how a named class is made."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gansynth.errors import InputError
from gansynth.gans import GAN
from gansynth.gans.adversarial import (
    binary_critic_loss,
    binary_generator_loss,
    hinge_critic_loss,
    hinge_generator_loss,
)
from gansynth.gans.engine.ema import Ema
from gansynth.gans.engine.training import align, some_of_each_class
from gansynth.gans.methods.bagan_gp import BAGANGP
from gansynth.gans.methods.dcgan import CANDIDATES, DCGAN
from gansynth.gans.methods.infogan import InfoGAN
from gansynth.networks.images import to_uint8
from gansynth.recipes import load_recipe

from .test_every_gan import DATA, batch_for, build

REAL, GENERATED = torch.tensor([2.0, -0.5, 0.1, 3.0] * 2), torch.tensor([-1.0, 0.3, 4.0, -2.0] * 2)
LOGITS = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))


class Says(nn.Module):
    """A critic that says what it was told to, for a batch of real then generated images, or of generated ones."""

    def __init__(self, *, two_heads: bool) -> None:
        super().__init__()
        self.two_heads = two_heads

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        both = len(images) == 16
        scores = torch.cat([REAL, GENERATED]) if both else GENERATED
        logits = torch.cat([LOGITS, LOGITS.flip(0)]) if both else LOGITS.flip(0)
        return (scores, logits) if self.two_heads else scores


def terms_of(gan: GAN, two_heads: bool) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    gan.critic = Says(two_heads=two_heads)
    batch = batch_for(gan, step=5)
    return gan.critic_loss(batch), gan.generator_loss(batch)  # type: ignore[operator]


def bce(logits: Tensor, target: float) -> Tensor:
    return F.binary_cross_entropy(torch.sigmoid(logits.double()), torch.full_like(logits, target).double()).float()


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return -torch.log(torch.softmax(logits, dim=1)[torch.arange(len(labels)), labels]).mean()


def test_losses_on_logits_equal_their_formulas() -> None:
    torch.testing.assert_close(binary_critic_loss(REAL, GENERATED), bce(REAL, 1) + bce(GENERATED, 0))
    torch.testing.assert_close(binary_generator_loss(GENERATED), bce(GENERATED, 1))
    hinge = (1 - REAL).clamp(min=0).mean() + (1 + GENERATED).clamp(min=0).mean()
    torch.testing.assert_close(hinge_critic_loss(REAL, GENERATED), hinge)
    torch.testing.assert_close(hinge_generator_loss(GENERATED), -GENERATED.mean())


def test_logits_of_any_size_give_finite_losses_and_gradients() -> None:
    far = torch.tensor([1e4, -1e4], requires_grad=True)
    (gradient,) = torch.autograd.grad(binary_critic_loss(far, far) + binary_generator_loss(far), far)
    assert torch.isfinite(gradient).all()
    assert binary_critic_loss(far, far).dtype == binary_critic_loss(far.bfloat16(), far.bfloat16()).dtype


def test_ac_gan_classifies_real_and_generated_images() -> None:
    gan = build("ac-gan-64", "losses.critic_class=1", "losses.generator_class=0.5")
    critic, generator = terms_of(gan, two_heads=True)
    batch = batch_for(gan)
    torch.testing.assert_close(critic["source"], bce(REAL, 1) + bce(GENERATED, 0))
    of_both = cross_entropy(LOGITS, batch.labels) + cross_entropy(LOGITS.flip(0), batch.generated_labels)
    torch.testing.assert_close(critic["class"], of_both)
    torch.testing.assert_close(generator["source"], bce(GENERATED, 1))
    torch.testing.assert_close(generator["class"], 0.5 * cross_entropy(LOGITS.flip(0), batch.generated_labels))


def test_cgan_plays_the_binary_game_and_names_no_class() -> None:
    critic, generator = terms_of(build("cgan-64"), two_heads=False)
    assert critic.keys() == generator.keys() == {"source"}
    torch.testing.assert_close(critic["source"], bce(REAL, 1) + bce(GENERATED, 0))
    torch.testing.assert_close(generator["source"], bce(GENERATED, 1))


def test_cwgan_gp_plays_the_wasserstein_game() -> None:
    critic, generator = terms_of(build("cwgan-gp-64", "losses.drift=0"), two_heads=False)
    torch.testing.assert_close(critic["wasserstein"], GENERATED.mean() - REAL.mean())
    torch.testing.assert_close(generator["critic"], -GENERATED.mean())


def test_infogan_guesses_codes_of_generated_images_only() -> None:
    gan = build("infogan-64", "losses.information=0.5")
    critic, generator = terms_of(gan, two_heads=True)
    codes = batch_for(gan).generated_labels
    torch.testing.assert_close(critic["source"], bce(REAL, 1) + bce(GENERATED, 0))
    for terms in (critic, generator):
        torch.testing.assert_close(terms["information"], 0.5 * cross_entropy(LOGITS.flip(0), codes))


def test_projection_gan_plays_the_hinge_game() -> None:
    critic, generator = terms_of(build("projection-gan-64"), two_heads=False)
    torch.testing.assert_close(critic["hinge"], hinge_critic_loss(REAL, GENERATED))
    torch.testing.assert_close(generator["hinge"], -GENERATED.mean())


@pytest.mark.parametrize(
    ("name", "sees"),
    [
        ("cgan-64", True),
        ("cwgan-gp-64", True),
        ("projection-gan-64", True),
        ("bagan-gp-64", True),
        ("infogan-64", False),
        ("dcgan-64", False),
    ],
)
def test_who_is_told_the_class_of_a_real_image(name: str, sees: bool) -> None:
    gan = build(name, "augmentation.policy=none").eval()
    batch = batch_for(gan, step=5)
    other = dataclasses.replace(batch, labels=(batch.labels + 1) % 3)
    losses = []
    for each in (batch, other):
        torch.manual_seed(2)
        losses.append(torch.stack(list(gan.critic_loss(each).values())).sum())  # type: ignore[operator]
    assert (not torch.equal(*losses)) == sees


def test_bagan_learns_to_give_back_images_and_then_plays_with_the_same_networks() -> None:
    gan = build("bagan-gp-64")
    assert isinstance(gan, BAGANGP)
    first = [turn for turn in gan.turns() if turn.is_due(2)]
    then = [turn for turn in gan.turns() if turn.is_due(3)]
    assert [turn.loss.__name__ for turn in first] == ["reconstruction_loss"] * 2
    assert [turn.loss.__name__ for turn in then] == ["critic_loss", "generator_loss"]
    batch = batch_for(gan, step=0)
    given_back = gan.generator(gan.critic.encode(batch.images), batch.labels)
    error = gan.reconstruction_loss(batch)["reconstruction"]
    torch.testing.assert_close(error, F.l1_loss(given_back, batch.images))
    error.backward()
    assert all(p.grad is not None for p in gan.critic.critic.trunk.parameters())  # the critic's own


def test_a_constant_added_to_all_scores_changes_nothing_for_bagan() -> None:
    gan = build("bagan-gp-64", "losses.drift=0").eval()
    batch, found = batch_for(gan, step=5), []
    for shift in (0.0, 7.0):
        with torch.no_grad():
            gan.critic.critic.score.bias += shift  # type: ignore[union-attr, operator]
        torch.manual_seed(2)
        found.append(torch.stack(list(gan.critic_loss(batch).values())).sum())  # type: ignore[operator]
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-4)


class ReadsTheClass(nn.Module):
    """A second head that answers with a planted code for each class; the class is the image's grey level."""

    def __init__(self, planted: Tensor) -> None:
        super().__init__()
        self.planted = planted

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        classes = to_uint8(images)[:, 0, 0, 0].long()
        return torch.zeros(len(images)), F.one_hot(self.planted[classes], 3).float()


def test_infogan_finds_which_code_stands_for_which_class() -> None:
    gan = build("infogan-64")
    assert isinstance(gan, InfoGAN)
    planted = torch.tensor([2, 0, 1])
    gan.critic = ReadsTheClass(planted)  # type: ignore[assignment]
    marked = np.broadcast_to(DATA.labels[:, None, None, None], DATA.images.shape).astype(np.uint8)
    ema = Ema(gan.generator, 100, None)
    align(gan, ema, *some_of_each_class(dataclasses.replace(DATA, images=marked), 10))
    assert torch.equal(gan.generator.code_of_class, planted)
    assert torch.equal(ema.network.code_of_class, planted)  # the one that is saved
    latents, labels = torch.randn(3, gan.recipe.latent), torch.tensor([0, 1, 2])
    torch.testing.assert_close(gan.generate(latents, labels), gan.generator(latents, planted))
    batch = batch_for(gan)  # the game itself is played in codes
    torch.testing.assert_close(gan.generate_detached(batch), gan.generator(batch.latents, batch.generated_labels))


def test_some_of_each_class_take_turns() -> None:
    images, labels = some_of_each_class(DATA, 5)
    assert labels[:9].tolist() == [0, 1, 2] * 3
    assert labels.bincount().tolist() == [5, 5, 3]
    assert images.shape == (13, 3, 16, 16)


def parity(images: np.ndarray) -> np.ndarray:
    """Class 0 or 1 by a bit of the image, class 2 never, with a probability that differs from image to image."""
    odd = images.astype(np.int64).sum(axis=(1, 2, 3)) % 2
    sure = 0.6 + 0.3 * (images[:, 0, 0, 0] / 255)
    p = np.zeros((len(images), 3), dtype=np.float32)
    p[np.arange(len(images)), odd] = sure
    p[:, 2] = (1 - sure) * 0.9
    return p


def labelled_dcgan() -> DCGAN:
    gan = build("dcgan-64", "latent=40").eval()
    assert isinstance(gan, DCGAN)
    gan.label_with(parity)
    return gan


def test_dcgan_takes_the_first_candidate_that_the_classifier_accepts() -> None:
    gan = labelled_dcgan()
    latents = torch.randn(12, 40, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        made = gan.generate(latents, torch.ones(12, dtype=torch.long))
        for z, image in zip(latents, made, strict=True):
            candidates = torch.cat([gan.generator(torch.roll(z[None], k, 1)) for k in range(CANDIDATES)])
            first = int((parity(to_uint8(candidates).numpy())[:, 1] > 0.5).argmax())
            torch.testing.assert_close(image, candidates[first], atol=1e-5, rtol=0)


def test_dcgan_takes_the_most_probable_where_none_is_accepted() -> None:
    gan = labelled_dcgan()
    z = torch.randn(1, 40, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        candidates = torch.cat([gan.generator(torch.roll(z, k, 1)) for k in range(CANDIDATES)])
        best = int(parity(to_uint8(candidates).numpy())[:, 2].argmax())
        torch.testing.assert_close(gan.generate(z, torch.tensor([2]))[0], candidates[best], atol=1e-5, rtol=0)


def test_dcgan_makes_the_same_image_in_any_company_and_refuses_without_a_classifier() -> None:
    gan = labelled_dcgan()
    latents, labels = torch.randn(6, 40), torch.tensor([0, 1, 2, 0, 1, 2])
    with torch.inference_mode():
        whole = gan.generate(latents, labels)
        for i in range(6):
            torch.testing.assert_close(gan.generate(latents[i : i + 1], labels[i : i + 1])[0], whole[i])
    with pytest.raises(InputError, match="dcgan knows no classes"):
        build("dcgan-64").generate(torch.randn(1, 8), torch.tensor([0]))
    with pytest.raises(InputError, match=r"networks\.family: should be dcgan"):
        load_recipe("cgan", ["gan=dcgan", "networks.width=4", "resolution=32"])
