"""Synthetic images from elsewhere, as a remedy: as many as there are, and no copy of what is tested on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gansynth.data import CellDataset, open_dataset
from gansynth.data.phantom import write_phantom
from gansynth.errors import InputError
from gansynth.remedies import Workplace, parse_arm


@pytest.fixture(scope="module")
def cells(phantom_folder: Path) -> CellDataset:
    return open_dataset(phantom_folder, 32)


@pytest.fixture(scope="module")
def place(cells: CellDataset, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace(tmp_path_factory.mktemp("place"), learning=lambda size: cells, device="cpu", progress=False)


@pytest.fixture(scope="module")
def rarest(cells: CellDataset) -> str:
    counts = cells.part("train").counts()
    return min(counts, key=counts.__getitem__)


@pytest.fixture(scope="module")
def folder(rarest: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three images of the rarest class."""
    found = tmp_path_factory.mktemp("given") / "elsewhere"
    write_phantom(found, {rarest: 3}, size=32, seed=99)
    (found / "metadata.csv").unlink()
    return found


def test_a_class_is_filled_as_far_as_the_folder_reaches_and_the_results_say_where_it_is_from(
    cells: CellDataset, place: Workplace, folder: Path, rarest: str
) -> None:
    real = cells.part("train")
    treated = parse_arm(str(folder)).treat(real, place)
    assert treated.synthetic_counts() == {name: 3 if name == rarest else 0 for name in real.class_names}
    assert treated.counts() == {name: n + (3 if name == rarest else 0) for name, n in real.counts().items()}
    (note,) = treated.notes
    assert note == f"{folder}: given, not made here; what its generator has learned from is not known"


def test_it_is_shown_beside_real_images_like_those_of_a_gan(cells: CellDataset, place: Workplace, folder: Path) -> None:
    treated = parse_arm(f"augmentation+{folder}+supplement:share=0.5").treat(cells.part("train"), place)
    assert treated.supplement is not None and len(treated.supplement.rows) == 3 and treated.augmented


def test_copies_of_what_is_tested_on_are_refused_turned_ones_too(
    cells: CellDataset, place: Workplace, folder: Path, rarest: str, tmp_path: Path
) -> None:
    test = cells.part("test")
    parse_arm(str(folder)).refuse_leaks(test, place)
    mine = test.images[test.labels == test.class_names.index(rarest)][0]
    (tmp_path / "taken" / rarest).mkdir(parents=True)
    turned = np.ascontiguousarray(np.rot90(mine.transpose(1, 2, 0)))
    Image.fromarray(turned).save(tmp_path / "taken" / rarest / "a.jpg", quality=90)
    with pytest.raises(InputError, match=r"holds copies of 1 of the \d+ images to be tested on"):
        parse_arm(str(tmp_path / "taken")).refuse_leaks(test, place)


def test_classes_that_the_data_do_not_have_are_refused(cells: CellDataset, place: Workplace, tmp_path: Path) -> None:
    write_phantom(tmp_path / "other", {"smudge cell": 1}, size=32)
    with pytest.raises(InputError, match="has folders smudge cell, and the data have no such class"):
        parse_arm(str(tmp_path / "other")).treat(cells.part("train"), place)
