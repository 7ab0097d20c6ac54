"""Temperature scaling: probabilities that say how often the classifier is right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from gansynth.classifiers.classifier import Classifier
from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.files import read_json
from gansynth.files.atomic import write_json
from gansynth.metrics.classification import classification_scores

FILE = "calibration.json"
LEAST = 10
"""Validation images that a temperature can be fitted on."""

_TINY = 1e-12


def tempered(probabilities: ArrayLike, temperature: float) -> NDArray[np.float64]:
    """Return softmax(log p / T), float64 [n, C]: for a network the softmax of its logits over T.

    References
    ----------
    Guo, C., Pleiss, G., Sun, Y., Weinberger, K. Q. (2017). On calibration of modern neural networks. ICML, section
    4.2.

    Examples
    --------
    >>> tempered([[0.9, 0.1]], 2.0).round(2).tolist()
    [[0.75, 0.25]]
    """
    z = np.log(np.clip(np.asarray(probabilities, np.float64), _TINY, None)) / temperature
    e = np.exp(z - z.max(axis=1, keepdims=True, initial=-math.inf))
    return e / e.sum(axis=1, keepdims=True)


def fitted_temperature(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Return the temperature with the least negative log-likelihood of the labels, 0.05 to 20."""
    p, y = np.asarray(probabilities, np.float64), np.asarray(labels, np.int64)
    found = minimize_scalar(
        lambda t: _log_loss(tempered(p, math.exp(t)), y), bounds=(math.log(0.05), math.log(20)), method="bounded"
    )
    return float(math.exp(found.x))


class Calibrated(Classifier):
    """A classifier whose probabilities are tempered; what it predicts stays the same.

    Parameters
    ----------
    classifier : Classifier
    temperature : float
    chosen_on_sha256 : frozenset of str
        The images that the temperature was fitted on.
    """

    def __init__(self, classifier: Classifier, temperature: float, chosen_on_sha256: frozenset[str]) -> None:
        self.classifier, self.temperature = classifier, temperature
        self.recipe, self.class_names, self.curve = classifier.recipe, classifier.class_names, classifier.curve
        self.seen_sha256, self.weights = classifier.seen_sha256, classifier.weights
        self.chosen_on_sha256 = classifier.chosen_on_sha256 | chosen_on_sha256

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        return tempered(self.classifier.probabilities(images), self.temperature)


def calibrate(classifier: Classifier, validation: CellDataset) -> tuple[Calibrated, dict[str, Any]]:
    """Fit the temperature on validation images.

    Returns
    -------
    Calibrated
    dict
        What `write_calibration` keeps: temperature, n, log-loss and calibration error before and after (on the same
        images, so a little too good), the sha256 of the images.

    Raises
    ------
    InputError
        If there are too few validation images.
    """
    if len(validation) < LEAST:
        raise InputError(f"{len(validation)} validation images are too few to calibrate on; give at least {LEAST}")
    before = classifier.probabilities(validation.images)
    temperature = fitted_temperature(before, validation.labels)
    sha256 = frozenset(validation.records["sha256"])
    told: dict[str, Any] = {"temperature": round(temperature, 6), "n": len(validation)}
    for name, p in (("before", before), ("after", tempered(before, temperature))):
        scores = classification_scores(validation.labels, p, p.shape[1])
        told[f"log_loss_{name}"] = round(_log_loss(p, validation.labels), 6)
        told[f"calibration_error_{name}"] = round(scores.overall["calibration-error"] or 0.0, 6)
    told["validation_sha256"] = sorted(sha256)
    return Calibrated(classifier, told["temperature"], sha256), told


def write_calibration(folder: Path, told: Mapping[str, Any]) -> None:
    """Write ``calibration.json`` into a run folder."""
    write_json(folder / FILE, dict(told))


def read_calibrated(classifier: Classifier, folder: Path) -> Calibrated:
    """Return a classifier with the temperature that its run folder holds.

    Raises
    ------
    InputError
        If there is none, or it cannot be read.
    """
    path = folder / FILE
    if not path.is_file():
        raise InputError(
            f"{folder}: was trained without validation images, so it has no {FILE}; classify without --calibrated"
        )
    try:
        told = read_json(path)
        return Calibrated(classifier, float(told["temperature"]), frozenset(told["validation_sha256"]))
    except (ValueError, KeyError, TypeError, OSError):
        raise InputError(f"{path}: cannot be read; it was cut off or edited") from None


def _log_loss(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    of_truth = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.clip(of_truth, _TINY, None)).mean())
