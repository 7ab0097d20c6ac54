"""How a cell encoder's network learns: one pass over a plan, from nothing or from another network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gansynth.data.dataset import CellDataset
from gansynth.data.loader import ClassSampler
from gansynth.networks.cell_encoder import CellEncoderNetwork
from gansynth.networks.images import orient_each, to_float
from gansynth.runs.device import has_bf16, placed

EDGE = 64
"""Images are brought to this edge length before they are encoded."""

BATCH = 64
"""Images that pass the network together, always as many: convolutions round differently in other batches."""


@dataclass(frozen=True)
class Plan:
    """Peak learning rate, share of steps until the peak, share of steps at 48 px, least edge of the square seen."""

    rate: float
    warm_up: float
    small: float
    nearest: int


FIRST = Plan(4e-3, 0.2, 0.6, 54)
AGAIN = Plan(2e-3, 0.1, 0.0, 60)


def trained_network(
    train: CellDataset,
    steps: int,
    *,
    seed: int,
    device: torch.device,
    width: int,
    begin_with: CellEncoderNetwork | None,
    on_step: Callable[[int, int], None] | None,
) -> CellEncoderNetwork:
    """Train a network as `train_cell_encoder` says; the caller's random state is left as it was."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        network = CellEncoderNetwork(len(train.class_names), begin_with.width if begin_with else width)
        if begin_with is not None:
            network.load_state_dict(begin_with.state_dict())
        placed(network, device).train()
        plan = AGAIN if begin_with else FIRST
        optimizer = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, plan.rate, total_steps=max(steps, 20), pct_start=plan.warm_up
        )
        sampler = ClassSampler(train.labels, len(train.class_names), mode="tempered", alpha=0.5)
        order = torch.Generator().manual_seed(seed)
        for step in range(steps):
            labels = sampler.draw_labels(BATCH, order)
            index = sampler.draw_images(labels, order).numpy()
            x = resized(to_float(torch.from_numpy(train.images[index]).to(device)), EDGE)
            edge = 48 if step < plan.small * steps else EDGE
            x = orient_each(_seen_nearer(_stained_otherwise(x), plan.nearest, edge))
            with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device)):
                logits = network(x)
            loss = F.cross_entropy(logits.float(), labels.to(device), label_smoothing=0.05)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            if on_step is not None:
                on_step(step + 1, steps)
        _settle(network, train, device, order)
    return network


def _stained_otherwise(x: Tensor) -> Tensor:
    """Change brightness, contrast and the balance of colours a little, image by image."""
    n = len(x)
    gain = 1 + 0.1 * (torch.rand(n, 1, 1, 1) - 0.5) + 0.08 * (torch.rand(n, 3, 1, 1) - 0.5)
    shift = 0.1 * (torch.rand(n, 1, 1, 1) - 0.5)
    return x * gain.to(x.device) + shift.to(x.device)


def _seen_nearer(x: Tensor, nearest: int, edge: int) -> Tensor:
    """Resize a square of `nearest` px or more at a random place to `edge` px, another for each eighth of the batch."""
    parts = []
    for chunk in x.chunk(8):
        side = int(torch.randint(nearest, EDGE + 1, (1,)))
        top, left = torch.randint(0, EDGE - side + 1, (2,)).tolist()
        parts.append(resized(chunk[:, :, top : top + side, left : left + side], edge))
    return torch.cat(parts)


@torch.no_grad()
def _settle(network: CellEncoderNetwork, train: CellDataset, device: torch.device, order: torch.Generator) -> None:
    """Measure the statistics of the batch normalisations on training images as they are."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
    every = torch.randperm(len(train), generator=order)[: 40 * BATCH]
    for index in every.split(BATCH):
        network(resized(to_float(torch.from_numpy(train.images[index.numpy()]).to(device)), EDGE))


def resized(x: Tensor, edge: int) -> Tensor:
    """Return images [n, 3, H, W] at `edge` x `edge` px, antialiased; as they are where they have that size."""
    if x.shape[-2:] == (edge, edge):
        return x
    return F.interpolate(x, size=(edge, edge), mode="bilinear", align_corners=False, antialias=True)
