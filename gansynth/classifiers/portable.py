"""A classifier as a file that says what cells are without gansynth."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import Tensor, nn

from gansynth.classifiers.classifier import Classifier
from gansynth.classifiers.neural import NeuralClassifier
from gansynth.errors import InputError
from gansynth.networks.images import to_float
from gansynth.runs.portable import About, Format, Portable, write_portable

_COMPARED = 11
_TOLERANCE = 1e-3


class PixelClassifier(nn.Module):
    """Pixels in, probabilities out."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Return probabilities float32 [n, C] for uint8 images [n, 3, R, R]."""
        logits: Tensor = self.network(to_float(images))
        return logits.float().softmax(dim=1)


def export_classifier(classifier: Classifier, out: str | Path, form: Format, *, name: str = "") -> Portable:
    """Write a neural classifier as ONNX or TorchScript.

    It takes uint8 images [n, 3, R, R] and gives the probability of every class named in ``export.json``, without a
    calibration.

    Parameters
    ----------
    classifier : Classifier
    out : path-like
        A new or empty folder.
    form : {"onnx", "torchscript"}
    name : str
        Of the run, for ``export.json``.

    Returns
    -------
    Portable

    Raises
    ------
    InputError
        If the classifier is not one network, the packages are missing, or the file gives other probabilities.
    """
    if not isinstance(classifier, NeuralClassifier):
        raise InputError(f"{name or 'classifier'}: is not a single network; only networks can be exported")
    network = PixelClassifier(copy.deepcopy(classifier.network).cpu().float())
    shape = (_COMPARED, 3, classifier.resolution, classifier.resolution)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    about: About = {
        "kind": "classifier",
        "model": name,
        "class_names": list(classifier.class_names),
        "resolution": classifier.resolution,
    }
    return write_portable(network, {"images": images}, "probabilities", out, form, tolerance=_TOLERANCE, about=about)
