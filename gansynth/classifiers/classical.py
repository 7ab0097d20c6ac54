"""Classical classifiers of scikit-learn: logistic regression, naive Bayes, support vectors, random forest; and a small
network that learns from features as they do.

They see standardised features on their principal components. Nothing is pickled. A run keeps the projected features
that the classifier learned from; opening it fits the classifier again with the same seed, and checks that it says what
it said.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
import warnings
from dataclasses import asdict, dataclass
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
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.extmath import randomized_svd

from gansynth.classifiers.cell_encoder import CellEncoder
from gansynth.classifiers.classifier import Classifier
from gansynth.classifiers.feature_network import FeatureNetwork
from gansynth.classifiers.features import EncoderFeatures, Features, open_features, published_features
from gansynth.classifiers.lesson import Lesson, calibration_parts, described
from gansynth.classifiers.registry import MAKERS, register
from gansynth.errors import InputError
from gansynth.files import read_json
from gansynth.files.atomic import write_json, write_text
from gansynth.recipes.classifier import (
    ClassicalRecipe,
    FeatureNetworkRecipe,
    ForestRecipe,
    LogisticRegressionRecipe,
    NaiveBayesRecipe,
    SupportVectorRecipe,
    load_classifier_recipe,
)
from gansynth.remedies.class_weights import targets
from gansynth.remedies.feature_oversampling import FeatureOverSampling
from gansynth.remedies.treatment import Treatment
from gansynth.runs.device import chosen_device
from gansynth.runs.versions import version_of, versions
from gansynth.runs.weights import read_weights, refuse_other_run, write_weights

WEIGHTS = "model.safetensors"
INFO = "run.json"
RECIPE = "recipe.yaml"
ENCODER = "encoder"
_PACKAGES = ("gansynth", "scikit-learn", "numpy", "torch")
_CHECKED = 64

Floats = NDArray[np.float32]


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
        if self.info.get("prediction_shift") is not None:
            found *= np.exp(self.info["prediction_shift"])
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
    images = treatment.images.select(np.unique(treatment.rows))
    real = images.select((images.records["origin"] != "synthetic").to_numpy())
    features = open_features(recipe.classical.features, real, seed=seed, device=device, weights_dir=weights_dir)
    drawn = described(treatment, features, recipe.classical.augmented_copies, seed)
    projection = Projection.fit(drawn.features, drawn.times, recipe.classical.components, seed=seed)
    weight = np.ones(n_classes) if treatment.class_weight is None else np.asarray(treatment.class_weight, np.float64)
    points = projection(drawn.features)
    lesson = Lesson(points, drawn.labels, drawn.times, weight, drawn.image, treatment.in_features)
    info = {
        "classifier": recipe.name,
        "class_names": list(images.class_names),
        "seed": seed,
        "device": platform.machine(),
        "versions": versions(*_PACKAGES),
        "weights": features.weights,
        "training_counts": treatment.counts(),
        "in_features": None if treatment.in_features is None else asdict(treatment.in_features),
        "prediction_shift": treatment.prediction_shift,
        "n_seen": projection.n_seen,
        "training_sha256": sorted(set(images.records["sha256"]) | features.seen_sha256),
        "chosen_on_sha256": [],
        "curve": [],
    }
    facts = {name: info[name] for name in info if name not in ("device", "versions")}
    info["identity"] = hashlib.sha256(json.dumps([recipe.to_yaml(), facts], sort_keys=True).encode()).hexdigest()
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
    card = {"identity": classifier.info["identity"]}
    write_weights(folder / WEIGHTS, {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in tensors.items()}, card)
    write_json(folder / INFO, classifier.info)  # last: a folder that has it is whole


def load_classical(folder: Path, *, device: str = "auto", weights_dir: Path | None = None) -> ClassicalClassifier:
    """Open a folder that `save_classical` wrote; the classifier is fitted again, which takes as long as it took.

    Raises
    ------
    InputError
        If the folder is incomplete, or the classifier no longer says what it said (another release of scikit-learn).
    """
    try:
        info = read_json(folder / INFO)
        recipe = load_classifier_recipe(folder / RECIPE)
        found_tensors, card = read_weights(folder / WEIGHTS)
        refuse_other_run(card, info, folder / WEIGHTS)
        tensors = {name: tensor.numpy() for name, tensor in found_tensors.items()}
        assert isinstance(recipe, ClassicalRecipe)
        filling = info.get("in_features")
        lesson = Lesson(
            **{name: tensors[name] for name in ("points", "labels", "times", "class_weight", "image")},
            over_sampling=None if filling is None else FeatureOverSampling(**filling),
        )
        projection = Projection(tensors["mean"], tensors["scale"], tensors.get("components"), int(info["n_seen"]))
        said = tensors["said"]
        if (folder / ENCODER).is_dir():
            features: Features = EncoderFeatures(CellEncoder.load(folder / ENCODER, chosen_device(device)))
        else:
            features = published_features(recipe.classical.features, device=device, weights_dir=weights_dir)
        found = ClassicalClassifier(recipe, features, projection, lesson, info)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, AssertionError):
        raise InputError(f"{folder}: is not the run of a classical classifier, or was cut off or edited") from None
    now = found.of_points(lesson.points[:_CHECKED])
    if now.shape != said.shape or not np.allclose(now, said, atol=1e-3):
        release = version_of("scikit-learn")
        raise InputError(
            f"{folder}: scikit-learn {release} does not fit the classifier that scikit-learn "
            f"{info['versions']['scikit-learn']} fitted; install that release, or train the classifier again"
        )
    return found


def fitted(recipe: ClassicalRecipe, lesson: Lesson, seed: int) -> Any:
    """Fit the recipe's classifier; equal input gives an equal classifier with one release of scikit-learn."""
    return MAKERS[type(recipe)](recipe, lesson, seed)


