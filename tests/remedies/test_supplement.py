"""Synthetic images beside real ones: a share of each batch, and each of the options that say how."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from gansynth.classifiers.batches import Batches
from gansynth.classifiers.training import train_classifier
from gansynth.data import CellDataset
from gansynth.data.phantom import phantom_dataset
from gansynth.errors import InputError
from gansynth.gans import independent_classifier
from gansynth.recipes.classifier import load_classifier_recipe
from gansynth.remedies import Arm, Treatment, Workplace, parse_arm
from gansynth.remedies.logit_adjustment import LogitAdjustedLoss
from gansynth.remedies.teachers import Teachers, remoteness_of

RECIPE = load_classifier_recipe("sequential-cnn", ["resolution=32", "training.batch_size=8"])
COUNTS = {"basophil": 9, "lymphocyte": 18}


@pytest.fixture(scope="module")
def cells() -> CellDataset:
    """Training and validation images."""
    cells = phantom_dataset(COUNTS, size=32)
    split = ["val" if i % 9 == 8 else "train" for i in range(len(cells))]
    return CellDataset(cells.images, cells.labels, cells.class_names, cells.records.assign(split=split))


@pytest.fixture(scope="module")
def place(cells: CellDataset, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace(tmp_path_factory.mktemp("place"), learning=lambda size: cells, device="cpu", progress=False)


@pytest.fixture(scope="module")
def poured(cells: CellDataset) -> Treatment:
    """Six basophils and two lymphocytes that are called basophils, among the real ones."""
    real, made = cells.part("train"), phantom_dataset({"basophil": 6, "lymphocyte": 2}, size=32, seed=5)
    records = made.records.assign(origin="synthetic", split="train", sha256=[f"made{i}" for i in range(8)])
    both = CellDataset(
        np.concatenate([real.images, made.images]),
        np.concatenate([real.labels, np.zeros(8, np.int64)]),
        real.class_names,
        pd.concat([real.records, records], ignore_index=True),
    )
    return Treatment.of(both)


def treated(options: str, poured: Treatment, place: Workplace) -> Treatment:
    (*_, remedy) = parse_arm(f"naturalize+supplement{options}").remedies
    return remedy.treat(poured, place)


def test_synthetic_images_leave_the_rows_and_count_as_before(poured: Treatment, place: Workplace) -> None:
    found = treated("", poured, place)
    assert found.supplement is not None and not found.is_synthetic[found.rows].any()
    assert found.is_synthetic[found.supplement.rows].all() and len(found.supplement.rows) == 8
    assert found.counts() == poured.counts() and found.synthetic_counts() == poured.synthetic_counts()


def test_each_batch_has_its_share_of_them_and_the_last_part_of_the_training_has_none(
    poured: Treatment, place: Workplace
) -> None:
    found = treated(":share=0.25:finish=0.3", poured, place)
    batches = Batches(found, RECIPE.training, 0, torch.device("cpu"), steps=10)
    assert [batches.supplement_size(step) for step in range(10)] == [2] * 7 + [0] * 3
    real = found.images.part("train").select(found.rows).images
    shown = np.concatenate([batches.rows(step) for step in range(4)])
    assert sorted(shown) == sorted(found.rows) and len(real) == 24  # 4 steps of 6: each real image once
    images, labels = batches.draw(0)
    assert len(images) == 8 and labels[6:].tolist() == [0, 0]


def test_rows_go_on_where_the_mixed_batches_ended(poured: Treatment, place: Workplace) -> None:
    batches = Batches(treated(":finish=0.5", poured, place), RECIPE.training, 0, torch.device("cpu"), steps=8)
    shown = [batches.rows(step) for step in range(8)]
    assert [len(rows) for rows in shown] == [6] * 4 + [8] * 4
    assert sorted(np.concatenate(shown[4:7])) == sorted(shown[0].tolist() + np.concatenate(shown[1:4]).tolist())


def test_the_weight_is_that_of_their_loss(poured: Treatment, place: Workplace) -> None:
    """With another label for each synthetic image, a small weight changes the first step less than a large one."""
    seen = []
    for weight in (1, 0.01):
        found = treated(f":weight={weight}:share=0.5", poured, place)
        swapped = found.images.labels.copy()
        swapped[found.is_synthetic] = 1
        wrong = replace(found, images=replace(found.images, labels=swapped))
        right, other = (
            train_classifier(t, RECIPE, validation=None, steps=3, device="cpu", progress=False).probabilities(
                poured.images.images
            )
            for t in (found, wrong)
        )
        seen.append(np.abs(right - other).mean())
    assert seen[1] < 0.2 * seen[0]


def test_batch_norms_learn_from_real_images_only_unless_mixed_is_asked_for(poured: Treatment, place: Workplace) -> None:
    def means(options: str, brighter: int) -> np.ndarray:
        found = treated(f":weight=0.01:share=0.5{options}", poured, place)
        images = found.images.images.copy()
        images[found.is_synthetic] = np.clip(images[found.is_synthetic].astype(int) + brighter, 0, 255)
        what = replace(found, images=replace(found.images, images=images))
        trained = train_classifier(what, RECIPE, validation=None, steps=2, device="cpu", progress=False)
        return next(iter(trained.network.stages)).norm.running_mean.numpy()  # type: ignore[attr-defined]

    for statistics, moves in (("real", False), ("own", False), ("mixed", True)):
        difference = np.abs(means(f":statistics={statistics}", 0) - means(f":statistics={statistics}", 200)).max()
        assert (difference > 0.01) == moves, statistics


def test_losses_behind_it_count_real_images_only_unless_all_are_asked_for(poured: Treatment, place: Workplace) -> None:
    def shifts(options: str) -> np.ndarray:
        (adjusted,) = parse_arm("logit-adjustment").remedies
        loss = adjusted.treat(treated(options, poured, place), place).loss
        assert isinstance(loss, LogitAdjustedLoss)
        return np.exp(loss.shifts)

    assert shifts("") == pytest.approx([8 / 24, 16 / 24])
    assert shifts(":prior=all") == pytest.approx([16 / 32, 16 / 32])
    # Half of a batch at half weight: the 8 basophils count as half of the 24 real images, all of them.
    assert shifts(":prior=shown:share=0.5:weight=0.5") == pytest.approx([20 / 36, 16 / 36])


@pytest.fixture(scope="module")
def screened(poured: Treatment, place: Workplace) -> Treatment:
    few = partial(independent_classifier.train_independent_classifier, images=4480, width=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(independent_classifier, "train_independent_classifier", few)
        patch.setattr(independent_classifier, "EDGE", 32)  # that of the cells here
        return treated(":screen=0.5:labels=teachers", poured, place)


def test_teachers_leave_out_what_they_do_not_take_for_its_class_and_say_so(
    screened: Treatment, poured: Treatment, place: Workplace
) -> None:
    assert screened.supplement is not None
    assert not set(screened.supplement.rows) & {len(poured.rows) - 1, len(poured.rows) - 2}  # the lymphocytes
    (note,) = screened.notes
    assert note.startswith("teachers left out ") and "of 8 synthetic images" in note
    picture = place.folder / "teachers" / note.split("teachers/")[-1].rstrip(")")
    assert picture.is_file() and picture.suffix == ".png"


def test_labels_of_teachers_are_drawn_by_their_probabilities(screened: Treatment) -> None:
    assert screened.supplement is not None
    n = len(screened.supplement.rows)
    sure = np.tile([0.0, 1.0], (n, 1))
    soft = replace(screened, supplement=replace(screened.supplement, probabilities=sure, share=0.5))
    _, labels = Batches(soft, RECIPE.training, 0, torch.device("cpu"), steps=10).draw(0)
    assert labels[4:].tolist() == [1] * 4
    half = replace(soft, supplement=replace(soft.supplement, probabilities=np.full((n, 2), 0.5)))  # type: ignore[type-var]
    batches = Batches(half, RECIPE.training, 0, torch.device("cpu"), steps=1000)
    drawn = torch.cat([batches.draw(step)[1][4:] for step in range(100)])
    assert 0.4 < drawn.float().mean() < 0.6
    assert torch.equal(batches.draw(7)[1], batches.draw(7)[1])


def test_teachers_are_trained_once_for_a_split(poured: Treatment, place: Workplace, screened: Treatment) -> None:
    before = {path: path.stat().st_mtime_ns for path in (place.folder / "teachers").glob("teacher*")}
    treated(":screen=0.9", poured, place)
    Teachers(place).judge(poured.images.select(np.flatnonzero(poured.is_synthetic)[:3]))
    assert {path: path.stat().st_mtime_ns for path in before} == before and len(before) == 6


def test_a_teacher_has_not_seen_its_third_and_copies_are_known(
    cells: CellDataset, poured: Treatment, place: Workplace
) -> None:
    teachers = Teachers(place)
    part = teachers._thirds()
    real = cells.part("train")
    assert len(part) == len(real) and np.ptp(np.bincount(part[real.labels == 0])) <= 1
    copies = replace(real, records=real.records.assign(origin="synthetic"))
    assert (
        teachers.judge(copies).copied.all() and not teachers.judge(poured.images.select(np.arange(24, 32))).copied.any()
    )


def test_what_lies_further_than_any_real_image_is_remote() -> None:
    real = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    assert remoteness_of(real[:3] + 50, real).tolist() == [1, 1, 1] and remoteness_of(real[:3], real).tolist() == [
        0,
        0,
        0,
    ]


@pytest.mark.parametrize(
    ("arm", "because"),
    [
        ("supplement", "no part before it makes any"),
        ("supplement+naturalize", "no part before it makes any"),
        ("naturalize+supplement:statistics=both", "give real or own or mixed"),
        ("naturalize+supplement:share=1", "not a number from 0.01 to 0.9"),
        ("naturalize+supplement+supplement", "both decide how synthetic images are shown"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_made(arm: str, because: str) -> None:
    with pytest.raises(InputError, match=because):
        parse_arm(arm)


def test_words_are_written_as_they_were_read() -> None:
    text = "naturalize+supplement:share=0.25:statistics=own:labels=teachers@0.5"
    with pytest.raises(InputError, match="takes no dose"):
        parse_arm(text)
    arm = Arm.parse("naturalize@0.5+supplement:statistics=own:prior=all")
    assert str(arm) == "naturalize@0.5+supplement:statistics=own:prior=all" and str(arm.at_no_dose()) == "none"
    assert arm.describe().endswith("showing synthetic images as a share of each batch (statistics = own, prior = all)")


def test_without_synthetic_images_nothing_changes(cells: CellDataset, place: Workplace, tmp_path: Path) -> None:
    plain = Treatment.of(cells.part("train"))
    assert treated(":screen=0.5", plain, replace(place, folder=tmp_path)) is plain and not list(tmp_path.iterdir())
