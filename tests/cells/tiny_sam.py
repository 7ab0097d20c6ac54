"""Segment Anything in its own architecture and far smaller, taught on one cell what the published one knows."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from gansynth.cells.segmentation import CellMasks

EDGE, WIDTH = 128, 32


def tiny_sam(checkpoint: str | None = None) -> Any:
    """Build the network of the package's own parts, as its registry builds the published ones."""
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    assert checkpoint is None
    encoder = ImageEncoderViT(
        img_size=EDGE, patch_size=16, embed_dim=WIDTH, depth=1, num_heads=2, out_chans=WIDTH,
        norm_layer=partial(nn.LayerNorm, eps=1e-6), global_attn_indexes=(0,),
    )  # fmt: skip
    prompts = PromptEncoder(WIDTH, (EDGE // 16,) * 2, (EDGE,) * 2, mask_in_chans=4)
    decoder = MaskDecoder(
        transformer_dim=WIDTH, transformer=TwoWayTransformer(1, WIDTH, 2, 64), num_multimask_outputs=3,
        iou_head_depth=2, iou_head_hidden_dim=16,
    )  # fmt: skip
    mean, spread = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
    return Sam(encoder, prompts, decoder, mean, spread).eval()


def taught(image: NDArray[np.uint8], masks: CellMasks, steps: int, seed: int = 0) -> dict[str, Tensor]:
    """Return weights that answer a point in the nucleus with nucleus, cell and all, and a box with the red cell in it.

    Parameters
    ----------
    image : uint8 [3, 128, 128]
    masks : CellMasks
        What is to be learned of it.
    steps : int
    seed : int
    """
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network = tiny_sam().train()
        mover = torch.optim.Adam(network.parameters(), lr=3e-3)
        seen = network.preprocess(torch.from_numpy(image[None]).float())
        middle = np.argwhere(masks.nucleus).mean(axis=0)[::-1].copy()
        points = torch.tensor(middle, dtype=torch.float32)[None, None], torch.ones(1, 1)
        wanted = np.stack([masks.nucleus, masks.cell, np.ones_like(masks.cell)])
        reds = np.stack([masks.red == k for k in range(1, int(masks.red.max()) + 1)])
        for _ in range(steps):
            maps = network.image_encoder(seen)
            said, sure = _answer(network, maps, points, None, several=True)
            boxed, _ = _answer(network, maps, None, _boxes(reds), several=False)
            loss = _far(said[0], wanted) + _far(boxed[:, 0], reds)
            loss = loss + F.mse_loss(sure, torch.tensor([[0.5, 0.9, 0.7]]))
            mover.zero_grad()
            loss.backward()
            mover.step()
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def _answer(network: Any, maps: Tensor, points: Any, boxes: Tensor | None, *, several: bool) -> tuple[Tensor, Tensor]:
    sparse, dense = network.prompt_encoder(points=points, boxes=boxes, masks=None)
    low, sure = network.mask_decoder(maps, network.prompt_encoder.get_dense_pe(), sparse, dense, several)
    return F.interpolate(low, (EDGE, EDGE), mode="bilinear", align_corners=False), sure


def _boxes(masks: NDArray[np.bool_]) -> Tensor:
    """Return the box of each mask [n, h, w] as left, top, right, bottom, float32 [n, 4]."""
    edges = [(c.min(), r.min(), c.max(), r.max()) for r, c in map(np.nonzero, masks)]
    return torch.tensor(np.array(edges), dtype=torch.float32)


def _far(said: Tensor, wanted: NDArray[np.bool_]) -> Tensor:
    """Return cross-entropy and, mask by mask, what Dice's coefficient lacks of 1."""
    truth, p = torch.from_numpy(wanted).float(), said.sigmoid()
    dice = 2 * (p * truth).sum(dim=(1, 2)) / (p + truth).sum(dim=(1, 2))
    return F.binary_cross_entropy_with_logits(said, truth) + (1 - dice).mean()
