"""Claims about which images a comparison looks at."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gansynth.data import open_dataset
from gansynth.errors import InputError
from gansynth.studies.quality.sets import common_size, open_sets


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory, phantom_folder: Path) -> Path:
    """Other phantom cells, of two of the three classes and one more."""
    from gansynth.data.phantom import write_phantom

    folder = tmp_path_factory.mktemp("sets") / "made"
    write_phantom(folder, {"eosinophil": 9, "lymphocyte": 5, "monocyte": 4}, size=32, seed=5)
    return folder


def test_a_split_decides_what_is_held_out(phantom_folder: Path, synthetic: Path) -> None:
    sets = open_sets(phantom_folder, synthetic, size=None, seed=0)
    split = sets.held_out.dataset.records["split"].to_numpy()
    assert sets.split_known
    assert set(split[sets.held_out.rows]) == {"val", "test"} and set(split[sets.training.rows]) == {"train"}
    assert sets.reference is sets.held_out
    assert sets.class_names == ("eosinophil", "lymphocyte")
    assert any("monocyte" in w for w in sets.warnings) and any("basophil" in w for w in sets.warnings)


def test_without_a_split_half_plays_the_training_images_and_all_are_the_reference(
    phantom_folder: Path, synthetic: Path, tmp_path: Path
) -> None:
    cells = tmp_path / "cells"
    shutil.copytree(phantom_folder, cells, ignore=shutil.ignore_patterns("splits.csv"))
    sets = open_sets(cells, synthetic, size=32, seed=0)
    assert not sets.split_known and any("no split" in w for w in sets.warnings)
    assert len(sets.reference) == len(sets.held_out) + len(sets.training)
    assert not set(sets.held_out.rows) & set(sets.training.rows)


def test_a_sample_has_few_of_each_class_and_all_training_images(phantom_folder: Path, synthetic: Path) -> None:
    sets = open_sets(phantom_folder, synthetic, size=32, seed=0)
    one, two = sets.sampled(1, seed=0), sets.sampled(2, seed=0)
    for sampled, most in ((one, 1), (two, 2)):
        for images in (sampled.held_out, sampled.synthetic, sampled.reference):
            assert images.counts(2).tolist() == [most, most]
        assert sampled.training is sets.training
    assert set(one.synthetic.rows) < set(two.synthetic.rows) < set(sets.synthetic.rows)
    assert "at most 2 images of each class: 4 of" in two.warnings[-1] and "4 of 14 synthetic ones" in two.warnings[-1]
    assert sets.sampled(100, seed=0) is sets


def test_a_sample_of_a_folder_without_a_split_has_both_halves(
    phantom_folder: Path, synthetic: Path, tmp_path: Path
) -> None:
    shutil.copytree(phantom_folder, tmp_path / "cells", ignore=shutil.ignore_patterns("splits.csv"))
    sets = open_sets(tmp_path / "cells", synthetic, size=32, seed=0)
    sampled = sets.sampled(2, seed=0)
    assert sampled.reference.counts(2).tolist() == [4, 4]
    assert set(sampled.held_out.rows) < set(sampled.reference.rows) < set(sets.reference.rows)
    labels = dict(zip(sets.reference.rows.tolist(), sets.reference.labels.tolist(), strict=True))
    found = sampled.reference
    assert [labels[row] for row in found.rows.tolist()] == found.labels.tolist() and (np.diff(found.rows) > 0).all()


def test_two_folders_of_images_without_classes_are_compared_as_one_class(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("real", "made"):
        (tmp_path / name).mkdir()
        for i in range(8):
            pixels = rng.integers(0, 255, (24, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    sets = open_sets(tmp_path / "real", tmp_path / "made", size=None, seed=0)
    assert sets.class_names == ("all",) and len(sets.synthetic) == 8 and sets.synthetic.dataset.size == 24


def test_what_is_drawn_for_fewer_is_part_of_what_is_drawn_for_more(phantom_folder: Path, synthetic: Path) -> None:
    images = open_sets(phantom_folder, synthetic, size=32, seed=0).training
    few, more = images.draw(np.array([3, 2]), 1), images.draw(np.array([9, 7]), 1)
    assert set(few) < set(more)
    assert np.bincount(images.labels[few]).tolist() == [3, 2]
    assert (np.diff(more) > 0).all()
    assert set(images.draw(np.array([99, 0]), 0)) == set(np.flatnonzero(images.labels == 0))


def test_a_copy_of_a_real_image_is_told_at_once(phantom_folder: Path, tmp_path: Path) -> None:
    made = tmp_path / "made" / "eosinophil"
    made.mkdir(parents=True)
    for file in sorted((phantom_folder / "eosinophil").iterdir())[:3]:
        shutil.copy(file, made)
    assert any("3 synthetic images equal a real image" in w for w in open_sets(
        phantom_folder, tmp_path / "made", size=32, seed=0).warnings)  # fmt: skip


def test_folders_without_a_common_class_are_refused_with_both_names(phantom_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "made" / "blast").mkdir(parents=True)
    Image.new("RGB", (32, 32)).save(tmp_path / "made" / "blast" / "0.png")
    with pytest.raises(InputError, match=r"has no class of .*blast against basophil"):
        open_sets(phantom_folder, tmp_path / "made", size=32, seed=0)


@pytest.fixture
def balanced(phantom_folder: Path, tmp_path: Path) -> Path:
    """What `balance` leaves: every real image, and synthetic ones beside them in all classes but the largest."""
    balanced = tmp_path / "balanced"
    shutil.copytree(phantom_folder, balanced, ignore=shutil.ignore_patterns("*.csv"))
    text = PngInfo()
    text.add_text("gansynth.origin", "synthetic")
    for name in ("basophil", "lymphocyte"):
        for seed in range(3):
            pixels = np.random.default_rng(seed).integers(0, 255, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(balanced / name / f"synthetic_{seed}.png", pnginfo=text)
    return balanced


def test_a_class_that_balancing_left_as_it_was_is_not_compared(phantom_folder: Path, balanced: Path) -> None:
    sets = open_sets(phantom_folder, balanced, size=32, seed=0)
    assert sets.class_names == ("basophil", "lymphocyte")
    assert sets.synthetic.counts(2).tolist() == [3, 3]
    assert any("has no synthetic image of such a class: eosinophil" in warning for warning in sets.warnings)


def test_the_real_images_of_a_balanced_set_are_counted_and_warned_of_only_where_they_are_others(
    phantom_folder: Path, balanced: Path
) -> None:
    sets = open_sets(phantom_folder, balanced, size=32, seed=0)
    assert sets.beside == len(open_dataset(phantom_folder, 32)) and not any(
        "real images in" in w for w in sets.warnings
    )
    other = np.random.default_rng(9).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(other).save(balanced / "basophil" / "from_elsewhere.png")
    sets = open_sets(phantom_folder, balanced, size=32, seed=0)
    assert any(f"1 of {sets.beside} real images in {balanced} are not among" in warning for warning in sets.warnings)


def test_a_balanced_folder_is_measured_at_the_size_of_its_synthetic_images(tmp_path: Path) -> None:
    from gansynth.data.phantom import write_phantom

    balanced = tmp_path / "balanced"
    write_phantom(tmp_path / "large", {"eosinophil": 70, "lymphocyte": 5}, size=24, seed=5)
    shutil.copytree(tmp_path / "large", balanced)
    sign = PngInfo()
    sign.add_text("gansynth.origin", "synthetic")
    for i, name in enumerate(("eosinophil", "lymphocyte")):
        with Image.open(next((tmp_path / "large" / name).iterdir())) as image:
            image.resize((16, 16)).save(balanced / name / f"zzz_{i}.png", pnginfo=sign)
    assert common_size(tmp_path / "large", balanced) == 16
    assert common_size(balanced, tmp_path / "large") == 24
