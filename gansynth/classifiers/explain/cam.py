"""Class activation maps: which maps of a layer raise a class's score.

By their gradients (Grad-CAM), or by the score that is left when nothing but what they cover is shown (Score-CAM).
"""

from __future__ import annotations

import torch
from captum.attr import LayerGradCam
from torch import Tensor, nn
from torch.nn import functional as F

BATCH = 64
"""Masked images that pass together."""


def grad_cam(network: nn.Module, layer: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """Return what of an image speaks for a class.

    Parameters
    ----------
    network : nn.Module
        Within `gansynth.classifiers.explain.explanation.layer_by_layer`.
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


@torch.no_grad()
def score_cam(
    network: nn.Module, layer: nn.Module, images: Tensor, classes: Tensor, *, channels: int | None = None
) -> Tensor:
    """Return what of an image speaks for a class.

    Each map of the layer, laid over the image and scaled to 0..1, is a mask; outside it the image fades to the middle
    grey that networks are centred on. The maps are weighted by the softmax of the class's score of the masked images;
    the score of the empty image, which the paper subtracts, is the same for all of them and cancels.

    Parameters
    ----------
    network : nn.Module
        Within `gansynth.classifiers.explain.explanation.layer_by_layer`.
    layer : nn.Module
        Whose maps are weighted.
    images : Tensor, shape [n, 3, R, R]
        In [-1, 1].
    classes : int64 Tensor, shape [n]
    channels : int, optional
        Use only so many maps, those which vary most over the image. Default: all that vary. Each is one pass through
        the network.

    Returns
    -------
    Tensor, shape [n, R, R]
        At least 0.

    References
    ----------
    Wang, H. et al. (2020). Score-CAM: score-weighted visual explanations for convolutional neural networks. CVPR
    workshops, algorithm 1. Used in abouali2023, figure 11.
    """
    maps = _maps(network, layer, images)
    edge = images.shape[-1]
    found = []
    for image, of_image, c in zip(images, maps, classes.tolist(), strict=True):
        low, high = of_image.amin(dim=(1, 2)), of_image.amax(dim=(1, 2))
        used = torch.nonzero(high > low)[:, 0]
        if channels is not None and len(used) > channels:
            used = used[of_image[used].var(dim=(1, 2)).topk(channels).indices]
        if not len(used):
            found.append(torch.zeros(edge, edge, device=image.device))
            continue
        scores = []
        for part in used.split(BATCH):
            masks = over_image(of_image[part, None], edge)[:, None]
            least, most = masks.amin(dim=(2, 3), keepdim=True), masks.amax(dim=(2, 3), keepdim=True)
            masks = (masks - least) / (most - least).clamp(min=1e-12)
            scores.append(network(image * masks)[:, c])
        weight = torch.cat(scores).softmax(dim=0)
        combined = torch.einsum("k,khw->hw", weight, of_image[used]).relu()
        found.append(over_image(combined[None, None], edge)[0])
    return torch.stack(found)


def _maps(network: nn.Module, layer: nn.Module, images: Tensor) -> Tensor:
    kept: list[Tensor] = []
    hook = layer.register_forward_hook(lambda _module, _inputs, out: kept.append(out))
    try:
        network(images)
    finally:
        hook.remove()
    return kept[0].float()
