"""What a network looked at when it named a class: one entrance for all methods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gansynth.classifiers.calibration import Calibrated
from gansynth.classifiers.classifier import Classifier
from gansynth.classifiers.ensemble import MEMBERS, AverageClassifier
from gansynth.classifiers.explain.cam import grad_cam, score_cam
from gansynth.classifiers.explain.guided import guided_grad_cam
from gansynth.classifiers.neural import NeuralClassifier
from gansynth.errors import InputError
from gansynth.networks.images import to_float
from gansynth.networks.sequential_cnn import Stage

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


@contextmanager
def layer_by_layer(network: nn.Module) -> Iterator[None]:
    """Let a network compute in evaluation mode and without the short cuts that skip its layers.

    Afterwards it is in the mode it was in.
    """
    training = network.training
    network.eval()
    stages = [module for module in network.modules() if isinstance(module, Stage)]
    for stage in stages:
        # Of this one module and until the end of the block, on purpose.
        stage.forward = stage.in_turn  # type: ignore[method-assign]
    try:
        yield
    finally:
        for stage in stages:
            del stage.forward
        network.train(training)


def last_maps(network: nn.Module, name: str, images: Tensor) -> nn.Module:
    """Return the last module whose output is maps of features over positions, before they are pooled.

    That is where Grad-CAM looks (guo2022, section 3.5): later layers know no places, earlier ones less of the class.

    Parameters
    ----------
    network : nn.Module
        Within `layer_by_layer`.
    name : str
        The classifier, for messages.
    images : Tensor, shape [n, 3, R, R]
        What it looks at; one is enough.

    Raises
    ------
    InputError
        If the network has no such maps: without overlapping convolutions, or where tokens follow them (a vision
        transformer).
    """
    calls: list[tuple[nn.Module, bool]] = []
    pooled: set[int] = set()
    alive: list[Tensor] = []  # so that no number stands for two tensors
    state = {"convolved": False, "tokens": False}

    def see(module: nn.Module, _: Any, out: Any) -> None:
        if not isinstance(out, Tensor):
            return
        if out.ndim == 3 and out.shape[1] > 1:
            state["tokens"] = True
        if out.ndim != 4 or min(out.shape[2:]) < 2:
            return
        alive.append(out)
        if not any(True for _ in module.children()):
            # What an in-place layer makes of a pooled map is not a pooled map any more.
            (pooled.add if "Pool" in type(module).__name__ else pooled.discard)(id(out))
        if isinstance(module, nn.Conv2d) and any(k > s for k, s in zip(module.kernel_size, module.stride, strict=True)):
            state["convolved"] = True
        state["tokens"] = False
        calls.append((module, id(out) in pooled))

    with ExitStack() as hooks, torch.no_grad():
        for module in network.modules():
            if module is not network:
                hooks.callback(module.register_forward_hook(see).remove)
        network(images[:1])
    if not state["convolved"]:
        raise InputError(
            f"{name}: has no convolution but the one that cuts the image into patches, so it has no maps of features "
            "to explain it by; take a convolutional network"
        )
    if state["tokens"]:
        raise InputError(
            f"{name}: decides on tokens that attention has mixed, and not on maps that lie over the image; take a "
            "convolutional network"
        )
    times = Counter(id(module) for module, _ in calls)
    found = [module for module, is_pooled in calls if not is_pooled and times[id(module)] == 1]
    if not found:
        raise InputError(f"{name}: has no maps of features with more than one position; use larger images")
    return found[-1]
