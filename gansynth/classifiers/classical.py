"""Classical classifiers of scikit-learn: logistic regression, naive Bayes, support vectors, random forest.

Nothing is pickled. A run keeps the projected features that the classifier learned from; opening it fits the classifier
again with the same seed, and checks that it says what it said.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC

from gansynth.atomic import write_json, write_text
from gansynth.classifier_recipes import (
    ClassicalRecipe,
    Forest,
    LogisticRegressionRecipe,
    NaiveBayesRecipe,
    SupportVectors,
    load_classifier_recipe,
)
from gansynth.classifiers.augmentation import ordinary_augmentation
from gansynth.classifiers.cell_encoder import CellEncoder
from gansynth.classifiers.classifier import Classifier
from gansynth.classifiers.features import BATCH, EncoderFeatures, Features, open_features, published_features
from gansynth.classifiers.projection import Projection
from gansynth.errors import InputError
from gansynth.gans.device import chosen_device
from gansynth.gans.images import to_float, to_uint8
from gansynth.gans.weights import read_weights, write_weights
from gansynth.remedies.treatment import Treatment

WEIGHTS = "model.safetensors"
INFO = "run.json"
RECIPE = "recipe.yaml"
ENCODER = "encoder"
CALIBRATION_PARTS = 3
_PACKAGES = ("gansynth", "scikit-learn", "numpy", "torch")
_CHECKED = 64


@dataclass(frozen=True)
class Lesson:
    """What a classifier of scikit-learn is fitted on.

    Attributes
    ----------
    points : float32 array, shape [n, k]
        Projected features of the images.
    labels : int64 array, shape [n]
    times : int64 array, shape [n]
        How often each image is shown.
    class_weight : float64 array, shape [C]
    image : int64 array, shape [n]
        Equal for the same picture.
    """

    points: NDArray[np.float32]
    labels: NDArray[np.int64]
    times: NDArray[np.int64]
    class_weight: NDArray[np.float64]
    image: NDArray[np.int64]

    @property
    def rows(self) -> NDArray[np.int64]:
        """Positions of the images, each as often as it is shown."""
        return np.repeat(np.arange(len(self.times)), self.times)


class ClassicalClassifier(Classifier):
    """A fitted classifier of scikit-learn behind its features and their projection."""

    def __init__(
        self,
        recipe: ClassicalRecipe,
        features: Features,
        projection: Projection,
        lesson: Lesson,
        info: dict[str, Any],
        model: Any = None,
    ) -> None:
        self.recipe = recipe
        self.features = features
        self.projection = projection
        self.lesson = lesson
        self.info = info
        self.model = fitted(recipe, lesson, int(info["seed"])) if model is None else model
        self.class_names = tuple(info["class_names"])
        self.seen_sha256 = frozenset(info["training_sha256"]) | features.seen_sha256
        self.chosen_on_sha256 = frozenset()
        self.curve = []
        self.weights = features.weights

    @property
    def n_seen(self) -> int:
        """Rows that scaler and principal components were fitted on."""
        return self.projection.n_seen

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        self.refuse_other_size(images)
        found = np.empty((len(images), len(self.class_names)))
        for start in range(0, len(images), 1024):
            part = slice(start, start + 1024)
            found[part] = self.of_points(self.projection(self.features(images[part])))
        return found

    def of_points(self, points: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the probabilities [n, C] of projected features [n, k]."""
        found = np.zeros((len(points), len(self.class_names)))
        found[:, self.model.classes_] = self.model.predict_proba(points)
        return found / found.sum(axis=1, keepdims=True)


