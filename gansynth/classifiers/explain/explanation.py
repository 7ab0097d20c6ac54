"""What a network looked at when it named a class: one entrance for all methods."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import torch
from numpy.typing import NDArray

from gansynth.classifiers.calibration import Calibrated
from gansynth.classifiers.classifier import Classifier
from gansynth.classifiers.ensemble import MEMBERS, AverageClassifier
from gansynth.classifiers.explain.grad_cam import grad_cam
from gansynth.classifiers.explain.guided import guided_grad_cam
from gansynth.classifiers.explain.layer import last_maps, layer_by_layer
from gansynth.classifiers.explain.score_cam import score_cam
from gansynth.classifiers.neural import NeuralClassifier
from gansynth.errors import InputError
from gansynth.networks.images import to_float

BATCH = 16


class Method(str, Enum):
    """Ways to explain; see the functions of these names."""

    GRAD_CAM = "grad-cam"
    GUIDED_GRAD_CAM = "guided-grad-cam"
    SCORE_CAM = "score-cam"


@dataclass(frozen=True)
class Explanation:
    """What speaks for a class, in every image.

    Attributes
    ----------
    method : Method
    classes : int64 array, shape [n]
        The classes that are explained.
    probabilities : float64 array, shape [n, C]
        Of all classes.
    maps : float32 array, shape [n, R, R]
        0..1, the largest value of every map that is not empty is 1. Of Guided Grad-CAM the sum of the colours' sizes.
    lines : float32 array, shape [n, 3, R, R], or None
        Guided Grad-CAM itself, signed, one gradient for each colour.
    """

    method: Method
    classes: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    maps: NDArray[np.float32]
    lines: NDArray[np.float32] | None = None


def explain(
    classifier: Classifier,
    images: NDArray[np.uint8],
    method: Method | str,
    classes: NDArray[np.int64] | None = None,
    *,
    channels: int | None = None,
) -> Explanation:
    """Explain what a network says of images.

    It computes in 32-bit arithmetic, and its weights and mode stay as they are.

    Parameters
    ----------
    classifier : Classifier
        A neural one. A frozen backbone can be explained too.
    images : uint8 array, shape [n, 3, R, R]
        RGB, 0..255, of the classifier's resolution.
    method : Method or str
    classes : int64 array, shape [n], optional
        What is asked for in each image. Default: the class that the network gives it.
    channels : int, optional
        Of Score-CAM, how many maps at most are tried in each image.

    Returns
    -------
    Explanation

    Raises
    ------
    InputError
        If the method has no meaning for this classifier, with the reason; or for images of another size.
    """
    method = _method(method)
    neural = _network_of(classifier)
    neural.refuse_other_size(images)
    name, device = neural.recipe.name, neural.device
    probabilities = classifier.probabilities(images)
    chosen = probabilities.argmax(axis=1) if classes is None else np.asarray(classes, np.int64)
    edge = neural.resolution
    maps, lines = np.zeros((len(images), edge, edge), np.float32), None
    if method is Method.GUIDED_GRAD_CAM:
        lines = np.zeros((len(images), 3, edge, edge), np.float32)
    with layer_by_layer(neural.network), torch.backends.cudnn.flags(benchmark=False, allow_tf32=False):
        layer = None
        for start in range(0, len(images), BATCH):
            part = slice(start, start + BATCH)
            seen = to_float(torch.from_numpy(np.ascontiguousarray(images[part])).to(device))
            asked = torch.from_numpy(chosen[part]).to(device)
            layer = layer or last_maps(neural.network, name, seen)
            if lines is not None:
                found = guided_grad_cam(neural.network, name, layer, seen, asked)
                lines[part] = found.cpu().numpy()
                found = found.abs().sum(dim=1)
            elif method is Method.GRAD_CAM:
                found = grad_cam(neural.network, layer, seen, asked)
            else:
                found = score_cam(neural.network, layer, seen, asked, channels=channels)
            most = found.amax(dim=(1, 2), keepdim=True)
            maps[part] = torch.where(most > 0, found / most.clamp(min=1e-30), 0).cpu().numpy()
    return Explanation(method, chosen, probabilities, maps, lines)


def _method(method: Method | str) -> Method:
    try:
        return Method(method)
    except ValueError:
        known = ", ".join(m.value for m in Method)
        raise InputError(f"no method '{method}' to explain a classifier by; there are {known}") from None


def _network_of(classifier: Classifier) -> NeuralClassifier:
    if isinstance(classifier, Calibrated):
        return _network_of(classifier.classifier)
    if isinstance(classifier, AverageClassifier):
        raise InputError(
            f"{classifier.recipe.name}: averages {len(classifier.members)} classifiers, and each looks at something "
            f"else; explain one of its members (RUN/{MEMBERS}/0-{classifier.members[0].recipe.name} is the first)"
        )
    if not isinstance(classifier, NeuralClassifier):
        raise InputError(
            f"{classifier.recipe.name}: is not a network: it decides on numbers that lie nowhere in the image; train a "
            "network such as sequential-cnn to be explained"
        )
    return classifier
