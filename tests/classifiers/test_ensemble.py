"""Claims about ensembles: the mean of their members, and all that any member has seen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gansynth.classifiers import open_classifier, train_classifier
from gansynth.classifiers.ensemble import AverageClassifier
from gansynth.classifiers.explain import explain
from gansynth.classifiers.training import train_on_split
from gansynth.data.dataset import CellDataset
from gansynth.data.phantom import phantom_dataset
from gansynth.errors import InputError
from gansynth.recipes.classifier import AverageRecipe, load_classifier_recipe

CELLS = {"eosinophil": 12, "platelet": 12}
CNN = "{name: small, classifier: sequential-cnn, resolution: 16, network: {channels: [4, 4, 4, 8]}}"
MIXED = (f"members=[{CNN}, logistic-regression]", "resolution=16", "training.epochs=1", "training.batch_size=8")


def recipe(*changes: str) -> AverageRecipe:
    found = load_classifier_recipe("ensemble-average", list(changes))
    assert isinstance(found, AverageRecipe)
    return found


@pytest.fixture(scope="module")
def cells() -> tuple[CellDataset, CellDataset]:
    both = phantom_dataset(CELLS, size=16)
    order = np.random.default_rng(0).permutation(24)
    return both.select(order[:12]), both.select(order[12:])


@pytest.fixture(scope="module")
def trained(cells: tuple[CellDataset, CellDataset], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a network and a logistic regression together. Do not change it."""
    folder = tmp_path_factory.mktemp("ensemble") / "run"
    train_classifier(cells[0], recipe(*MIXED), folder, validation=cells[1], device="cpu", progress=False)
    return folder


def test_it_says_the_mean_and_has_seen_all_that_its_members_have(
    trained: Path, cells: tuple[CellDataset, CellDataset]
) -> None:
    average = open_classifier(trained, device="cpu")
    assert isinstance(average, AverageClassifier) and len(average.members) == 2
    images = cells[1].images
    mean = sum(member.probabilities(images) for member in average.members) / 2
    assert np.allclose(average.probabilities(images), mean) and np.allclose(mean.sum(axis=1), 1)
    assert average.seen_sha256 == frozenset(cells[0].records["sha256"])
    assert average.chosen_on_sha256 == frozenset(cells[1].records["sha256"])  # the network was chosen on them
    assert json.loads((trained / "run.json").read_text())["members"] == ["small", "logistic-regression"]
    calibrated = open_classifier(trained, calibrated=True, device="cpu").probabilities(images)
    assert (calibrated.argmax(axis=1) == mean.argmax(axis=1)).all()


def test_it_is_the_same_again_and_resuming_trains_nothing_anew(
    trained: Path, cells: tuple[CellDataset, CellDataset], tmp_path: Path
) -> None:
    first = open_classifier(trained, device="cpu").probabilities(cells[1].images)
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    before = (folder / "members" / "1-logistic-regression" / "model.safetensors").stat().st_mtime_ns
    shutil.rmtree(folder / "members" / "0-small")  # as if it had been stopped there
    again = train_classifier(
        cells[0], recipe(*MIXED), folder, validation=cells[1], device="cpu", progress=False, resume=True
    )
    assert np.array_equal(again.probabilities(cells[1].images), first)
    assert (folder / "members" / "1-logistic-regression" / "model.safetensors").stat().st_mtime_ns == before


def test_equal_members_begin_with_seeds_of_their_own(cells: tuple[CellDataset, CellDataset]) -> None:
    twins = recipe(f"members=[{CNN}, {CNN}]", *MIXED[1:])
    average = train_classifier(cells[0], twins, None, validation=None, device="cpu", progress=False)
    assert isinstance(average, AverageClassifier)
    a, b = (member.probabilities(cells[1].images) for member in average.members)
    assert not np.allclose(a, b)


def test_a_folder_without_a_member_or_with_another_one_is_refused(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "cut")
    shutil.rmtree(tmp_path / "cut" / "members" / "0-small")
    with pytest.raises(InputError, match="0-small: is missing; continue the training"):
        open_classifier(tmp_path / "cut")
    shutil.copytree(trained, tmp_path / "edited")
    info = tmp_path / "edited" / "run.json"
    info.write_text(info.read_text().replace("platelet", "basophil"))
    with pytest.raises(InputError, match="know other classes"):
        open_classifier(tmp_path / "edited", device="cpu")


def test_members_that_do_not_fit_together_are_refused(trained: Path) -> None:
    average = open_classifier(trained, device="cpu")
    assert isinstance(average, AverageClassifier)
    with pytest.raises(InputError, match="train all members at one resolution"):
        AverageClassifier(recipe(*MIXED, "resolution=32"), average.members)


def test_it_is_explained_by_its_members_only(trained: Path, cells: tuple[CellDataset, CellDataset]) -> None:
    average = open_classifier(trained, device="cpu")
    with pytest.raises(InputError, match=r"explain one of its members \(RUN/members/0-small"):
        explain(average, cells[1].images, "grad-cam")
    member = open_classifier(trained / "members" / "0-small", device="cpu")
    assert explain(member, cells[1].images, "grad-cam").maps.shape == (12, 16, 16)


def test_the_whole_way_from_a_data_set(phantom_folder: Path, tmp_path: Path) -> None:
    from gansynth.data import open_dataset

    outcome = train_on_split(
        open_dataset(phantom_folder, 16), recipe(*MIXED), tmp_path / "run", test=True, device="cpu", progress=False
    )
    assert outcome.test is not None and (tmp_path / "run" / "test.json").is_file()


def test_what_the_ensemble_says_replaces_what_its_members_say_where_they_have_it() -> None:
    plain = recipe()
    assert [member.name for member in plain.as_trained()] == ["efficientnetv2-b0", "densenet169"]
    assert plain.neural and not recipe("members=[svm, resnet50]").neural
    changed = recipe("members=[svm, resnet50]", "resolution=64", "training.epochs=3", "network.frozen=true")
    svm, resnet = changed.as_trained()
    assert svm.resolution == resnet.resolution == 64
    assert resnet.training.epochs == 3 and resnet.network.frozen  # type: ignore[attr-defined]
    assert resnet.network.weights == "pretrained"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("members=[svm]", "members: .*at least 2"),
        ("members=[svm, resnet5]", "members.1: no recipe named 'resnet5'.*did you mean 'resnet50'"),
        ("members=[svm, ensemble-average]", "a member is an ensemble itself"),
        ("members=[svm, {name: a, classifier: tree, resolution: 64}]", "members.1: classifier: no classifier 'tree'"),
        ("members=[sequential-cnn, svm]", "resolution 8 is below 16"),
    ],
)
def test_a_wrong_ensemble_is_refused_with_its_place(change: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        recipe(change, "resolution=8")
