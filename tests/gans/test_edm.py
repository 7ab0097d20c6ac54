"""The diffusion model against its paper, and as one generator among the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gansynth.errors import InputError
from gansynth.gans import Batch, Run, build_gan, open_run, train_gan
from gansynth.gans.engine.loop import Batches, Callbacks, build_optimizers
from gansynth.gans.engine.transfer import _by_class, _per_class
from gansynth.gans.methods.edm import EDM, NO_CLASS, SIGMA_DATA, heun, loss_weight, noise_levels, preconditioning
from gansynth.gans.sampling import draw_latents
from gansynth.networks.images import orient_by
from gansynth.recipes import load_recipe
from gansynth.synthesis import generate, read_provenance

from .test_every_gan import DATA, small

SIGMAS = torch.tensor([0.002, 0.05, 0.5, 3.0, 80.0])


def build(*changes: str, random: bool = False) -> EDM:
    torch.manual_seed(0)
    gan = build_gan(small("edm-64", *changes), DATA.class_names)
    assert isinstance(gan, EDM)
    if random:  # past its beginning, at which the network's own part is zero
        for parameter in gan.parameters():
            nn.init.normal_(parameter, std=0.1)
    return gan.eval()


def batch_of(images: Tensor) -> Batch:
    labels = torch.arange(len(images)) % 3
    return Batch(images, labels, torch.zeros(len(images), 8), labels, step=0)


# Table 1, equations 7 and 8


def test_preconditioning_is_that_of_table_1() -> None:
    s, d = SIGMAS.double(), SIGMA_DATA
    c_skip, c_out, c_in, c_noise = preconditioning(s)
    torch.testing.assert_close(c_skip, d**2 / (s**2 + d**2))
    torch.testing.assert_close(c_out, s * d / torch.sqrt(d**2 + s**2))
    torch.testing.assert_close(c_in, 1 / torch.sqrt(s**2 + d**2))
    torch.testing.assert_close(c_noise, torch.log(s) / 4)
    torch.testing.assert_close(loss_weight(s), (s**2 + d**2) / (s * d) ** 2)
    torch.testing.assert_close(loss_weight(s) * c_out**2, torch.ones(5, dtype=torch.float64))


def test_the_denoiser_is_equation_7_and_leaves_an_image_without_noise_alone() -> None:
    denoiser = build(random=True).generator
    x, zeros = torch.randn(5, 3, 16, 16), torch.zeros(5, dtype=torch.long)
    c_skip, c_out, c_in, c_noise = (c[:, None, None, None] for c in preconditioning(SIGMAS))
    learned = denoiser.unet(c_in * x, c_noise.flatten(), zeros + 2, zeros)
    found = denoiser.denoise(x, SIGMAS, zeros + 2, zeros)
    torch.testing.assert_close(found, c_skip * x + c_out * learned)
    assert float(learned.detach().std()) > 0.01
    almost_none = denoiser.denoise(x, torch.full((5,), 1e-6), zeros + 2, zeros)
    torch.testing.assert_close(almost_none, x, rtol=0, atol=1e-4)


def test_the_loss_begins_at_one_at_every_strength_of_noise() -> None:
    """Which is what the weights are for: the target of the network has unit variance (appendix B.6)."""
    images = SIGMA_DATA * torch.randn(400, 3, 16, 16)
    for mean in (-4, -1.2, 1):
        gan = build(f"losses.noise_mean={mean}", "losses.noise_deviation=0.01")
        assert float(gan.denoising_loss(batch_of(images))["denoising"].detach()) == pytest.approx(1, abs=0.02)


def shown_to_the_network(gan: EDM, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> tuple[Tensor, ...]:
    seen: list[tuple[Tensor, ...]] = []

    def denoise(x: Tensor, sigma: Tensor, classes: Tensor, orientations: Tensor) -> Tensor:
        seen.append((x, sigma, classes, orientations))
        return x

    monkeypatch.setattr(gan.generator, "denoise", denoise)
    gan.denoising_loss(batch)
    return seen[0]


def test_noise_is_log_normal(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.zeros(20_000, 3, 2, 2)
    x, sigma, *_ = shown_to_the_network(build(), batch_of(images), monkeypatch)
    logs = sigma.log()
    assert (float(logs.mean()), float(logs.std())) == pytest.approx((-1.2, 1.2), abs=0.04)
    strength = x / sigma[:, None, None, None]
    assert (float(strength.mean()), float(strength.std())) == pytest.approx((0, 1), abs=0.02)


def test_the_network_is_given_the_orientation_an_image_was_turned_into(monkeypatch: pytest.MonkeyPatch) -> None:
    batch, still = batch_of(torch.rand(64, 3, 16, 16)), "losses.noise_mean=-20"
    x, _, _, orientations = shown_to_the_network(build(still), batch, monkeypatch)
    torch.testing.assert_close(x, orient_by(batch.images, orientations), rtol=0, atol=1e-4)
    assert set(orientations.tolist()) == set(range(8))
    assert len({tuple(orient_by(batch.images[:1], torch.tensor([k])).flatten().tolist()) for k in range(8)}) == 8
    x, _, _, none = shown_to_the_network(build(still, "augmentation.orientations=false"), batch, monkeypatch)
    torch.testing.assert_close(x, batch.images, rtol=0, atol=1e-4)
    assert set(none.tolist()) == {0}


def test_a_share_of_the_images_is_shown_without_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = batch_of(torch.zeros(9_000, 3, 2, 2))
    _, _, classes, _ = shown_to_the_network(build("losses.class_dropout=0.3"), batch, monkeypatch)
    hidden = classes == NO_CLASS
    assert float(hidden.float().mean()) == pytest.approx(0.3, abs=0.02)
    assert torch.equal(classes[~hidden], 1 + batch.labels[~hidden])


# Algorithm 1


def test_noise_levels_are_those_of_equation_5() -> None:
    levels = noise_levels(18)
    assert (len(levels), levels[0]) == (18, pytest.approx(80))
    assert levels[-1] == pytest.approx(0.002)
    assert levels[5] == pytest.approx((80 ** (1 / 7) + 5 / 17 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7)


def test_the_sampler_draws_a_gaussian_whose_denoiser_is_known() -> None:
    """Data of mean m and deviation s: D(x; t) = (s^2 x + t^2 m) / (s^2 + t^2), and the way from t to 0 is
    x -> m + (x - m) s / sqrt(s^2 + t^2)."""
    m, s, calls = 0.3, 0.25, []

    def denoise(x: Tensor, t: float) -> Tensor:
        calls.append(t)
        return (s**2 * x + t**2 * m) / (s**2 + t**2)

    noise = torch.randn(100_000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    exact = m + (80 * noise - m) * s / (s**2 + 80**2) ** 0.5
    images = heun(denoise, noise, noise_levels(18))
    assert len(calls) == 35
    assert float(images.mean()) == pytest.approx(m, rel=0.01)
    assert float(images.std()) == pytest.approx(s, rel=0.08)  # so much do 18 steps cost
    finer, finest = (heun(denoise, noise, noise_levels(steps)) for steps in (36, 72))
    assert float(finest.std()) == pytest.approx(s, rel=0.01)
    errors = [float((found - exact).abs().max()) for found in (images, finer, finest)]
    assert errors[1] < errors[0] / 4 and errors[2] < errors[1] / 4  # of second order


def test_an_image_follows_from_its_latent_and_its_class() -> None:
    generator = build(random=True).generator.train(False)
    latents, labels = torch.randn(3, 3 * 16**2), torch.tensor([0, 1, 2])
    images = generator(latents, labels)
    assert images.shape == (3, 3, 16, 16)
    assert float(images.abs().max()) <= 1
    assert torch.equal(images, generator(latents, labels))
    torch.testing.assert_close(images[1:], generator(latents[1:], labels[1:]), rtol=0, atol=1e-3)
    assert float((images - generator(latents, labels.flip(0)))[0].abs().mean()) > 1e-3
    assert not images.requires_grad


def test_samples_are_asked_for_as_they_were_photographed(monkeypatch: pytest.MonkeyPatch) -> None:
    gan, seen = build(), []
    monkeypatch.setattr(gan.generator, "denoise", lambda x, sigma, classes, k: seen.append((classes, k)) or x / 2)
    gan.generate(torch.randn(3, 3 * 16**2), torch.tensor([0, 2, 2]))
    assert all(classes.tolist() == [1, 3, 3] and k.tolist() == [0, 0, 0] for classes, k in seen)
    assert len(seen) == 2 * gan.recipe.networks.model_dump()["sampling_steps"] - 1


def test_guidance_of_one_is_none_and_more_moves_away_from_no_class() -> None:
    plain, guided = build(random=True).generator, build("networks.guidance=2", random=True).generator
    barely = build("networks.guidance=1.00001", random=True).generator
    x, labels = torch.randn(2, 3 * 16**2), torch.tensor([0, 1])
    torch.testing.assert_close(plain(x, labels), barely(x, labels), rtol=0, atol=1e-3)
    assert float((plain(x, labels) - guided(x, labels)).abs().mean()) > 1e-3
    before = plain(x, labels), guided(x, labels)
    for generator in (plain, guided):
        with torch.no_grad():
            generator.unet.embedding.weight[NO_CLASS] += 1
    assert torch.equal(before[0], plain(x, labels))
    assert not torch.equal(before[1], guided(x, labels))


def test_the_initial_noise_has_the_latent_first_and_as_much_more_as_an_image_takes() -> None:
    assert build().generator.n_noise == 3 * 16**2 - 8
    assert draw_latents(build(), 1, [4, 5]).shape == (2, 3 * 16**2)
    for name in ("edm-64", "edm"):
        recipe = load_recipe(name)
        assert recipe.latent == 3 * recipe.resolution**2
    with pytest.raises(InputError, match=r"latent 1000 is more than the noise .* 16 px .* at most 768"):
        build("latent=1000")


# Learning


def mean_loss(gan: EDM, batch: Batch) -> float:
    torch.manual_seed(5)
    with torch.no_grad():
        return float(torch.stack([gan.denoising_loss(batch)["denoising"] for _ in range(20)]).mean())


def test_a_hundred_steps_take_a_third_off_the_loss() -> None:
    from lightning_fabric import Fabric

    from gansynth.gans.engine.budget import Budget
    from gansynth.gans.engine.ema import Ema
    from gansynth.gans.engine.loop import train
    from gansynth.runs.state_files import Progress

    gan = build("training.learning_rates.generator=5e-3", "augmentation.orientations=false", "networks.dropout=0")
    batches = Batches(DATA, gan.recipe, 8, torch.device("cpu"))
    held = batch_of(batches.draw(gan.turns()[0], 0).images)
    held = replace(held, labels=batches.draw(gan.turns()[0], 0).labels)
    before = mean_loss(gan, held)
    ema = Ema(gan.generator, 100, 0.05)
    train(
        gan, ema, build_optimizers(gan, gan.recipe), batches, Budget(100), Fabric(accelerator="cpu", devices=1),
        seed=0, start=Progress(), callbacks=Callbacks(),
    )  # fmt: skip
    assert mean_loss(gan.eval(), held) < 0.67 * before


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("edm") / "run"
    return train_gan(DATA, small("edm-64"), folder, steps=4, device="cpu", progress=False)


def test_image_i_of_a_class_is_the_same_whatever_else_is_asked_for(run: Run, tmp_path: Path) -> None:
    many = run.sample("lymphocyte", 6, seed=2, device="cpu")
    np.testing.assert_array_equal(open_run(run.path).sample("lymphocyte", 1, seed=5, device="cpu")[0], many[3])
    generate(run, {"lymphocyte": 2}, tmp_path / "out", seed=2, device="cpu", progress=False)
    assert Counter(path.suffix for path in (tmp_path / "out" / "lymphocyte").iterdir()) == {".png": 2}


def test_it_cannot_be_truncated(run: Run) -> None:
    with pytest.raises(InputError, match=r"only a generator with styles .* generate without --truncation"):
        run.generator(truncation=0.5)


def test_a_run_generates_with_another_guidance_and_its_images_say_so(run: Run, tmp_path: Path) -> None:
    guided = run.guided(20)
    assert (run.guidance, guided.guidance, guided.guided(1).guidance) == (1, 20, 1)
    pixels = [one.sample("lymphocyte", 4, device="cpu") for one in (run, guided, guided.guided(1))]
    assert (pixels[0] != pixels[1]).any() and np.array_equal(pixels[0], pixels[2])
    for one, folder in ((run, "plain"), (guided, "guided")):
        generate(one, {"lymphocyte": 2}, tmp_path / folder, device="cpu", progress=False)
        said = [read_provenance(path) for path in (tmp_path / folder / "lymphocyte").iterdir()]
        assert {found.guidance for found in said if found is not None} == {one.guidance} and len(said) == 2


def test_a_guidance_that_cannot_be_is_refused(run: Run, tiny_run_folder: Path) -> None:
    with pytest.raises(InputError, match="give a number from 0 on"):
        run.guided(-1)
    with pytest.raises(InputError, match=r"only a diffusion model .* generate without --guidance"):
        open_run(tiny_run_folder).guided(2)


def test_a_transfer_keeps_the_row_of_no_class_and_moves_those_of_the_classes(run: Run) -> None:
    (name,) = [f"generator.{n}" for n, _ in run.load_gan().generator.named_parameters() if _per_class(n)]
    assert name == "generator.unet.embedding.weight"
    rows = torch.arange(4.0)[:, None]
    assert _by_class(rows, 3, [2, 0], 3).flatten().tolist() == [NO_CLASS, 3, 1]


# What it refuses


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (["augmentation.policy=stain"], "augmentation.policy stain would be learned"),
        (["networks.guidance=2", "losses.class_dropout=0"], "losses.class_dropout 0 never shows"),
        (["resolution=15"], "resolution 15 does not fit networks.channels"),
        (["networks.sampling_steps=1"], "networks.sampling_steps"),
        (["networks.generator=[8]"], "unknown name 'networks.generator'; known here: attention, blocks"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused_in_a_sentence(changes: list[str], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        build(*changes)
