"""The training loop. It knows turns, optimizers and clocks, and no GAN."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
import torch.distributed
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from gansynth.data.dataset import CellDataset
from gansynth.data.loader import BatchReader, ClassSampler
from gansynth.errors import InputError
from gansynth.gans.engine.budget import Budget
from gansynth.gans.engine.ema import Ema
from gansynth.gans.engine.graphs import Play, Terms, play_in_python
from gansynth.gans.gan import GAN, Batch, Turn
from gansynth.networks.images import to_float
from gansynth.recipes import GanRecipe
from gansynth.runs.interruption import interruptible
from gansynth.runs.state_files import Progress, seed_step

DIVERGED = 1e6
"""A loss term beyond this is not a loss of a game that still goes on."""


class Batches:
    """Draws what a turn sees: real images of sampled classes, latents, and classes to generate.

    Both kinds of labels come from one distribution; else the critic could go by the label alone.

    Parameters
    ----------
    training : CellDataset
    recipe : GanRecipe
    batch_size : int
        Real images for each batch in this process.
    device : torch.device
    """

    def __init__(self, training: CellDataset, recipe: GanRecipe, batch_size: int, device: torch.device) -> None:
        self.recipe, self.batch_size, self.device = recipe, batch_size, device
        self.reader = BatchReader(training, batch_size)
        self.on_device: Tensor | None = None
        if device.type == "cuda" and training.images.nbytes < torch.cuda.mem_get_info(device)[0] // 4:
            images = np.ascontiguousarray(training.images)
            self.on_device = torch.from_numpy(images).to(device)  # decoded once, sent once
        self.sampler = ClassSampler(
            training.labels,
            len(training.class_names),
            mode=recipe.sampling.mode,
            alpha=recipe.sampling.alpha,
            device="cpu" if self.on_device is None else device,
        )

    def draw(self, turn: Turn, step: int) -> Batch:
        """Return a batch for a turn, with the default generators' present state.

        Where the images lie on the device, everything is drawn there and nothing waits for it.
        """
        n = self.batch_size
        m = n * self.recipe.training.generator_batch_factor if turn.player == "generator" else n
        labels = self._draw_labels(n)
        index = self.sampler.draw_images(labels, None)
        pixels = self.reader.read(index) if self.on_device is None else self.on_device[index]
        return Batch(
            images=to_float(pixels.to(self.device)),
            labels=labels.to(self.device, non_blocking=True),
            latents=torch.randn(m, self.recipe.latent, device=self.device),
            generated_labels=self._draw_labels(m).to(self.device, non_blocking=True),
            step=step,
        )

    def _draw_labels(self, n: int) -> Tensor:
        group = math.gcd(n, self.recipe.sampling.group)
        return self.sampler.draw_labels(n // group, None).repeat_interleave(group)


class Averages:
    """Means of logged terms since they were last read, kept on the device: reading them is the only
    synchronisation."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, player: str, terms: Terms) -> None:
        for name, value in terms.items():
            key, value = f"{player}/{name}", value.detach().float()
            self._sums[key] = self._sums[key] + value if key in self._sums else value.clone()  # it may be overwritten
            self._counts[key] = self._counts.get(key, 0) + 1

    def read(self) -> dict[str, float]:
        """Return the means and start anew."""
        if not self._sums:
            return {}
        values = torch.stack(list(self._sums.values())).tolist()
        means = {key: v / self._counts[key] for key, v in zip(self._sums, values, strict=True)}
        self._sums, self._counts = {}, {}
        return means


