"""Remedies change what is learned from, by exactly what their dose says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gansynth.data import CellDataset
from gansynth.data.phantom import phantom_dataset
from gansynth.errors import InputError
from gansynth.remedies import Remedy, Treatment, Workplace, parse_arm, register, remedy_names, slug
from gansynth.remedies.remedy import REGISTRY


@pytest.fixture(scope="module")
def cells() -> CellDataset:
    return phantom_dataset({"basophil": 5, "eosinophil": 30, "lymphocyte": 12}, size=16)


@pytest.fixture
def place(tmp_path: Path, cells: CellDataset) -> Workplace:
    return Workplace(tmp_path, learning=lambda size: cells, progress=False)


def _nowhere(cells: CellDataset, seed: int = 0) -> Workplace:
    return Workplace(Path("nowhere"), learning=lambda size: cells, seed=seed)


def test_no_remedy_leaves_the_training_split_as_it_is(cells: CellDataset, place: Workplace) -> None:
    treated = parse_arm("none").treat(cells, place)
    assert treated.rows.tolist() == list(range(len(cells))) and not treated.augmented
    assert treated.loss is None and treated.class_weight is None


@settings(max_examples=40, deadline=None)
@given(dose=st.floats(0, 3), seed=st.integers(0, 99))
def test_over_sampling_meets_its_target_and_shows_every_image_equally_often(
    cells: CellDataset, dose: float, seed: int
) -> None:
    treated = parse_arm(f"oversample@{dose}").treat(cells, _nowhere(cells, seed))
    for c, (n, shown) in enumerate(zip(cells.counts().values(), treated.counts().values(), strict=True)):
        assert shown == round(n + dose * (30 - n))
        times = np.bincount(treated.rows, minlength=len(cells))[cells.labels == c]
        assert times.min() >= 1 and times.max() - times.min() <= 1


@pytest.mark.parametrize(("dose", "left"), [(0, [5, 30, 12]), (0.5, [5, 18, 8]), (1, [5, 5, 5])])
def test_under_sampling_leaves_out_what_its_dose_says(
    cells: CellDataset, place: Workplace, dose: float, left: list[int]
) -> None:
    treated = parse_arm(f"undersample@{dose}").treat(cells, place)
    assert list(treated.counts().values()) == left and len(set(treated.rows.tolist())) == len(treated.rows)


def test_remedies_are_applied_one_after_the_other(cells: CellDataset, place: Workplace) -> None:
    treated = parse_arm("augmentation+undersample@0.5+oversample").treat(cells, place)
    assert treated.augmented and set(treated.counts().values()) == {18}


def test_a_new_remedy_is_found_by_its_name(cells: CellDataset, place: Workplace) -> None:
    @register("first-half")
    class FirstHalf(Remedy):
        def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
            return replace(treatment, rows=treatment.rows[: len(treatment.rows) // 2])

    try:
        assert "first-half" in remedy_names()
        assert len(parse_arm("first-half+augmentation").treat(cells, place).rows) == len(cells) // 2
    finally:
        del REGISTRY["first-half"]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("oversampel", "did you mean 'oversample'"),
        ("oversample@lots", "dose 'lots' is not a number"),
        ("oversample@-1", "dose '-1' is not a number from 0"),
        ("augmentation@0.5", "augmentation takes no dose"),
        ("none+", "is not a remedy"),
        ("c-wgan-gp-46", "did you mean 'c-wgan-gp-64'"),
    ],
)
def test_what_is_no_arm_is_refused_with_a_hint(spec: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_arm(spec)


def test_the_dose_of_an_arm_can_be_set() -> None:
    assert parse_arm("augmentation+oversample@0.3").at_dose(1.5).spec == "augmentation+oversample@1.5"
    assert parse_arm("oversample").dose == 1 and parse_arm("augmentation").dose is None
    with pytest.raises(InputError, match="takes no dose"):
        parse_arm("augmentation").at_dose(0.5)


@given(st.text(min_size=1, max_size=120), st.text(min_size=1, max_size=120))
def test_slugs_are_folder_names_and_tell_arms_apart(one: str, other: str) -> None:
    assert slug(one) and not set(slug(one)) & set('/\\ \0"') and len(slug(one)) <= 100 and slug(one)[0] != "."
    assert (slug(one) == slug(other)) == (one == other)
