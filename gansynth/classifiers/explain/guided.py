"""Guided Grad-CAM: Grad-CAM's place with the fine lines of guided backpropagation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from gansynth.classifiers.explain.cam import grad_cam
from gansynth.errors import InputError

_RELU = {"relu", "relu_"}
_OTHERS = {
    "leaky_relu": "LeakyReLU",
    "prelu": "PReLU",
    "rrelu": "RReLU",
    "relu6": "ReLU6",
    "hardtanh": "ReLU6",
    "elu": "ELU",
    "selu": "SELU",
    "celu": "CELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "mish": "Mish",
    "hardswish": "Hardswish",
    "hardsigmoid": "Hardsigmoid",
    "sigmoid": "sigmoid gates",
    "tanh": "tanh",
    "softplus": "Softplus",
    "softmax": "attention",
    "scaled_dot_product_attention": "attention",
    "multi_head_attention_forward": "attention",
}
"""Functions that bend: guided backpropagation has no rule for them."""


def guided_grad_cam(network: nn.Module, name: str, layer: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """Return the guided gradient of a class's score, weighted by Grad-CAM.

    Parameters
    ----------
    network : nn.Module
        Within `gansynth.classifiers.explain.explanation.layer_by_layer`.
    name : str
        The classifier, for messages.
    layer : nn.Module
        Of Grad-CAM.
    images : Tensor, shape [n, 3, R, R]
        In [-1, 1].
    classes : int64 Tensor, shape [n]

    Returns
    -------
    Tensor, shape [n, 3, R, R]
        Signed.

    Raises
    ------
    InputError
        If ReLU is not the network's only non-linearity.

    References
    ----------
    Selvaraju et al. (2017), section 3.2; Springenberg, J. T. et al. (2015). Striving for simplicity: the all
    convolutional net. ICLR workshop. Used in guo2022, figure 9.
    """
    place = grad_cam(network, layer, images, classes)
    return guided_gradient(network, name, images, classes) * place[:, None]


def guided_gradient(network: nn.Module, name: str, images: Tensor, classes: Tensor) -> Tensor:
    """Return the gradient [n, 3, R, R] of the classes' scores, where each ReLU also stops what is negative of it.

    ReLUs are met as functions, not as modules: torchvision's DenseNet, GoogLeNet and Inception call some or all of
    theirs without a module, and guided by the others alone the gradient would be neither the one thing nor the other.

    Raises
    ------
    InputError
        See `guided_grad_cam`.
    """
    seen = images.detach().clone().requires_grad_()
    with torch.enable_grad():
        with _Guided() as mode:
            logits = network(seen)
        if mode.others or not mode.relus:
            found = f"has {' and '.join(sorted(mode.others))}" if mode.others else "has no ReLU"
            raise InputError(
                f"{name}: {found}, and guided backpropagation means something only where ReLU is the one "
                "non-linearity; use --method grad-cam or score-cam, or a network such as custom-cnn or resnet50"
            )
        chosen = logits.gather(1, classes[:, None]).sum()
        (gradient,) = torch.autograd.grad(chosen, seen)
    return gradient


class _Guided(TorchFunctionMode):
    """Guides every ReLU that is called, and notes what else bends."""

    def __init__(self) -> None:
        super().__init__()
        self.relus, self.others = 0, set[str]()

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        if name in _RELU:
            self.relus += 1
            inplace = name == "relu_" or (kwargs or {}).get("inplace", args[1] if len(args) > 1 else False)
            return _GuidedReLU.apply(args[0], inplace)
        bent = _OTHERS.get(name.rstrip("_"))
        if bent is not None:
            self.others.add(bent)
        return func(*args, **(kwargs or {}))


class _GuidedReLU(torch.autograd.Function):
    """In place where the network says so: what else reads the tensor (Xception's side paths) then sees it cut too."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, inplace: bool) -> Tensor:
        ctx.save_for_backward(x > 0)
        if not inplace:
            return x.clamp(min=0)
        ctx.mark_dirty(x)
        return x.clamp_(min=0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (positive,) = ctx.saved_tensors
        return gradients[0].clamp(min=0) * positive, None
