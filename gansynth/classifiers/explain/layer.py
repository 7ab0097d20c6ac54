"""Where an explanation looks into a network: its last maps of features, or why there are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from gansynth.errors import InputError
from gansynth.networks.sequential_cnn import Stage


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
            # What an in-place layer makes of a pooled map is no pooled map any more.
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
