"""DinoBloom: a vision transformer pretrained on blood cells, from the user's own copy of its weights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from gansynth.errors import InputError
from gansynth.files.regular import file_sha256
from gansynth.metrics.extractors.extractor import batches, exact_arithmetic
from gansynth.metrics.extractors.weights import MissingWeights, only_tensors, read_state

EDGE = 224
"""Pixels along each side that DinoBloom was trained at."""

BATCH = {"cpu": 8, "cuda": 64}

METRICS = "FD-dinobloom, KD-dinobloom"
HOW = "download DinoBloom-S.pth from https://zenodo.org/records/10908163 and give it with --dinobloom FILE"

FILES = ("DinoBloom-S.pth", "DinoBloom-B.pth", "DinoBloom-L.pth", "DinoBloom-G.pth")
"""What is published there, the smallest first; no sha256 of them is known here."""

_MODELS = {
    384: "vit_small_patch14_dinov2",
    768: "vit_base_patch14_dinov2",
    1024: "vit_large_patch14_dinov2",
    1536: "vit_giant_patch14_dinov2",
}
"""timm's name for each width: DinoBloom-S, -B, -L and -G."""

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class DinoBloomFeatures:
    """DinoBloom S, B, L or G (the file decides which): the class token of a 224 px image.

    Parameters
    ----------
    file : path-like
        A published checkpoint such as ``DinoBloom-S.pth``.
    device : torch.device or str

    Raises
    ------
    MissingWeights
        If there is no such file.
    InputError
        If it is not a checkpoint of DinoBloom: a plain DINOv2, which has never seen a blood cell, is refused by the
        number of its positions.

    References
    ----------
    Koch, V. et al. (2024). DinoBloom: a foundation model for generalizable cell embeddings in hematology.
    arXiv:2404.05022. https://github.com/marrlab/DinoBloom
    """

    name = "dinobloom"

    def __init__(self, file: Path | str, device: torch.device | str = "cpu") -> None:
        path = Path(file)
        if not path.is_file():
            raise MissingWeights(METRICS, path.name, str(path.parent), HOW)
        self.sha256 = file_sha256(path)
        self.device = torch.device(device)
        network, self._width = _network(path)
        self._network = network.to(self.device)

    @torch.inference_mode()
    def __call__(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Return "features", float32 [n, 384 | 768 | 1024 | 1536], of uint8 images [n, 3, H, W] of any size."""
        mean, std = (torch.tensor(v, device=self.device).view(3, 1, 1) for v in (_MEAN, _STD))
        features = np.empty((len(images), self._width), dtype=np.float32)
        with exact_arithmetic():
            for part, batch in batches(images, BATCH.get(self.device.type, 8), self.device):
                x = F.interpolate(batch.float() / 255, (EDGE, EDGE), mode="bilinear", antialias=True)
                features[part] = self._network((x - mean) / std)[: part.stop - part.start].cpu().numpy()
        return {"features": features}


def _network(path: Path) -> tuple[torch.nn.Module, int]:
    import timm

    state = _renamed(read_state(path))
    positions = state.get("pos_embed", torch.empty(0))
    width = positions.shape[-1] if positions.ndim == 3 else 0
    if width not in _MODELS:
        raise InputError(f"{path}: is not a checkpoint of DinoBloom S, B, L or G; {HOW}")
    with torch.device("meta"):
        network = timm.create_model(_MODELS[width], pretrained=False, img_size=EDGE, num_classes=0)
    try:
        network.load_state_dict({name: tensor.float() for name, tensor in state.items()}, assign=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: does not fit DinoBloom ({reason}); {HOW}") from None
    return network.requires_grad_(False).eval(), width


def _renamed(checkpoint: Mapping[str, object]) -> dict[str, Tensor]:
    """Return the backbone's tensors under timm's names.

    A training's checkpoint holds the teacher's backbone beside the heads it was trained with.
    """
    teacher = checkpoint.get("teacher", checkpoint)
    tensors = only_tensors(teacher if isinstance(teacher, Mapping) else {})
    found = {}
    for name, tensor in tensors.items():
        if re.match(r"(dino_head|ibot_head)\.", name) or name.endswith("mask_token"):
            continue
        # The giant's gated layers are called after their matrices there, after their place here.
        new = name.removeprefix("backbone.").replace(".mlp.w12.", ".mlp.fc1.").replace(".mlp.w3.", ".mlp.fc2.")
        found[new] = tensor
    return found
