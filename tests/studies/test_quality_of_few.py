"""`quality` of one image, or two: every figure is a number or says what it needs; nothing is nan."""

from __future__ import annotations

import json
import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from gansynth.data import open_dataset, split_dataset, write_splits
from gansynth.data.phantom import write_phantom
from gansynth.errors import InputError
from gansynth.studies.quality.shown import Projection
from gansynth.studies.quality.study import quality

pytestmark = pytest.mark.usefixtures("one_thread")


def some_of(cells: Path, out: Path, counts: dict[str, int]) -> Path:
    """The first images of each class."""
    for name, n in counts.items():
        (out / name).mkdir(parents=True)
        for file in sorted((cells / name).glob("*.png"))[:n]:
            shutil.copy(file, out / name)
    return out


@pytest.mark.parametrize(
    "counts",
    [
        {"basophil": 1, "eosinophil": 9, "lymphocyte": 2},
        {"eosinophil": 3},
        {"eosinophil": 1},
        {"basophil": 1, "lymphocyte": 1},
    ],
    ids=str,
)
def test_of_few_synthetic_images(
    counts: dict[str, int], phantom_folder: Path, made_folder: Path, encoder_folder: Path, tmp_path: Path
) -> None:
    made = some_of(made_folder, tmp_path / "made", counts)
    found = quality(phantom_folder, made, encoder=encoder_folder, pretrained=(), progress=False)
    assert set(found.classes) == set(counts)
    judged_by_numbers_or_words(found.to_json())


@pytest.mark.parametrize("sample", [1, 3])
def test_of_a_sample(
    sample: int, phantom_folder: Path, made_folder: Path, encoder_folder: Path, tmp_path: Path
) -> None:
    found = quality(phantom_folder, made_folder, encoder=encoder_folder, pretrained=(), sample=sample, progress=False)
    judged_by_numbers_or_words(found.to_json())
    assert any("a sample was measured" in warning for warning in found.warnings)
    assert all(counts.held_out <= sample and counts.synthetic == sample for counts in found.about.counts.values())
    with pytest.raises(InputError, match="a sample of 0"):
        quality(phantom_folder, made_folder, sample=0)


@pytest.mark.parametrize(
    "counts", [{"basophil": 4, "eosinophil": 24, "lymphocyte": 24}, {"eosinophil": 2}, {"basophil": 1, "lymphocyte": 3}]
)
@pytest.mark.parametrize("split", [True, False], ids=["split", "no split"])
def test_of_few_real_images(
    counts: dict[str, int], split: bool, made_folder: Path, encoder_folder: Path, tmp_path: Path
) -> None:
    """As in a rare class of four, of which one is held out."""
    real = tmp_path / "real"
    write_phantom(real, counts, size=32, seed=11)
    if split:
        write_splits(split_dataset(open_dataset(real, 32)), real)
    try:
        found = quality(real, made_folder, encoder=encoder_folder, pretrained=(), progress=False)
    except InputError as error:
        assert sum(counts.values()) <= 4 and re.search("too few real images|the data set's own split has", str(error))
    else:
        judged_by_numbers_or_words(found.to_json())


@given(
    features=arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 6)), elements=st.sampled_from([0, 1, 2.5])),
    classes=st.lists(st.integers(0, 3), min_size=9, max_size=9),
)
@settings(max_examples=60, deadline=None)
def test_few_images_or_alike_ones_have_a_place_on_the_map(features: NDArray[np.float32], classes: list[int]) -> None:
    labels = np.array(classes[: len(features)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        points = Projection.fit(features, labels)(features)
    assert points.shape == (len(features), 2) and np.isfinite(points).all()


def test_classes_of_equal_images_are_set_apart_on_the_map() -> None:
    features = np.repeat(np.array([[0, 0, 1], [3, 0, 1], [0, 4, 1]], np.float32), 3, axis=0)
    points = Projection.fit(features, np.repeat(np.arange(3), 3))(features)
    assert len(np.unique(points.round(6), axis=0)) == 3


def judged_by_numbers_or_words(found: dict) -> None:  # type: ignore[type-arg]
    json.dumps(found, allow_nan=False)
    for book in (found["metrics"], *found["classes"].values()):
        assert book
        for name, one in book.items():
            assert one["value"] is not None or one["note"], name
