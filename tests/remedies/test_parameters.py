"""Parameters in an arm's text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gansynth.data import CellDataset
from gansynth.data.phantom import phantom_dataset
from gansynth.errors import InputError
from gansynth.remedies import Arm, Workplace, parse_arm, remedy_names
from gansynth.remedies.remedy import REGISTRY


@pytest.fixture(scope="module")
def cells() -> CellDataset:
    return phantom_dataset({"basophil": 3, "eosinophil": 12}, size=16)


def test_parameters_stand_before_the_dose_and_the_others_have_their_defaults() -> None:
    focal, smote = parse_arm("focal:gamma=1.5").remedies[0], parse_arm("smote : k = 3 @0.5").remedies[0]
    assert focal.values == {"gamma": 1.5, "alpha": 1.0, "power": 0.0}
    assert smote.values == {"k": 3} and smote.dose == 0.5
    assert parse_arm("smote:k=3").at_dose(0.25).spec == "smote:k=3@0.25"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("focal:gama=1", r"focal takes no parameter 'gama'; it takes gamma \(.*0 to 10, else 2\); alpha"),
        ("oversample:k=1", "takes no parameter 'k'; it takes none"),
        ("focal:gamma=-1", "gamma=-1 is not a number from 0 to 10"),
        ("cb-focal:beta=1", "beta=1 is not a number from 0 to 0.999999"),
        ("smote:k=2.5", "k=2.5 is not a whole number"),
        ("focal:gamma", "'gamma' is not name=number"),
        ("focal:gamma=lots", "'gamma=lots' is not name=number"),
        ("focal:gamma=nan", "is not name=number"),
        ("focal:gamma=inf", "is not name=number"),
        ("focal:", "'' is not name=number"),
        ("focal:gamma=1:gamma=2", "gamma is given twice"),
        ("smote@0.5:k=3", "parameters stand before the dose"),
        ("focl:gamma=1", "did you mean 'focal'"),
        ("focal+weighted", "focal and weighted both decide the loss"),
        ("focal:gamma=1+focal:gamma=2", "both decide the loss"),
        ("mixup+cutmix", "both decide how images are mixed"),
        ("mixup+smote", "compare them as two arms"),
    ],
)
def test_what_means_nothing_is_refused_with_what_there_is(spec: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_arm(spec)


@given(st.text(":=@+abcfoclgm0123.-", max_size=20))
def test_any_text_is_an_arm_or_is_refused(text: str) -> None:
    for spec in (text, f"focal{text}", f"smote:k={text}"):
        try:
            arm = parse_arm(spec)
            assert parse_arm(str(arm)) == arm and str(parse_arm(str(arm))) == str(arm)
        except InputError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_remedy_says_what_it_is_and_its_defaults_are_allowed(name: str) -> None:
    remedy = REGISTRY[name]()
    spec = f"naturalize+{name}" if remedy.needs_synthetic else name
    assert type(remedy).__doc__ and name in remedy_names() and parse_arm(spec).spec == spec
    assert set(remedy.values) == {parameter.name for parameter in remedy.parameters}
    for parameter in remedy.parameters:
        for value in (parameter.default, parameter.least, parameter.most, *parameter.tried):
            assert REGISTRY[name](**{parameter.name: value}).values[parameter.name] == value


@pytest.mark.parametrize("spec", ["oversample@0.6", "undersample@0.6", "oversample-turned@0.6"])
def test_what_is_drawn_at_no_cost_may_be_drawn_anew_for_each_seed(spec: str, cells: CellDataset) -> None:
    def rows(**seeds: int) -> list[int]:
        place = Workplace(Path("nowhere"), learning=lambda size: cells, **seeds)  # type: ignore[arg-type]
        return [int(row) for row in parse_arm(spec).treat(cells, place).rows]

    assert parse_arm(spec).cheap
    assert rows(seed=1) == rows(seed=1, drawing_seed=1) == rows(seed=5, drawing_seed=1)
    assert len({tuple(rows(seed=1, drawing_seed=k)) for k in range(8)}) > 1


def test_arms_say_for_which_classifiers_they_are_and_whether_they_are_cheap() -> None:
    assert parse_arm("smote").classical_only and not parse_arm("smote").neural_only
    assert parse_arm("augmentation+mixup").neural_only and parse_arm("augmentation+mixup").cheap
    assert not parse_arm("weighted").neural_only and not parse_arm("weighted").classical_only
    assert not parse_arm("weighted+c-wgan-gp-64").cheap and parse_arm("none").cheap


def test_two_spellings_are_one_arm() -> None:
    assert parse_arm(" smote : k = 3.0 @0.50").spec == "smote:k=3@0.5" and parse_arm("none") == Arm()


def test_an_arm_whose_gan_is_gone_is_still_taken_apart_and_described() -> None:
    arm = Arm.parse("augmentation+runs/a:b:confidence=0.5@0.25")
    assert [part.name for part in arm.parts] == ["augmentation", "runs/a:b"]
    assert arm.dose == 0.25 and str(arm.without_dose()) == "augmentation+runs/a:b:confidence=0.5"
    assert str(arm.at_no_dose()) == "augmentation" and str(Arm.parse("c-wgan-gp@2").at_no_dose()) == "none"
    assert arm.describe() == "ordinary augmentation and synthetic images (runs/a:b:confidence=0.5@0.25)"


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_remedy_has_words_of_its_own(name: str) -> None:
    others = {REGISTRY[other].noun for other in REGISTRY if other != name}
    assert REGISTRY[name].noun and REGISTRY[name].noun not in others
    assert REGISTRY[name].describe() in Arm.parse(f"augmentation+{name}").describe()
