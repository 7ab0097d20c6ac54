"""Claims about walks: what stands at the stops, and what lies between them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from gansynth.cli import gansynth
from gansynth.data import open_dataset
from gansynth.data.declared_origin import declared_origin
from gansynth.errors import InputError
from gansynth.gans import open_run, train_gan
from gansynth.gans.run import Run
from gansynth.gans.walk import between_on_sphere, stops_of, walk
from gansynth.recipes import load_recipe

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def compact(phantom_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A compact generator trained for two steps."""
    changes = ["resolution=32", "latent=16", "networks.generator=[8,8,8,8]", "networks.critic=[8,8,8]"]
    changes += ["networks.classifier=[8,8,8]", "training.batch_size=8", "reports.watch_images=4"]
    changes += ["reports.pretrained_judge=false", "reports.classifier_images=96"]
    recipe = load_recipe("c-wgan-gp-64", changes)
    folder = tmp_path_factory.mktemp("walk") / "compact"
    return train_gan(open_dataset(phantom_folder, 32), recipe, folder, steps=2, device="cpu", progress=False)


def orientations(image: np.ndarray) -> list[np.ndarray]:
    return [np.rot90(view, k, (1, 2)) for view in (image, image[:, :, ::-1]) for k in range(4)]


def apart(a: np.ndarray, b: np.ndarray) -> int:
    """Largest difference of a pixel, in the best orientation."""
    return min(int(np.abs(view.astype(int) - b.astype(int)).max()) for view in orientations(a))


@pytest.mark.parametrize("stops", [stops_of(["basophil"], 3, 5), stops_of(["basophil", "lymphocyte"], 2, 5)])
def test_at_every_stop_stands_the_cell_of_its_class_and_seed(compact: Run, stops: tuple[tuple[str, int], ...]) -> None:
    found = walk(compact, stops, steps=4, device="cpu")
    assert len(found.frames) == 4 * (len(stops) - 1) + 1
    for frame, (name, seed) in zip(found.at, stops, strict=True):
        sample = compact.sample(name, 1, seed=seed, device="cpu")[0]
        assert apart(found.frames[frame], sample) <= 2
    assert np.abs(found.frames[0].astype(int) - compact.sample(*stops[0][:1], 1, seed=5, device="cpu")[0]).max() <= 2


def test_the_way_between_latents_is_an_arc() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 1, 64, generator=generator)
    half = between_on_sphere(a, b, torch.tensor([[0.5]]))
    assert half.norm() == pytest.approx(float(a.norm() + b.norm()) / 2, rel=1e-4)
    assert torch.allclose(between_on_sphere(a, b, torch.tensor([[0.0]])), a, atol=1e-5)
    assert torch.allclose(between_on_sphere(a, b, torch.tensor([[1.0]])), b, atol=1e-5)
    assert torch.allclose(between_on_sphere(a, a, torch.tensor([[0.3]])), a, atol=1e-4)


def test_a_generator_without_styles_walks_within_a_class_only(tiny_run_folder: Path) -> None:
    run = open_run(tiny_run_folder)
    assert len(walk(run, stops_of(["basophil"], 2, 0), steps=2, device="cpu").frames) == 3
    with pytest.raises(InputError, match="styles"):
        walk(run, stops_of(["basophil", "lymphocyte"], 2, 0), device="cpu")
    with pytest.raises(InputError, match="no class 'unicorn'"):
        walk(run, [("unicorn", 0), ("basophil", 0)], device="cpu")
    with pytest.raises(InputError, match="two classes"):
        walk(run, [("basophil", 0)], device="cpu")


def test_the_command_writes_a_gif_and_a_strip_that_say_what_they_are(compact: Run, tmp_path: Path) -> None:
    out = tmp_path / "walk.gif"
    call = ["walk", str(compact.path), "--classes", "basophil,lymphocyte,eosinophil", "--steps", "3", "--out", str(out)]
    result = CliRunner().invoke(gansynth, [*call, "--device", "cpu"])
    assert result.exit_code == 0, result.output
    with Image.open(out) as gif:
        assert gif.n_frames == 12  # type: ignore[attr-defined]
        assert b"Synthetic" in gif.info["comment"]
    assert declared_origin(tmp_path / "walk.png") == "synthetic"
    with Image.open(tmp_path / "walk.png") as strip:
        assert strip.width == 4 * 96 + 3 * 4
    assert CliRunner().invoke(gansynth, [*call[:-1], str(tmp_path / "walk.mp4")]).exit_code == 2
