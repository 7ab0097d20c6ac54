"""Synthetic images as a remedy: with a GAN that was really trained, if only for two steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gansynth.data import CellDataset, open_dataset
from gansynth.errors import InputError
from gansynth.gans import Run, open_run
from gansynth.remedies import GanBudget, Workplace, parse_arm
from gansynth.studies.comparison.plan import gans_of
from gansynth.synthesis import generate


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


def test_images_screened_by_confidence_lie_beside_the_others(
    training: CellDataset, workplace: Workplace, tiny_run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, folder, asked = training.part("train"), workplace.folder / "synthetic", []
    plain = parse_arm(str(tiny_run_folder)).treat(real, workplace)

    def unscreened(*args: Any, min_confidence: float | None, **more: Any) -> Any:
        asked.append(min_confidence)
        return generate(*args, **more)

    monkeypatch.setattr("gansynth.synthesis.generate", unscreened)  # two steps of training fool no classifier
    screened = parse_arm(f"{tiny_run_folder}:confidence=0.5").treat(real, workplace)
    assert asked == [0.5] and screened.counts() == plain.counts()
    assert (folder / f"{tiny_run_folder.name}-confidence0.5").is_dir() and (folder / tiny_run_folder.name).is_dir()


def test_a_confidence_of_zero_keeps_all_images_whatever_the_comparison_asks_for(
    training: CellDataset, workplace: Workplace, tiny_run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def unscreened(*args: Any, min_confidence: float | None, **more: Any) -> Any:
        asked.append(min_confidence)
        return generate(*args, **more)

    monkeypatch.setattr("gansynth.synthesis.generate", unscreened)
    strict = replace(workplace, folder=workplace.folder / "strict", min_confidence=0.9)
    for spec in (f"{tiny_run_folder}:confidence=0", str(tiny_run_folder)):
        parse_arm(spec).treat(training.part("train"), strict)
    assert asked == [None, 0.9]
    assert list(gans_of([parse_arm("c-wgan-gp-64:confidence=0")])) == ["c-wgan-gp-64:confidence=0"]


def test_classes_that_cannot_be_filled_with_sure_images_are_named(
    training: CellDataset, workplace: Workplace, tiny_run_folder: Path
) -> None:
    with pytest.raises(InputError, match="not every class could be filled: basophil: 0 of"):
        parse_arm(f"{tiny_run_folder}:confidence=0.99@0.1").treat(training.part("train"), workplace)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("c-wgan-gp-64:confidence=2", "is not a number from 0 to 1"),
        ("c-wgan-gp-64:blur=1", "takes no parameter 'blur'"),
        ("c-wgan-gp-64:minutes=-1", "minutes=-1 is not a number from 0"),
    ],
)
def test_impossible_parameters_of_a_gan_are_refused(spec: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_arm(spec)


def test_a_run_with_minutes_goes_on_with_the_images_of_the_split_once(
    training: CellDataset, workplace: Workplace, tiny_run_folder: Path
) -> None:
    real, arm = training.part("train"), parse_arm(f"{tiny_run_folder}:minutes=0.001@0.1")
    [gan] = gans_of([arm]).values()
    assert gan.given is None and gan.trained(workplace) is None
    arm.treat(real, workplace)
    tuned, parent = gan.trained(workplace), open_run(tiny_run_folder)
    assert tuned is not None and tuned.path.parent == workplace.folder / "gans"
    assert tuned.info["parent"]["name"] == parent.name and tuned.model_sha256 != parent.model_sha256
    assert tuned.training_sha256 == parent.training_sha256 | set(real.records["sha256"])
    arm.at_dose(0.2).treat(real, workplace)
    assert Run(tuned.path).step == tuned.step > 0
    fewer = training.select(np.flatnonzero(training.records["split"] == "train")[1:])
    with pytest.raises(InputError, match="or on other images"):
        gan.run(replace(workplace, learning=lambda size: fewer))


def test_a_run_that_has_seen_a_test_image_does_not_go_on(
    training: CellDataset, workplace: Workplace, tiny_run_folder: Path
) -> None:
    [gan] = gans_of([parse_arm(f"{tiny_run_folder}:minutes=600")]).values()
    with pytest.raises(InputError, match="was trained on"):
        gan.refuse_leaks(training.part("train"), workplace)
    assert gan.trained(workplace) is None


def test_minutes_of_a_recipe_stand_instead_of_the_budget(workplace: Workplace) -> None:
    budget = GanBudget(images=1000)
    place = replace(workplace, budget=budget)
    plain, own = gans_of([parse_arm("c-wgan-gp-64"), parse_arm("c-wgan-gp-64:minutes=30")]).values()
    assert {plain.budget(place), own.budget(place)} == {budget, GanBudget(minutes=30)}
    assert plain.folder_name != own.folder_name


def test_a_gan_is_known_by_what_was_typed_without_its_dose() -> None:
    arms = [parse_arm(spec) for spec in ("c-wgan-gp-64@0.5", "augmentation+c-wgan-gp-64:confidence=0.5@2")]
    assert set(gans_of(arms)) == {"c-wgan-gp-64", "c-wgan-gp-64:confidence=0.5"}
    assert arms[1].at_dose(1).spec == "augmentation+c-wgan-gp-64:confidence=0.5@1"


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
