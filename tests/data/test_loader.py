"""How training draws its images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from trees import tree

from gansynth.data import open_dataset
from gansynth.data.loader import BatchReader, ClassSampler, class_probabilities
from gansynth.errors import InputError


@pytest.mark.parametrize(
    ("mode", "alpha", "expected"),
    [
        ("natural", 0.5, [0.9, 0.09, 0.01]),
        ("balanced", 0.5, [1 / 3] * 3),
        ("tempered", 1, [0.9, 0.09, 0.01]),
        ("tempered", 0, [1 / 3] * 3),
        ("tempered", 0.5, np.sqrt([900, 90, 10]) / np.sqrt([900, 90, 10]).sum()),
    ],
)
def test_probabilities_are_the_counts_to_the_power(mode: str, alpha: float, expected: list[float]) -> None:
    assert np.allclose(class_probabilities(np.array([900, 90, 10]), mode, alpha), expected)  # type: ignore[arg-type]


def test_class_without_an_image_is_never_drawn() -> None:
    labels = np.array([0, 0, 2, 2, 2])
    for mode in ("natural", "balanced", "tempered"):
        drawn = ClassSampler(labels, 4, mode).draw_labels(2000, torch.Generator().manual_seed(0))  # type: ignore[arg-type]
        assert set(drawn.tolist()) == {0, 2}


def test_labels_follow_the_distribution_and_images_follow_the_labels() -> None:
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [900, 90, 10]))
    sampler = ClassSampler(labels, 3, "tempered", 0.5)
    generator = torch.Generator().manual_seed(0)
    drawn = sampler.draw_labels(50_000, generator)
    assert np.allclose(np.bincount(drawn) / 50_000, sampler.probabilities, atol=0.01)
    images = sampler.draw_images(drawn, generator)
    assert np.array_equal(labels[images], drawn)
    assert len(set(images.tolist())) == 1000


def test_draws_depend_on_the_generator_alone() -> None:
    sampler = ClassSampler(np.repeat([0, 1], 50), 2)
    generator = torch.Generator().manual_seed(7)
    sampler.draw_labels(5, generator)
    state = generator.get_state()
    first = sampler.draw_images(sampler.draw_labels(64, generator), generator)
    restored = torch.Generator()
    restored.set_state(state)
    again = ClassSampler(np.repeat([0, 1], 50), 2)
    assert torch.equal(first, again.draw_images(again.draw_labels(64, restored), restored))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=12).filter(any), st.floats(0, 1))
def test_any_counts_give_labels_that_exist(counts: list[int], alpha: float) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    sampler = ClassSampler(labels, len(counts), "tempered", alpha)
    assert sampler.probabilities.sum() == pytest.approx(1)
    generator = torch.Generator().manual_seed(1)
    drawn = sampler.draw_labels(200, generator)
    assert np.array_equal(labels[sampler.draw_images(drawn, generator)], drawn)


def test_reader_copies_images_from_the_pack(tmp_path: Path) -> None:
    cells = open_dataset(tree(tmp_path / "d", {"a": 6}), 16)
    reader = BatchReader(cells, 4)
    batch = reader.read(torch.tensor([5, 0, 5]))
    assert batch.dtype == torch.uint8 and batch.is_contiguous()
    assert np.array_equal(batch.numpy(), cells.images[[5, 0, 5]])


@pytest.mark.parametrize(
    ("mode", "alpha"), [("even", 0.5), ("tempered", -0.1), ("tempered", 1.1), ("tempered", float("nan"))]
)
def test_unknown_distributions_are_input_errors(mode: str, alpha: float) -> None:
    with pytest.raises(InputError, match="class sampling"):
        class_probabilities(np.array([1, 2]), mode, alpha)  # type: ignore[arg-type]


def test_no_image_at_all_is_an_input_error() -> None:
    with pytest.raises(InputError, match="no class has an image"):
        ClassSampler(np.zeros(0, np.int64), 3)
