"""Claims about images from Python: `Run.sample`, and `MixedDataset` for torch's loaders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from gansynth.data import open_dataset, read_image
from gansynth.errors import InputError
from gansynth.gans import open_run
from gansynth.remedies.remedy import targets
from gansynth.synthesis import MixedDataset, generate

pytestmark = pytest.mark.usefixtures("one_thread")


def test_samples_are_the_pixels_that_generate_writes(tiny_run_folder: Path, tmp_path: Path) -> None:
    run = open_run(tiny_run_folder)
    report = generate(run, {"eosinophil": 5}, tmp_path / "out", seed=30, keep_copies=True, device="cpu", progress=False)
    assert repr(report) == f"GenerationReport(5 of 5 images of 1 classes in {tmp_path / 'out'})"
    written = [read_image(path) for path in sorted((tmp_path / "out" / "eosinophil").glob("*.png"))]
    sampled = run.sample("eosinophil", 5, seed=30, device="cpu")
    assert sampled.shape == (5, 3, 32, 32) and sampled.dtype == np.uint8
    assert np.array_equal(sampled, np.stack([np.moveaxis(image, -1, 0) for image in written]))
    assert np.array_equal(run.sample("eosinophil", 2, seed=33, device="cpu"), sampled[3:])


@pytest.mark.parametrize(("n", "seed"), [(0, 0), (1, -1), (1, 2**63)])
def test_samples_that_cannot_be_are_refused(tiny_run_folder: Path, n: int, seed: int) -> None:
    with pytest.raises(InputError):
        open_run(tiny_run_folder).sample("eosinophil", n, seed=seed)


def test_a_run_says_in_one_line_what_it_is(tiny_run_folder: Path) -> None:
    assert repr(open_run(tiny_run_folder)) == "Run(tiny: c-wgan-gp, 32 px, 3 classes)"


def test_a_mixed_data_set_fills_the_classes_up_by_its_dose(phantom_folder: Path, tiny_run_folder: Path) -> None:
    training = open_dataset(phantom_folder, 32).part("train")
    n = np.bincount(training.labels)
    for dose in (0.0, 0.3, 1.0):
        mixed = MixedDataset(phantom_folder, tiny_run_folder, dose, device="cpu")
        assert np.array_equal(np.bincount(mixed.labels), targets(n, dose))
        assert len(mixed) == len(training) + sum(mixed.added.values())
        assert int(mixed.is_synthetic.sum()) == sum(mixed.added.values())


def test_its_real_images_are_the_training_images_and_the_others_the_samples(
    phantom_folder: Path, tiny_run_folder: Path
) -> None:
    mixed = MixedDataset(phantom_folder, tiny_run_folder, seed=20, device="cpu")
    assert repr(mixed).startswith("MixedDataset(") and repr(mixed).endswith(" by tiny)")
    training = open_dataset(phantom_folder, 32).part("train")
    image, label = mixed[3]
    assert np.array_equal(image.numpy(), training.images[3]) and label == training.labels[3]
    basophils = [mixed[int(k)][0].numpy() for k in np.flatnonzero(mixed.is_synthetic & (mixed.labels == 0))]
    wanted = open_run(tiny_run_folder).sample("basophil", mixed.added["basophil"], seed=20, device="cpu")
    assert np.array_equal(np.stack(basophils), wanted)
    mixed.set_epoch(1)
    other = mixed[int(np.flatnonzero(mixed.is_synthetic)[0])][0].numpy()
    assert not any(np.array_equal(other, one) for one in wanted)


def test_a_loader_draws_batches_of_both(phantom_folder: Path, tiny_run_folder: Path) -> None:
    mixed = MixedDataset(phantom_folder, tiny_run_folder, transform=lambda image: image.float() / 255, device="cpu")
    mixed.prepare()
    batches = list(DataLoader(mixed, batch_size=16, shuffle=True, generator=torch.Generator().manual_seed(0)))
    images, labels = (torch.cat(parts) for parts in zip(*batches, strict=True))
    assert images.shape == (len(mixed), 3, 32, 32) and images.dtype == torch.float32
    assert torch.bincount(labels).unique().numel() == 1


def test_a_dose_that_is_no_share_is_refused(phantom_folder: Path, tiny_run_folder: Path) -> None:
    with pytest.raises(InputError, match="dose"):
        MixedDataset(phantom_folder, tiny_run_folder, 1.5)
    with pytest.raises(InputError, match="size=32"):
        MixedDataset(open_dataset(phantom_folder, 16), tiny_run_folder)
