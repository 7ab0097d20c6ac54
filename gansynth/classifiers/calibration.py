"""Temperature scaling: probabilities that say how often the classifier is right."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from gansynth.classifiers.classifier import Classifier
from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.files import read_json
from gansynth.files.atomic import write_json
from gansynth.files.json_object import JsonObject
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


@dataclass(frozen=True)
class Calibration(JsonObject):
    """A temperature, and what it does on the images that it was fitted on, so a little too good.

    Attributes
    ----------
    temperature : float
    n : int
        Images.
    log_loss_before, calibration_error_before, log_loss_after, calibration_error_after : float
    validation_sha256 : tuple of str
        Of the images.
    """

    temperature: float
    n: int
    log_loss_before: float
    calibration_error_before: float
    log_loss_after: float
    calibration_error_after: float
    validation_sha256: tuple[str, ...]

    def write(self, folder: Path) -> None:
        """Write ``calibration.json`` into a run folder."""
        write_json(folder / FILE, self.to_json())

    @classmethod
    def read(cls, folder: Path) -> Calibration:
        """Read what `write` wrote.

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
            return cls.from_json(read_json(path))
        except (ValueError, OSError):
            raise InputError(f"{path}: cannot be read; it was cut off or edited") from None


class Calibrated(Classifier):
    """A classifier whose probabilities are tempered; what it predicts stays the same.

    Parameters
    ----------
    classifier : Classifier
    calibration : Calibration
    """

    def __init__(self, classifier: Classifier, calibration: Calibration) -> None:
        self.classifier, self.calibration = classifier, calibration
        self.recipe, self.class_names, self.curve = classifier.recipe, classifier.class_names, classifier.curve
        self.seen_sha256, self.weights = classifier.seen_sha256, classifier.weights
        self.chosen_on_sha256 = classifier.chosen_on_sha256 | frozenset(calibration.validation_sha256)

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        return tempered(self.classifier.probabilities(images), self.calibration.temperature)


def calibrate(classifier: Classifier, validation: CellDataset) -> Calibrated:
    """Fit the temperature on validation images.

    Raises
    ------
    InputError
        If there are too few validation images.
    """
    if len(validation) < LEAST:
        raise InputError(f"{len(validation)} validation images are too few to calibrate on; give at least {LEAST}")
    before = classifier.probabilities(validation.images)
    temperature = fitted_temperature(before, validation.labels)
    after = tempered(before, temperature)
    found = Calibration(
        temperature=round(temperature, 6),
        n=len(validation),
        log_loss_before=round(_log_loss(before, validation.labels), 6),
        calibration_error_before=_calibration_error(before, validation.labels),
        log_loss_after=round(_log_loss(after, validation.labels), 6),
        calibration_error_after=_calibration_error(after, validation.labels),
        validation_sha256=tuple(sorted(set(validation.records["sha256"]))),
    )
    return Calibrated(classifier, found)


def _log_loss(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    of_truth = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.clip(of_truth, _TINY, None)).mean())


def _calibration_error(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    scores = classification_scores(labels, probabilities, probabilities.shape[1])
    return round(scores.overall["calibration-error"] or 0.0, 6)
