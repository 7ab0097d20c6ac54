"""Grad-CAM: the maps that raise a class's score, weighted by how much they raise it."""

from __future__ import annotations

from captum.attr import LayerGradCam
from torch import Tensor, nn
from torch.nn import functional as F


def grad_cam(network: nn.Module, layer: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """Return what of an image speaks for a class.

    Parameters
    ----------
    network : nn.Module
        Within `gansynth.classifiers.explain.layer.layer_by_layer`.
    layer : nn.Module
        Whose maps are weighted.
    images : Tensor, shape [n, 3, R, R]
        In [-1, 1].
    classes : int64 Tensor, shape [n]

    Returns
    -------
    Tensor, shape [n, R, R]
        At least 0; all 0 where nothing speaks for the class.

    References
    ----------
    Selvaraju, R. R. et al. (2017). Grad-CAM: visual explanations from deep networks via gradient-based localization.
    ICCV, equations 1 and 2. Used in guo2022, figure 9.
    """
    # A frozen network has no other tensor that wants a gradient.
    seen = images.detach().clone().requires_grad_()
    found: Tensor = LayerGradCam(network, layer).attribute(seen, target=classes, relu_attributions=True)
    return over_image(found.detach(), images.shape[-1])


def over_image(maps: Tensor, edge: int) -> Tensor:
    """Return maps [n, 1, h, w] laid over images, [n, edge, edge]."""
    return F.interpolate(maps.float(), (edge, edge), mode="bilinear", align_corners=False)[:, 0]