def build_optimizers(gan: GAN, recipe: GanRecipe) -> dict[str, Optimizer]:
    """Return one fused Adam for each player that has a turn, with the learning rate the recipe gives it.

    A player that the recipe gives no rate of its own has the generator's. On a GPU they can be part of a CUDA graph,
    for which a rate that changes has to lie there.
    """
    rates, device = recipe.training.learning_rates.model_dump(), next(gan.parameters()).device
    on_gpu = device.type == "cuda"

    def optimizer_of(player: str) -> Optimizer:
        rate = rates.get(player, rates["generator"])
        return torch.optim.Adam(
            getattr(gan, player).parameters(),
            lr=torch.tensor(rate, device=device) if on_gpu and recipe.training.decay != "none" else rate,
            betas=recipe.training.betas,
            fused=True,
            capturable=on_gpu,
        )

    return {turn.player: optimizer_of(turn.player) for turn in gan.turns()}


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Change the learning rate: where a CUDA graph reads it, if it lies on a device."""
    (group,) = optimizer.param_groups
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def train(
    gan: GAN,
    ema: Ema,
    optimizers: Mapping[str, Optimizer],
    batches: Batches,
    budget: Budget,
    fabric: Fabric,
    *,
    seed: int,
    start: Progress,
    on_log: Callable[[Progress, dict[str, float]], None],
    on_sheet: Callable[[Progress], None],
    on_save: Callable[[Progress, bool], None],
    on_step: Callable[[Progress], None] = lambda at: None,
    play: Play = play_in_python,
) -> bool:
    """Play until the budget is spent (return True) or the user interrupts (False).

    Every callback comes at the multiples of steps that the recipe's `reports` name; `on_sheet` and `on_save` once
    more at the end. `on_step` comes after every step. `play` makes the moves: as they are written, or as recordings
    of them (`gansynth.gans.engine.graphs`).

    Raises
    ------
    InputError
        If a loss is no longer a number, or beyond `DIVERGED`. What was saved last is from before.
    """
    recipe, reports = gan.recipe, gan.recipe.reports
    base_rates = {player: float(optimizer.param_groups[0]["lr"]) for player, optimizer in optimizers.items()}
    averages, progress, turns = Averages(), start, gan.turns()
    began = time.monotonic() - start.seconds
    gan.train()

    def move(turn: Turn, step: int) -> Terms:
        return _move(gan, turn, batches.draw(turn, step), optimizers[turn.player], fabric)

    def average(step: int) -> Terms:
        ema.follow()
        return {}

    with interruptible() as interrupted:
        while True:
            share = budget.share(progress)
            finished, asked = _in_any_process(fabric, share >= 1, interrupted.is_set())
            stop = finished or asked
            at = progress.step
            new = at > start.step
            if new and (stop or at % reports.log_every == 0):
                terms = averages.read()
                _refuse_divergence(terms, at, fabric)
                on_log(progress, terms)
            if new and (stop or at % reports.sheet_every == 0):
                on_sheet(progress)
                gan.train()
            if new and (stop or at % reports.save_every == 0):
                _refuse_divergence(_weights(gan), at, fabric)  # before it replaces a good state
                on_save(progress, finished)
            if stop:
                break
            if recipe.training.decay == "linear":
                for player, optimizer in optimizers.items():
                    set_rate(optimizer, base_rates[player] * max(0.0, 1 - share))
            seed_step(seed, at, fabric.global_rank)
            due = {f"turn {k} ({turn.player})": turn for k, turn in enumerate(turns) if turn.is_due(at)}
            for name, turn in due.items():
                for _ in range(turn.repeats):
                    averages.add(turn.player, play(name, partial(move, turn), at))
            batch = fabric.world_size * batches.batch_size
            ema.set_pace(batch, (at + 1) * batch)
            play("the slow generator", average, at)
            seen = progress.images + batch * max(turn.repeats for turn in due.values())
            progress = Progress(at + 1, seen, time.monotonic() - began)
            on_step(progress)
    return finished


def _move(gan: GAN, turn: Turn, batch: Batch, optimizer: Optimizer, fabric: Fabric) -> dict[str, Tensor]:
    """Let one player follow the gradient of its loss. No other player's parameters can: they need no gradient here.

    Nor do the others' buffers change: a batch that passes through a network at rest would move its running statistics
    (BatchNorm) or its power iteration (spectral norm).
    """
    gan.requires_grad_(False)
    getattr(gan, turn.player).requires_grad_(True)
    resting = [buffer for name, network in gan.named_children() if name != turn.player for buffer in network.buffers()]
    before = [buffer.clone() for buffer in resting]
    with fabric.autocast():
        terms = turn.loss(batch)
    loss = torch.stack([term.float() for term in terms.values()]).sum()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    average_gradients(getattr(gan, turn.player), fabric)
    optimizer.step()
    for buffer, value in zip(resting, before, strict=True):
        buffer.copy_(value)
    return terms


def average_gradients(network: nn.Module, fabric: Fabric) -> None:
    """Replace gradients by their mean over all processes, in one reduction.

    DistributedDataParallel counts how often each parameter's hook fires, and a gradient penalty fires it in a way
    it does not expect. A player is small: one flat reduction costs less than the book-keeping.
    """
    if fabric.world_size == 1:
        return
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in gradients])
    torch.distributed.all_reduce(flat)
    flat /= fabric.world_size
    start = 0
    for g in gradients:
        g.copy_(flat[start : start + g.numel()].view_as(g))
        start += g.numel()


def _in_any_process(fabric: Fabric, *flags: bool) -> list[bool]:
    """Processes stop together, though their clocks and signals differ."""
    if fabric.world_size == 1:
        return list(flags)
    counts = torch.tensor(flags, dtype=torch.float32, device=fabric.device)
    torch.distributed.all_reduce(counts)
    return [count > 0 for count in counts.tolist()]


def _refuse_divergence(terms: Mapping[str, float], step: int, fabric: Fabric) -> None:
    beyond = [f"{name} is {value:.3g}" for name, value in terms.items() if not abs(value) < DIVERGED]  # NaN too is not
    if any(_in_any_process(fabric, bool(beyond))):
        raise InputError(
            f"training diverged before step {step}: {', '.join(beyond) or 'a loss of another process'}; the last good "
            "state is kept, continue from it in a new folder (--from) with lower learning rates, or with "
            "--set training.precision=32"
        )


def _weights(gan: GAN) -> dict[str, float]:
    largest = torch.stack([p.detach().abs().max() for p in gan.parameters()]).max()
    return {"the largest weight": float(largest)}