def train_classical(
    treatment: Treatment,
    recipe: ClassicalRecipe,
    *,
    seed: int = 0,
    device: str = "auto",
    weights_dir: Path | None = None,
) -> ClassicalClassifier:
    """Train a classical classifier.

    Parameters
    ----------
    treatment : Treatment
        Its rows and its weights of classes count. Where it asks for augmentation, altered copies of every image are
        learned from besides it, as many as the recipe says. Copies of one image, equal or altered, are never on both
        sides when probabilities are calibrated.
    recipe : ClassicalRecipe
    seed : int
        Decides everything random; the caller's random state is left as it was.
    device : {"auto", "cpu", "cuda"}
        Where a network computes features.
    weights_dir : path, optional
        Where published weights of backbones lie.

    Raises
    ------
    InputError
        For a treatment that only a network can follow (a loss), and features that there are not.
    """
    if treatment.loss is not None and treatment.class_weight is None:
        raise InputError(
            f"{recipe.name} has no loss to be replaced, and the remedy asks for one of its own; leave it out"
        )
    begun = time.monotonic()
    n_classes = len(treatment.images.class_names)
    index, times = np.unique(treatment.rows, return_counts=True)
    images = treatment.images.select(index)
    real = images.select((images.records["origin"] != "synthetic").to_numpy())
    features = open_features(recipe.classical.features, real, seed=seed, device=device, weights_dir=weights_dir)
    copies = recipe.classical.augmented_copies if treatment.augmented else 0
    described = np.concatenate([features(images.images), *_altered(images.images, features, copies, seed)])
    labels, times = np.tile(images.labels, 1 + copies), np.tile(times, 1 + copies)
    projection = Projection.fit(described, times, recipe.classical.components, seed=seed)
    weight = np.ones(n_classes) if treatment.class_weight is None else np.asarray(treatment.class_weight, np.float64)
    image = np.unique(images.records["sha256"].to_numpy(), return_inverse=True)[1].astype(np.int64)
    image = np.tile(image, 1 + copies)
    lesson = Lesson(projection(described), labels, times.astype(np.int64), weight, image)
    info = {
        "classifier": recipe.name,
        "class_names": list(images.class_names),
        "seed": seed,
        "device": platform.machine(),
        "versions": {"python": platform.python_version(), **{p: metadata.version(p) for p in _PACKAGES}},
        "weights": features.weights,
        "training_counts": treatment.counts(),
        "n_seen": projection.n_seen,
        "training_sha256": sorted(set(images.records["sha256"]) | features.seen_sha256),
        "chosen_on_sha256": [],
        "curve": [],
    }
    found = ClassicalClassifier(recipe, features, projection, lesson, info)
    info["seconds"] = round(time.monotonic() - begun, 1)
    return found


def save_classical(classifier: ClassicalClassifier, folder: Path) -> None:
    """Write a run folder: ``recipe.yaml``, ``run.json``, ``model.safetensors``, and a cell encoder if one is used."""
    folder.mkdir(parents=True, exist_ok=True)
    lesson, projection = classifier.lesson, classifier.projection
    tensors = {
        "points": lesson.points,
        "labels": lesson.labels,
        "times": lesson.times,
        "class_weight": lesson.class_weight,
        "image": lesson.image,
        "mean": projection.mean,
        "scale": projection.scale,
        "said": classifier.of_points(lesson.points[:_CHECKED]),
    }
    if projection.components is not None:
        tensors["components"] = projection.components
    if isinstance(classifier.features, EncoderFeatures):
        classifier.features.encoder.save(folder / ENCODER)
    write_text(folder / RECIPE, classifier.recipe.to_yaml())
    write_weights(folder / WEIGHTS, {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in tensors.items()}, {})
    write_json(folder / INFO, classifier.info)  # last: a folder that has it is whole


