"""How a cell detector learns from smear fields in which people have drawn boxes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from gansynth.errors import InputError
from gansynth.networks.cell_detector import DEEPEST, CellDetectorNetwork
from gansynth.runs.device import placed
from gansynth.smears.boxes import CellBox, DetectionScore, score_boxes
from gansynth.smears.detector import KINDS, candidates
from gansynth.smears.detector_fields import DrawnField, WantedMaps, seen_otherwise, wanted_maps

BATCH = 8
"""Fields for one step."""

_KEPT = 0.995  # of the averaged weights at a step, once the average has warmed up


def train_detector(
    fields: Sequence[DrawnField],
    steps: int,
    *,
    seed: int = 0,
    rate: float = 2e-3,
    width: int = 16,
    begin_with: CellDetectorNetwork | None = None,
    on_step: Callable[[int, float], None] | None = None,
) -> CellDetectorNetwork:
    """Train a cell detector's network.

    Parameters
    ----------
    fields : sequence of DrawnField
    steps : int
        Of `BATCH` fields each.
    seed : int
        Decides initialisation, order and augmentation; the caller's random state is left as it was.
    rate : float
        Highest learning rate (AdamW, one cycle).
    width : int
        Of the network, where it does not begin with another.
    begin_with : CellDetectorNetwork, optional
        Go on from these weights.
    on_step : callable, optional
        Called with the number of steps done and the loss.

    Returns
    -------
    CellDetectorNetwork
        In evaluation mode; its weights are an average over the last steps.

    Raises
    ------
    InputError
        If no field has a box.
    """
    if not any(len(field.edges) for field in fields):
        raise InputError("no red and no white cell is drawn in any field; a detector learns from drawn boxes")
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = CellDetectorNetwork(len(KINDS), width) if begin_with is None else copy.deepcopy(begin_with)
    placed(network).train()
    averaged = copy.deepcopy(network).eval()
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=max(steps, 20), pct_start=0.08)
    canvas = _canvas(fields)
    order: list[int] = []
    for step in range(1, steps + 1):
        while len(order) < BATCH:
            order += rng.permutation(len(fields)).tolist()
        some, order = order[:BATCH], order[BATCH:]
        height, width_ = canvas if step % 2 else canvas[::-1]
        seen = [seen_otherwise(fields[i], height, width_, rng) for i in some]
        density = torch.stack([field.density for field in seen]).to(memory_format=torch.channels_last)
        logits, distances = network(density)
        loss = detection_loss(logits, distances, [wanted_maps(field) for field in seen])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        _average(averaged, network, min(_KEPT, step / (step + 9)))
        if on_step is not None:
            on_step(step, float(loss.detach()))
    return averaged


def detection_loss(logits: Tensor, distances: Tensor, wanted: Sequence[WantedMaps]) -> Tensor:
    """Return the loss of a batch: focal on centres, absolute on edges (Zhou et al. 2019, eq. 1 and 3).

    Parameters
    ----------
    logits, distances : Tensor, [n, kinds, h, w] and [n, 4, h, w]
        Of the network.
    wanted : sequence of WantedMaps

    Returns
    -------
    Tensor, shape []
        With alpha = 2 and beta = 4, as there; the mean over centres plus the weighted mean over positions near them.
    """
    centres, counts, edges, weight = (
        torch.stack([getattr(maps, name) for maps in wanted]) for name in ("centres", "counts", "edges", "weight")
    )
    sure = logits.sigmoid().clamp(1e-4, 1 - 1e-4)
    centre = centres == 1
    hit = (1 - sure) ** 2 * sure.log()
    miss = counts * (1 - centres) ** 4 * sure**2 * (1 - sure).log()
    focal = -torch.where(centre, hit, miss).sum() / centre.sum().clamp(min=1)
    away = (distances - edges).abs().mean(dim=1)
    return focal + (away * weight).sum() / weight.sum().clamp(min=1)


def best_thresholds(network: CellDetectorNetwork, fields: Sequence[DrawnField]) -> dict[str, float]:
    """Return, for each of `KINDS`, the least score with which F1 on these fields is highest (overlap 0.5).

    Of the thresholds within 0.005 of the highest F1 it is the middle one: peaks of few fields are chance.
    """
    found = [candidates(network, field.density) for field in fields]
    chosen = {}
    for kind in KINDS:
        levels = np.arange(0.1, 0.8, 0.02).round(2)
        f1 = np.array([f1_at(kind, level, found, fields) for level in levels])
        near = levels[f1 >= np.nanmax(f1) - 0.005] if np.isfinite(f1).any() else levels
        chosen[kind] = float(near[len(near) // 2])
    return chosen


def f1_at(kind: str, level: float, found: Sequence[Sequence[CellBox]], fields: Sequence[DrawnField]) -> float:
    """Return F1 (overlap 0.5) over all fields of the found boxes of one kind that are at least so sure."""
    total = DetectionScore(0, 0, 0)
    for boxes, field in zip(found, fields, strict=True):
        total += score_boxes(
            [box for box in boxes if box.name == kind and box.score >= level],
            [box for box in field.boxes() if box.name == kind],
        )
    return total.f1


def _canvas(fields: Sequence[DrawnField]) -> tuple[int, int]:
    """Return height and width, the smaller first, on which most fields fit."""
    sides = np.array([sorted(field.density.shape[1:]) for field in fields])
    low, high = (-(-int(side) // DEEPEST) * DEEPEST for side in np.median(sides, axis=0))
    return low, high


@torch.no_grad()
def _average(averaged: nn.Module, network: nn.Module, kept: float) -> None:
    for mean, now in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(now, 1 - kept)
        else:
            mean.copy_(now)
