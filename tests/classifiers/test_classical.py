"""Claims about the classical classifiers."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from gansynth.classifiers.cell_encoder import train_cell_encoder
from gansynth.classifiers.classical import Projection, load_classical, save_classical, train_classical
from gansynth.classifiers.features import BackboneFeatures, published_features
from gansynth.classifiers.lesson import Lesson, calibration_parts
from gansynth.data.dataset import CellDataset
from gansynth.data.phantom import phantom_dataset
from gansynth.errors import InputError
from gansynth.networks.backbone import Backbone, Preparation
from gansynth.networks.efficientnet_lite import LiteStages
from gansynth.networks.images import to_float
from gansynth.recipes.classifier import ClassicalRecipe, load_classifier_recipe
from gansynth.remedies.treatment import Treatment

NAMES = ("logistic-regression", "naive-bayes", "svm", "random-forest")


def _recipe(name: str, *changes: str) -> ClassicalRecipe:
    small = ("classical.trees=30",) if name == "random-forest" else ()
    recipe = load_classifier_recipe(name, ["resolution=16", "classical.components=8", *small, *changes])
    assert isinstance(recipe, ClassicalRecipe)
    return recipe


@pytest.fixture(scope="module")
def cells() -> CellDataset:
    return phantom_dataset({"basophil": 12, "eosinophil": 40, "lymphocyte": 30}, size=16)


@pytest.fixture(scope="module")
def fresh() -> CellDataset:
    return phantom_dataset({"basophil": 20, "eosinophil": 20, "lymphocyte": 20}, size=16, seed=1)


@pytest.mark.parametrize("name", NAMES)
def test_it_tells_phantom_cells_apart(name: str, cells: CellDataset, fresh: CellDataset) -> None:
    p = train_classical(Treatment.of(cells), _recipe(name)).probabilities(fresh.images)
    assert p.shape == (60, 3) and p.sum(axis=1) == pytest.approx(np.ones(60)) and p.min() >= 0
    assert (p.argmax(axis=1) == fresh.labels).mean() > 0.6


@pytest.mark.parametrize("name", NAMES)
def test_an_opened_run_says_what_the_trained_classifier_said(
    name: str, cells: CellDataset, fresh: CellDataset, tmp_path: Path
) -> None:
    treatment = Treatment(cells, np.r_[np.arange(len(cells)), [0, 1, 1]], class_weight=np.array([2.0, 1.0, 1.0]))
    trained = train_classical(treatment, _recipe(name), seed=3)
    save_classical(trained, tmp_path / "run")
    opened = load_classical(tmp_path / "run")
    assert np.array_equal(opened.probabilities(fresh.images), trained.probabilities(fresh.images))
    assert opened.seen_sha256 == trained.seen_sha256 and opened.recipe == trained.recipe
    assert not list((tmp_path / "run").rglob("*.pkl")) and opened.class_names == cells.class_names


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_everything(name: str, cells: CellDataset, fresh: CellDataset) -> None:
    state = torch.random.get_rng_state()
    again = [train_classical(Treatment.of(cells), _recipe(name), seed=s).probabilities(fresh.images) for s in (5, 5, 6)]
    assert np.array_equal(again[0], again[1]) and torch.equal(state, torch.random.get_rng_state())
    assert name != "random-forest" or not np.array_equal(again[0], again[2])


def test_scaler_and_components_see_the_rows_of_the_treatment_and_nothing_else(cells: CellDataset) -> None:
    rows = np.r_[np.arange(20), np.arange(20), np.arange(52, 60)]
    found = train_classical(Treatment(cells, rows), _recipe("naive-bayes"))
    assert found.n_seen == len(rows) == 48
    assert found.seen_sha256 == frozenset(cells.records["sha256"].to_numpy()[rows])
    images = cells.images.copy()
    images[20:52] = 255  # what is not among the rows changes nothing
    blind = train_classical(Treatment(replace(cells, images=images), rows), _recipe("naive-bayes"))
    assert np.array_equal(found.projection.mean, blind.projection.mean)
    assert found.projection.components is not None and blind.projection.components is not None
    assert np.array_equal(found.projection.components, blind.projection.components)


def test_images_that_count_several_times_are_projected_as_if_they_stood_there_so_often() -> None:
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(40, 12)) * np.arange(1, 13)).astype(np.float32)
    times = rng.integers(1, 5, 40)
    ours = Projection.fit(features, times, 3)
    scaled = StandardScaler().fit(np.repeat(features, times, axis=0))
    pca = PCA(3, svd_solver="full").fit(scaled.transform(np.repeat(features, times, axis=0)))
    assert ours.n_seen == scaled.n_samples_seen_ == times.sum()
    theirs = pca.transform(scaled.transform(features))
    found = ours(features)
    assert np.abs(found) == pytest.approx(np.abs(theirs), abs=1e-3)


def test_copies_of_a_picture_are_never_on_both_sides_of_a_calibration() -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 25, 60)
    labels = image % 3
    parts = calibration_parts(
        Lesson(np.zeros((60, 2), np.float32), labels, np.ones(60, np.int64), np.ones(3), image), seed=0
    )
    for picture in np.unique(image):
        assert len(np.unique(parts[image == picture])) == 1
    for part in np.unique(parts):
        assert set(labels[parts == part]) == {0, 1, 2}


def test_a_machine_cannot_be_calibrated_on_one_picture_of_a_class(cells: CellDataset) -> None:
    rows = np.r_[[0, 0, 0], np.arange(12, 82)]
    with pytest.raises(InputError, match="two different images of every class"):
        train_classical(Treatment(cells, rows), _recipe("svm"))


def test_over_sampling_helps_the_rare_class_as_a_weight_does(cells: CellDataset) -> None:
    rows = np.r_[np.repeat(np.arange(12), 3), np.arange(12, 82)]
    recipe = _recipe("logistic-regression")
    copied = train_classical(Treatment(cells, rows), recipe)
    found = copied.probabilities(cells.images).sum(axis=0)
    plain = train_classical(Treatment.of(cells), recipe).probabilities(cells.images).sum(axis=0)
    weighted = train_classical(
        Treatment(cells, np.arange(82), class_weight=np.array([3.0, 1.0, 1.0])), recipe
    ).probabilities(cells.images).sum(axis=0)  # fmt: skip
    assert found[0] > plain[0] and weighted[0] > plain[0]


def test_a_class_without_images_gets_no_probability(cells: CellDataset) -> None:
    found = train_classical(Treatment(cells, np.arange(12, 82)), _recipe("random-forest"))
    p = found.probabilities(cells.images)
    assert p[:, 0].max() == 0 and p.sum(axis=1) == pytest.approx(np.ones(len(p)))


def test_an_encoder_brings_the_images_it_was_trained_on(cells: CellDataset, tmp_path: Path) -> None:
    encoder = train_cell_encoder(cells.select(np.arange(40)), images=64, width=4)
    encoder.save(tmp_path / "encoder")
    rows = np.arange(10, 82)
    recipe = _recipe("naive-bayes", f"classical.features=encoder:{tmp_path / 'encoder'}")
    trained = train_classical(Treatment(cells, rows), recipe)
    hashes = cells.records["sha256"].to_numpy()
    assert set(hashes[:10]) <= trained.seen_sha256 and set(hashes[rows]) <= trained.seen_sha256
    save_classical(trained, tmp_path / "run")
    assert np.array_equal(
        load_classical(tmp_path / "run").probabilities(cells.images), trained.probabilities(cells.images)
    )


def test_an_encoder_that_does_not_know_its_images_is_refused(cells: CellDataset, tmp_path: Path) -> None:
    train_cell_encoder(cells, images=64, width=4).save(tmp_path)
    info = json.loads((tmp_path / "encoder.json").read_text())
    (tmp_path / "encoder.json").write_text(json.dumps({**info, "training_sha256": []}))
    with pytest.raises(InputError, match="does not say which images"):
        train_classical(Treatment.of(cells), _recipe("naive-bayes", f"classical.features=encoder:{tmp_path}"))


def test_what_only_a_network_can_follow_is_refused(cells: CellDataset) -> None:
    with pytest.raises(InputError, match="no loss to be replaced"):
        train_classical(Treatment(cells, np.arange(82), loss=lambda z, y, done: z.sum()), _recipe("svm"))


@pytest.mark.parametrize("name", ["svm", "naive-bayes"])
def test_augmentation_adds_altered_copies_that_stay_on_one_side(name: str, cells: CellDataset) -> None:
    recipe = _recipe(name, "classical.augmented_copies=2")
    plain, augmented = (
        train_classical(Treatment(cells, np.arange(82), augmented=wanted), recipe) for wanted in (False, True)
    )
    lesson = augmented.lesson
    assert augmented.n_seen == len(lesson.labels) == 3 * plain.n_seen
    assert augmented.seen_sha256 == plain.seen_sha256
    assert not np.allclose(lesson.points[:82], lesson.points[82:164], atol=1e-3)
    parts = calibration_parts(lesson, 0).reshape(3, 82)
    assert (parts == parts[0]).all()
    again = train_classical(Treatment(cells, np.arange(82), augmented=True), recipe)
    assert np.array_equal(again.probabilities(cells.images), augmented.probabilities(cells.images))


def test_images_of_another_size_are_refused(cells: CellDataset) -> None:
    trained = train_classical(Treatment.of(cells), _recipe("naive-bayes"))
    larger: NDArray[np.uint8] = np.zeros((1, 3, 32, 32), np.uint8)
    with pytest.raises(InputError, match="16 x 16 px"):
        trained.probabilities(larger)


@pytest.mark.parametrize("missing", ["run.json", "recipe.yaml", "model.safetensors"])
def test_a_folder_that_is_not_whole_is_refused(missing: str, cells: CellDataset, tmp_path: Path) -> None:
    save_classical(train_classical(Treatment.of(cells), _recipe("naive-bayes")), tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(InputError):
        load_classical(tmp_path)


def test_weights_of_another_training_are_refused(cells: CellDataset, tmp_path: Path) -> None:
    for seed, name in enumerate(("one", "other")):
        save_classical(train_classical(Treatment.of(cells), _recipe("naive-bayes"), seed=seed), tmp_path / name)
    shutil.copyfile(tmp_path / "other" / "model.safetensors", tmp_path / "one" / "model.safetensors")
    with pytest.raises(InputError, match=r"model\.safetensors: was written by another training than run\.json"):
        load_classical(tmp_path / "one")


def test_a_run_that_is_no_longer_fitted_as_it_was_is_refused(cells: CellDataset, tmp_path: Path) -> None:
    trained = train_classical(Treatment.of(cells), _recipe("random-forest"), seed=0)
    trained.info["seed"] = 1  # as another release of scikit-learn would, it draws other trees
    save_classical(trained, tmp_path)
    with pytest.raises(InputError, match="scikit-learn"):
        load_classical(tmp_path)


def test_features_of_a_backbone_are_those_of_published_weights(cells: CellDataset, tmp_path: Path) -> None:
    recipe = tmp_path / "untrained.yaml"
    recipe.write_text(
        "name: untrained\nclassifier: backbone\nresolution: 16\n"
        "network: {library: torchvision, model: resnet18, weights: none, input_size: 32}\n"
    )
    for name in (recipe, "sequential-cnn"):
        with pytest.raises(InputError, match="not a backbone with published weights; take backbone:efficientnet-lite0"):
            train_classical(Treatment.of(cells), _recipe("naive-bayes", f"classical.features=backbone:{name}"))


def test_a_backbone_describes_every_image_by_itself(cells: CellDataset) -> None:
    trunk = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(2), torch.nn.Flatten())
    features = BackboneFeatures(Backbone(trunk, 12, 1, input_size=32, mean=[0.5] * 3, std=[0.5] * 3))
    found = features(cells.images)
    assert found.shape == (82, 12) and features.weights == "pretrained" and not features.seen_sha256
    assert features(cells.images[40:41]) == pytest.approx(found[40:41], abs=1e-6)
    assert len(features(cells.images[:0])) == 0


def test_a_frozen_network_describes_an_image_once_whoever_asks_in_whatever_company(
    cells: CellDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    class Counted(torch.nn.Flatten):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            asked.append(len(images))
            return super().forward(images)

    def opened(edge: int = 2, scale: float = 0.5) -> BackboneFeatures:
        torch.manual_seed(0)  # the head is drawn, too
        return BackboneFeatures(Backbone(Counted(), 12, 1, input_size=edge, mean=[0.5] * 3, std=[scale] * 3))

    monkeypatch.setattr("gansynth.classifiers.features._DESCRIBED", {})
    images = np.asarray(cells.images)
    found = opened()(images[:40])
    assert asked == [32, 32], "the last batch is filled up: its images round as they would in a full one"
    assert len(np.unique(found, axis=0)) == 40
    again = opened()(images[[50, *range(39, -1, -1), 50]])
    assert asked == [32, 32, 32] and (again[1:41] == found[::-1]).all() and (again[0] == again[41]).all()
    opened(scale=0.25)(images[:32])
    assert asked == [32] * 4, "another network sees the same images"
    monkeypatch.setattr("gansynth.classifiers.features.REMEMBERED", 0)
    assert (opened()(images[60:64]) == opened()(images[60:64])).all() and asked == [32] * 6, "no room to remember"
    assert (opened()(images[:40]) == found).all() and asked == [32] * 6


def test_stages_are_described_by_mean_and_standard_deviation_of_every_map(cells: CellDataset) -> None:
    features = published_features("stages:efficientnet-lite0", device="cpu")
    found = features(cells.images[:3])
    with torch.no_grad():
        large = Preparation(128, [0.5] * 3, [0.5] * 3)(to_float(torch.from_numpy(np.array(cells.images[:3]))))
        first, *_, last = LiteStages(0)(large)
    assert found.shape == (3, 2 * 784) and features.weights == "pretrained" and not features.seen_sha256
    assert found[:, :16] == pytest.approx(first.mean((2, 3)).numpy(), abs=1e-4)
    assert found[:, -320:] == pytest.approx(last.flatten(2).numpy().std(2), abs=1e-4)
    assert features(cells.images[2:3]) == pytest.approx(found[2:3], abs=1e-4)


def test_a_head_on_frozen_stages_opens_again(cells: CellDataset, fresh: CellDataset, tmp_path: Path) -> None:
    smaller = load_classifier_recipe("efficientnet-lite0", ["network.input_size=64"])
    (tmp_path / "smaller.yaml").write_text(smaller.to_yaml())
    changes = ["resolution=16", f"classical.features=stages:{tmp_path / 'smaller.yaml'}"]
    recipe = load_classifier_recipe("efficientnet-lite0-features", changes)
    assert isinstance(recipe, ClassicalRecipe)
    trained = train_classical(Treatment.of(cells), recipe, device="cpu")
    save_classical(trained, tmp_path / "run")
    p = load_classical(tmp_path / "run", device="cpu").probabilities(fresh.images)
    assert p == pytest.approx(trained.probabilities(fresh.images), abs=1e-4)
    assert (p.argmax(axis=1) == fresh.labels).mean() > 0.7 and trained.info["weights"] == "pretrained"


def test_stages_of_another_network_are_refused() -> None:
    with pytest.raises(InputError, match="resnet50 is not an EfficientNet-Lite; take stages:efficientnet-lite0"):
        published_features("stages:resnet50")