@register(NaiveBayesRecipe)
def _fitted_bayes(recipe: NaiveBayesRecipe, lesson: Lesson, seed: int) -> GaussianNB:
    return GaussianNB().fit(*lesson.shown(seed))


@register(LogisticRegressionRecipe)
def _fitted_regression(recipe: LogisticRegressionRecipe, lesson: Lesson, seed: int) -> LogisticRegression:
    part = recipe.classical
    return LogisticRegression(C=part.C, max_iter=part.iterations, random_state=seed).fit(*lesson.shown(seed))


@register(ForestRecipe)
def _fitted_forest(recipe: ForestRecipe, lesson: Lesson, seed: int) -> RandomForestClassifier:
    part = recipe.classical
    forest = RandomForestClassifier(
        part.trees, min_samples_leaf=part.leaf, random_state=seed, n_jobs=torch.get_num_threads()
    )
    return forest.fit(*lesson.shown(seed))


@register(FeatureNetworkRecipe)
def _fitted_network(recipe: FeatureNetworkRecipe, lesson: Lesson, seed: int) -> FeatureNetwork:
    part = recipe.classical
    return FeatureNetwork(part.channels, part.epochs, part.learning_rate, seed).fit(*lesson.shown(seed))


@register(SupportVectorRecipe)
def _fitted_machine(recipe: SupportVectorRecipe, lesson: Lesson, seed: int) -> CalibratedClassifierCV:
    """Fit a support vector machine and the calibration of its margins, to which only real points are shown."""
    part, rows = recipe.classical, lesson.rows
    points, labels = lesson.points[rows], lesson.labels[rows]
    split = PredefinedSplit(calibration_parts(lesson, seed)[rows])
    machine = SVC(C=part.C, kernel=part.kernel, gamma=part.gamma, random_state=seed)
    if lesson.over_sampling is None:
        calibrated = CalibratedClassifierCV(machine, cv=split, ensemble=False)
        return calibrated.fit(points, labels, lesson.class_weight[labels])
    from imblearn import FunctionSampler
    from imblearn.pipeline import make_pipeline

    machine.set_params(class_weight={int(c): float(lesson.class_weight[c]) for c in np.unique(labels)})
    filling = FunctionSampler(func=lesson.over_sampling, kw_args={"seed": seed}, validate=False)
    calibrated = CalibratedClassifierCV(make_pipeline(filling, machine), cv=split, ensemble=False)
    # Real points stand for those made of them, or the calibration would bring the old frequencies back.
    n = np.bincount(labels, minlength=len(lesson.class_weight))
    stands_for = lesson.class_weight * targets(n, lesson.over_sampling.dose) / np.maximum(n, 1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Since Pipeline does not appear to accept sample_weight")
        return calibrated.fit(points, labels, stands_for[labels])


@dataclass(frozen=True)
class Projection:
    """First every feature is brought to mean 0 and variance 1, then the features are turned to their main directions.

    Attributes
    ----------
    mean, scale : float32 arrays, shape [d]
    components : float32 array, shape [k, d], or None
        Main directions, those of largest variance first; None: features are only standardised.
    n_seen : int
        Rows that it was fitted on.
    """

    mean: Floats
    scale: Floats
    components: Floats | None
    n_seen: int

    @classmethod
    def fit(cls, features: Floats, times: NDArray[np.int64], components: int | None, *, seed: int = 0) -> Projection:
        """Fit on images that count several times each, as if they were there so often.

        Parameters
        ----------
        features : float32 array, shape [n, d]
        times : int64 array, shape [n]
            How often each row counts.
        components : int or None
            Directions to keep: at most d, and fewer than there are images.
        seed : int
            Of the randomised decomposition.
        """
        scaler = StandardScaler().fit(features, sample_weight=times)
        mean, scale = scaler.mean_.astype(np.float32), scaler.scale_.astype(np.float32)
        directions = None
        if components is not None:
            kept = max(1, min(components, features.shape[1], int((times > 0).sum()) - 1))
            weighted = (features - mean) / scale * np.sqrt(times, dtype=np.float32)[:, None]
            _, _, directions = randomized_svd(weighted, kept, random_state=seed)
            directions = directions.astype(np.float32)
        return cls(mean, scale, directions, int(scaler.n_samples_seen_))

    def __call__(self, features: Floats) -> Floats:
        """Project features [n, d] to float32 [n, k]."""
        standard: Floats = ((features - self.mean) / self.scale).astype(np.float32)
        return standard if self.components is None else standard @ self.components.T