def load_classical(folder: Path, *, device: str = "auto", weights_dir: Path | None = None) -> ClassicalClassifier:
    """Open a folder that `save_classical` wrote; the classifier is fitted again, which takes as long as it took.

    Raises
    ------
    InputError
        If the folder is incomplete, or the classifier no longer says what it said (another release of scikit-learn).
    """
    try:
        info = json.loads((folder / INFO).read_text(encoding="utf-8"))
        recipe = load_classifier_recipe(folder / RECIPE)
        tensors = {name: tensor.numpy() for name, tensor in read_weights(folder / WEIGHTS)[0].items()}
        assert isinstance(recipe, ClassicalRecipe)
        lesson = Lesson(*(tensors[name] for name in ("points", "labels", "times", "class_weight", "image")))
        projection = Projection(tensors["mean"], tensors["scale"], tensors.get("components"), int(info["n_seen"]))
        said = tensors["said"]
        if (folder / ENCODER).is_dir():
            features: Features = EncoderFeatures(CellEncoder.load(folder / ENCODER, chosen_device(device)))
        else:
            features = published_features(recipe.classical.features, device=device, weights_dir=weights_dir)
        found = ClassicalClassifier(recipe, features, projection, lesson, info)
    except (OSError, ValueError, KeyError, TypeError, AssertionError):
        raise InputError(f"{folder}: is no run of a classical classifier, or was cut off or edited") from None
    now = found.of_points(lesson.points[:_CHECKED])
    if now.shape != said.shape or not np.allclose(now, said, atol=1e-3):
        release = metadata.version("scikit-learn")
        raise InputError(
            f"{folder}: scikit-learn {release} does not fit the classifier that scikit-learn "
            f"{info['versions']['scikit-learn']} fitted; install that release, or train the classifier again"
        )
    return found


def _altered(images: NDArray[np.uint8], features: Features, copies: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Yield the features of so many altered copies of all images; the caller's random state is left as it was."""
    for copy in range(copies):
        parts = []
        for start in range(0, len(images), BATCH):
            x = to_float(torch.from_numpy(np.array(images[start : start + BATCH])))
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed * 1_000_003 + copy * 10_007 + start)
                altered = ordinary_augmentation(x)
            parts.append(features(to_uint8(altered).numpy()))
        yield np.concatenate(parts)


def fitted(recipe: ClassicalRecipe, lesson: Lesson, seed: int) -> Any:
    """Fit the recipe's classifier; equal input gives an equal classifier with one release of scikit-learn."""
    rows = lesson.rows
    points, labels = lesson.points[rows], lesson.labels[rows]
    weight = lesson.class_weight[labels]
    part = recipe.classical
    if isinstance(recipe, NaiveBayesRecipe):
        return GaussianNB().fit(points, labels, weight)
    if isinstance(recipe, LogisticRegressionRecipe):
        logistic = LogisticRegression(C=recipe.classical.C, max_iter=recipe.classical.iterations, random_state=seed)
        return logistic.fit(points, labels, weight)
    if isinstance(part, Forest):
        forest = RandomForestClassifier(
            part.trees, min_samples_leaf=part.leaf, random_state=seed, n_jobs=torch.get_num_threads()
        )
        return forest.fit(points, labels, weight)
    assert isinstance(part, SupportVectors)
    machine = SVC(C=part.C, kernel=part.kernel, gamma=part.gamma, random_state=seed)
    parts = calibration_parts(lesson, seed)
    return CalibratedClassifierCV(machine, cv=PredefinedSplit(parts[rows]), ensemble=False).fit(points, labels, weight)


def calibration_parts(lesson: Lesson, seed: int) -> NDArray[np.int64]:
    """Divide images into parts for calibration, int64 [n]: every class in each, one picture in one part only.

    Raises
    ------
    InputError
        If a class has one picture only: what has learned from it cannot be calibrated on it.
    """
    rng = np.random.default_rng(seed)
    part = np.zeros(len(lesson.labels), dtype=np.int64)
    sizes = [len(np.unique(lesson.image[lesson.labels == c])) for c in np.unique(lesson.labels)]
    count = min(CALIBRATION_PARTS, *sizes)
    if count < 2:
        raise InputError("a support vector machine needs two different images of every class to calibrate itself")
    for c in np.unique(lesson.labels):
        mine = np.flatnonzero(lesson.labels == c)
        pictures, which = np.unique(lesson.image[mine], return_inverse=True)
        part[mine] = (rng.permutation(len(pictures)) % count)[which]
    return part
