"""Synthetic images as a remedy: with a GAN that was really trained, if only for two steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gansynth.data import CellDataset, open_dataset
from gansynth.errors import InputError
from gansynth.remedies import Workplace, parse_arm


@pytest.fixture(scope="module")
def training(phantom_folder: Path) -> CellDataset:
    return open_dataset(phantom_folder, 32)


@pytest.fixture(scope="module")
def workplace(training: CellDataset, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace(tmp_path_factory.mktemp("place"), learning=lambda size: training, device="cpu", progress=False)


def test_synthetic_images_fill_every_class_and_stand_behind_the_real_ones(
    training: CellDataset, workplace: Workplace, tiny_run_folder: Path
) -> None:
    real = training.part("train")
    treated = parse_arm(str(tiny_run_folder)).treat(real, workplace)
    most = max(real.counts().values())
    assert set(treated.counts().values()) == {most}
    assert treated.synthetic_counts() == {name: most - n for name, n in real.counts().items()}
    assert (treated.images.images[: len(real)] == real.images).all()
    assert (treated.images.records["origin"][len(real) :] == "synthetic").all()


def test_a_smaller_dose_takes_the_first_images_of_a_larger_and_generates_nothing(
    training: CellDataset, workplace: Workplace, tiny_run_folder: Path
) -> None:
    real = training.part("train")
    whole = parse_arm(str(tiny_run_folder)).treat(real, workplace)
    images = workplace.folder / "synthetic" / tiny_run_folder.name
    before = {path: path.stat().st_mtime_ns for path in images.rglob("*.png")}
    half = parse_arm(f"{tiny_run_folder}@0.5").treat(real, workplace)
    assert {path: path.stat().st_mtime_ns for path in images.rglob("*.png")} == before
    for c in range(len(real.class_names)):
        few, many = (t.images.images[len(real) :][t.images.labels[len(real) :] == c] for t in (half, whole))
        assert abs(len(few) - len(many) / 2) <= 1 and (few == many[: len(few)]).all()


def test_a_larger_dose_keeps_the_images_of_a_smaller(
    training: CellDataset, workplace: Workplace, tiny_run_folder: Path
) -> None:
    real = training.part("train")
    whole = parse_arm(str(tiny_run_folder)).treat(real, workplace)
    more = parse_arm(f"{tiny_run_folder}@1.2").treat(real, workplace)
    assert set(whole.images.records["sha256"]) < set(more.images.records["sha256"])


def test_alone_it_has_as_many_images_of_each_class_as_there_are_real_ones(
    training: CellDataset, workplace: Workplace, tiny_run_folder: Path
) -> None:
    real = training.part("train")
    treated = parse_arm(f"only-{tiny_run_folder}").treat(real, workplace)
    assert treated.synthetic_counts() == treated.counts() == real.counts()


def test_a_run_that_has_seen_held_out_images_or_turned_copies_of_them_is_refused(
    training: CellDataset, workplace: Workplace, tiny_run_folder: Path
) -> None:
    arm = parse_arm(str(tiny_run_folder))
    arm.refuse_leaks(training.part("test"), workplace)
    seen = training.part("train").select(np.arange(3))
    with pytest.raises(InputError, match="was trained on 3 of the 3 held-out images"):
        arm.refuse_leaks(seen, workplace)
    turned = np.ascontiguousarray(np.rot90(seen.images, axes=(2, 3)))
    unknown = seen.records.assign(sha256=["a", "b", "c"])
    with pytest.raises(InputError, match="was trained on copies of 3 of the 3"):
        arm.refuse_leaks(replace(seen, images=turned, records=unknown), workplace)


def test_a_class_the_run_does_not_know_is_refused(
    training: CellDataset, workplace: Workplace, tiny_run_folder: Path
) -> None:
    other = replace(training.part("train"), class_names=("blast", "eosinophil", "lymphocyte"))
    with pytest.raises(InputError, match="knows no class blast"):
        parse_arm(f"{tiny_run_folder}@2").treat(other, workplace)
