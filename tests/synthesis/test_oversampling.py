"""Claims about `GANOverSampler`: imbalanced-learn's convention, with images."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from imblearn.base import is_sampler
from imblearn.pipeline import make_pipeline
from imblearn.utils import estimator_checks
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from gansynth.data import open_dataset
from gansynth.errors import InputError
from gansynth.gans import open_run
from gansynth.recipes import GanRecipe, load_recipe
from gansynth.runs.weights import read_weights, write_weights
from gansynth.synthesis import GANOverSampler

pytestmark = pytest.mark.usefixtures("one_thread")

Cells = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def cells(phantom_folder: Path) -> Cells:
    """Images [n, 32, 32, 3] and the names of their classes."""
    dataset = open_dataset(phantom_folder, 32).part("train")
    return dataset.images.transpose(0, 2, 3, 1), np.array(dataset.class_names)[dataset.labels]


@pytest.fixture
def sampler(tiny_run_folder: Path) -> GANOverSampler:
    run = open_run(tiny_run_folder)
    assert run.fingerprints is not None
    run.fingerprints.copy_threshold = 0.0
    return GANOverSampler(run=run, random_state=0, device="cpu")


def test_every_class_gets_as_many_images_as_the_largest(sampler: GANOverSampler, cells: Cells) -> None:
    X, y = cells
    X_new, y_new = sampler.fit_resample(X, y)
    most = max(Counter(y).values())
    assert Counter(y_new) == dict.fromkeys(set(y), most)
    assert sampler.sampling_strategy_ == {name: most - n for name, n in Counter(y).items() if n < most}
    assert X_new.dtype == np.uint8 and X_new.shape == (3 * most, 32, 32, 3)
    assert np.array_equal(X_new[: len(X)], X) and np.array_equal(y_new[: len(y)], y)


def test_flat_images_stay_flat_and_frames_stay_frames(sampler: GANOverSampler, cells: Cells) -> None:
    X, y = cells
    images, _ = sampler.fit_resample(X, y)
    flat, _ = sampler.fit_resample(X.reshape(len(X), -1), y)
    assert np.array_equal(flat, images.reshape(len(images), -1))
    frame, labels = sampler.fit_resample(pd.DataFrame(X.reshape(len(X), -1).astype(np.float32)), pd.Series(y))
    assert isinstance(frame, pd.DataFrame) and isinstance(labels, pd.Series)
    assert np.array_equal(frame.to_numpy(), flat)


def test_same_random_state_gives_same_images(sampler: GANOverSampler, cells: Cells) -> None:
    first, again = (clone(sampler).fit_resample(*cells)[0] for _ in range(2))
    other = clone(sampler).set_params(random_state=1).fit_resample(*cells)[0]
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_wanted_numbers_per_class_are_followed(sampler: GANOverSampler, cells: Cells) -> None:
    before = Counter(cells[1])
    _, y = sampler.set_params(sampling_strategy={"basophil": 11}).fit_resample(*cells)
    assert Counter(y) == {**before, "basophil": 11}


def test_images_come_back_in_the_size_they_came_in(sampler: GANOverSampler, cells: Cells) -> None:
    small = cells[0][:, 4:28, 2:30]
    assert sampler.fit_resample(small, cells[1])[0].shape[1:] == (24, 28, 3)
    flat = sampler.set_params(image_shape=(24, 28, 3)).fit_resample(small.reshape(len(small), -1), cells[1])[0]
    assert flat.shape[1] == 24 * 28 * 3


def test_works_inside_a_pipeline_and_does_nothing_at_prediction(sampler: GANOverSampler, cells: Cells) -> None:
    X, y = cells[0].reshape(len(cells[0]), -1), cells[1]
    model = make_pipeline(sampler, StandardScaler(), LogisticRegression(max_iter=300)).fit(X, y)
    assert model.predict(X[:7]).shape == (7,) and model.score(X, y) > 0.8


def test_labels_that_the_run_does_not_know_are_refused(sampler: GANOverSampler, cells: Cells) -> None:
    with pytest.raises(InputError, match="no class '7'"):
        sampler.fit_resample(cells[0], np.where(cells[1] == "basophil", 7, 8))


def test_an_over_sampler_that_cannot_fill_a_class_says_so(sampler: GANOverSampler, cells: Cells) -> None:
    with pytest.raises(InputError, match="lower min_confidence"):
        sampler.set_params(min_confidence=1.0).fit_resample(*cells)


def test_it_trains_by_a_recipe_where_no_run_is_given(cells: Cells, tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(_tiny().to_yaml())
    X, y = cells[0][:, :16, :16], (cells[1] == "eosinophil").astype(int)
    sampler = GANOverSampler(str(recipe), steps=1, folder=tmp_path / "run", random_state=3, device="cpu")
    X_new, y_new = sampler.fit_resample(X, y)
    assert len(set(Counter(y_new.tolist()).values())) == 1
    assert X_new.shape[1:] == (16, 16, 3) and sampler.run_.class_names == ("0", "1")
    assert open_run(tmp_path / "run").model_sha256 == sampler.run_.model_sha256


def _tiny() -> GanRecipe:
    small = ["resolution=16", "networks.width=2", "latent=4", "training.batch_size=4"]
    reports = ["reports.watch_images=2", "reports.classifier_images=128", "reports.pretrained_judge=false"]
    return load_recipe("c-wgan-gp", [*small, *reports])


@pytest.mark.parametrize(
    ("X", "says"),
    [
        (np.zeros((4, 10)), "image_shape"),
        (np.zeros((4, 5, 5, 4)), "RGB images"),
        (np.zeros((4, 5, 5)), "RGB images"),
        (np.full((4, 12), 300.0), "0 to 255"),
        (np.full((4, 12), 0.5), "multiply by 255"),
        (np.full((4, 12), 100, np.int8), "does not hold 0 to 255"),
    ],
)
def test_what_is_no_rgb_image_is_refused_in_words(sampler: GANOverSampler, X: np.ndarray, says: str) -> None:
    with pytest.raises(InputError, match=says):
        sampler.fit_resample(X, ["basophil", "basophil", "basophil", "eosinophil"])


def test_rounding_beyond_white_and_images_as_data_sets_hold_them_are_taken(
    sampler: GANOverSampler, cells: Cells
) -> None:
    X, y = cells
    X_first, y_first = sampler.fit_resample(np.ascontiguousarray(X.transpose(0, 3, 1, 2)), y)
    X_last, y_last = sampler.fit_resample(X, y)
    assert np.array_equal(X_first.transpose(0, 2, 3, 1), X_last) and np.array_equal(y_first, y_last)
    rescaled = X.astype(float)
    rescaled[0, 0, 0, 0] = 255.00000000000006
    X_new, _ = sampler.fit_resample(rescaled, y)
    assert X_new.max() <= 255.1 and len(X_new) == len(X_last)


def test_a_second_fit_takes_the_run_that_is_there_and_no_other(cells: Cells, tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(_tiny().to_yaml())
    X, y = cells[0][:, :16, :16], (cells[1] == "eosinophil").astype(int)
    sampler = GANOverSampler(str(recipe), steps=1, folder=tmp_path / "run", random_state=3, device="cpu")
    first, again = (sampler.fit_resample(X, y)[0] for _ in range(2))
    assert np.array_equal(first, again)
    with pytest.raises(InputError, match="run"):
        sampler.fit_resample(X[::-1].copy()[1:], y[::-1][1:])


def test_what_can_be_known_before_training_is_said_before_it(cells: Cells, tmp_path: Path) -> None:
    for wrong in ({"min_confidence": 2.0}, {"sampling_strategy": {"basophil": 1}}):
        with pytest.raises((InputError, ValueError)):
            GANOverSampler(folder=tmp_path / "run", device="cpu", **wrong).fit_resample(*cells)
    assert not (tmp_path / "run").exists()


def test_sparse_input_is_declared_as_refused_and_many_thousands_of_images_are_taken(sampler: GANOverSampler) -> None:
    assert not sampler.__sklearn_tags__().input_tags.sparse
    X = np.random.default_rng(0).integers(0, 256, (6600, 12), dtype=np.uint8)
    y = np.array(["eosinophil"] * 6500 + ["basophil"] * 100)
    X_new, y_new = sampler.set_params(sampling_strategy={"basophil": 120}).fit_resample(X, y)
    assert X_new.shape == (6620, 12) and Counter(y_new)["basophil"] == 120


@pytest.mark.parametrize(
    "check",
    [
        "check_target_type",
        "check_samplers_one_label",
        "check_samplers_fit_resample",
        "check_samplers_sampling_strategy_fit_resample",
        "check_samplers_pandas",
        "check_samplers_list",
        "check_samplers_multiclass_ova",
        "check_samplers_2d_target",
        "check_samplers_preserve_dtype",
        "check_samplers_sample_indices",
    ],
)
def test_imbalanced_learns_own_checks_pass_on_images(
    check: str, tiny_run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_run_folder, tmp_path / "run")
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    (tmp_path / "run" / "run.json").write_text(json.dumps({**info, "class_names": ["0", "1", "2"]}))
    tensors, card = read_weights(tmp_path / "run" / "model.safetensors")
    write_weights(tmp_path / "run" / "model.safetensors", tensors, {**card, "class_names": '["0", "1", "2"]'})
    (tmp_path / "run" / "training_fingerprints.safetensors").unlink()
    random = np.random.default_rng(0)
    X = random.integers(0, 256, (60, 12)).astype(float)
    monkeypatch.setattr(estimator_checks, "sample_dataset_generator", lambda: (X, np.repeat([0, 1, 2], [10, 35, 15])))
    sampler = GANOverSampler(run=tmp_path / "run", random_state=0, device="cpu")
    assert is_sampler(sampler)
    getattr(estimator_checks, check)("GANOverSampler", sampler)
