"""One generator iteration of the C-WGAN-GP of hazra2022 (five critic steps, 128 px): ours against the loop people
copy.

The copied loop is plain PyTorch: float32, contiguous tensors, real and generated images through the critic one
after the other, the penalty as in Gulrajani's reference code, one optimizer step after the other. Networks,
losses, batches and random numbers are the same in both; with `--check` ours runs in float32 too and the losses of
ten iterations are compared.

    python benchmarks/train_step.py                 # the ratio, with its spread
    python benchmarks/train_step.py --check         # how far the losses are apart
"""

from __future__ import annotations

import argparse
import copy
import multiprocessing
import statistics
import time
from multiprocessing.connection import Connection

import torch
from lightning_fabric import Fabric
from plain import plain
from torch import Tensor
from torch.nn import functional as F

from gansynth.gans import build_gan
from gansynth.gans.engine.loop import _move, build_optimizers
from gansynth.gans.gan import Batch
from gansynth.gans.methods.c_wgan_gp import CWGANGP
from gansynth.recipes import load_recipe
from gansynth.runs.device import has_bf16, keep_freed_memory

CLASSES = [f"class {i}" for i in range(12)]


class CopiedLoop:
    """Generator, critic and classifier in the loop that most repositories share."""

    def __init__(self, gan: CWGANGP) -> None:
        self.generator, self.critic = plain(gan.generator), plain(gan.critic)
        self.classifier = plain(gan.classifier)
        self.weights = gan.recipe.losses
        self.optimizers = {
            name: torch.optim.Adam(getattr(self, name).parameters(), lr=1e-4, betas=(0.0, 0.9), foreach=False)
            for name in ("generator", "critic", "classifier")
        }

    def penalty(self, real: Tensor, generated: Tensor) -> Tensor:
        epsilon = torch.rand(len(real), 1, 1, 1)
        x = (epsilon * real + (1 - epsilon) * generated).requires_grad_(True)
        scores = self.critic(x)
        (gradient,) = torch.autograd.grad(scores, x, torch.ones_like(scores), create_graph=True, retain_graph=True)
        return ((gradient.reshape(len(real), -1).norm(2, dim=1) - 1) ** 2).mean()

    def move(self, player: str, batch: Batch) -> float:
        self.optimizers[player].zero_grad()
        loss = getattr(self, f"{player}_loss")(batch)
        loss.backward()
        self.optimizers[player].step()
        return float(loss.item())

    def critic_loss(self, batch: Batch) -> Tensor:
        generated = self.generator(batch.latents, batch.generated_labels).detach()
        loss = self.critic(generated).mean() - self.critic(batch.images).mean()
        return loss + self.weights.gradient_penalty * self.penalty(batch.images, generated)

    def classifier_loss(self, batch: Batch) -> Tensor:
        return F.cross_entropy(self.classifier(batch.images), batch.labels)

    def generator_loss(self, batch: Batch) -> Tensor:
        images = self.generator(batch.latents, batch.generated_labels)
        class_loss = F.cross_entropy(self.classifier(images), batch.generated_labels)
        return -self.critic(images).mean() + self.weights.generator_class * class_loss


class Ours:
    """The turns of `gansynth.gans`, as the training loop plays them."""

    def __init__(self, gan: CWGANGP, *, bf16: bool) -> None:
        self.gan = copy.deepcopy(gan).to(memory_format=torch.channels_last)
        self.optimizers = build_optimizers(self.gan, gan.recipe)
        self.fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed" if bf16 else "32-true")

    def move(self, player: str, batch: Batch) -> Tensor:
        (turn,) = (turn for turn in self.gan.turns() if turn.player == player)
        terms = _move(self.gan, turn, batch, self.optimizers[player], self.fabric)
        return torch.stack([term.detach().float() for term in terms.values()]).sum()


def draw(gan: CWGANGP, n: int, iteration: int) -> list[tuple[str, Batch]]:
    """Return the moves of one iteration: whose turn it is, and the batch it sees."""
    torch.manual_seed(1000 + iteration)
    r, moves = gan.recipe.resolution, []
    for turn in gan.turns():
        for _ in range(turn.repeats):
            images = torch.rand(n, 3, r, r).mul_(2).sub_(1)
            labels, wanted = torch.randint(12, (n,)), torch.randint(12, (n,))
            moves.append((turn.player, Batch(images, labels, torch.randn(n, gan.recipe.latent), wanted, step=0)))
    return moves


def check(theirs: CopiedLoop, ours: Ours, gan: CWGANGP, batch_size: int) -> None:
    """Print how far the losses of both are apart over ten iterations: each move from equal weights, then left alone.

    Relative to the loss, where that is beyond 1: with these random images the critic's soon is in the hundreds.
    Adam divides a gradient by its own size, so at first a weight whose gradient is nothing but rounding moves as
    far as any other: two correct programs drift apart in float32 within a few steps, whatever they are written in.
    """
    for equal in (True, False):
        worst, steps = 0.0, 0
        for iteration in range(10):
            for k, (player, batch) in enumerate(draw(gan, batch_size, iteration)):
                if equal:
                    for name in ("generator", "critic", "classifier"):
                        getattr(ours.gan, name).load_state_dict(getattr(theirs, name).state_dict())
                losses = []
                for loop in (theirs, ours):
                    torch.manual_seed(10_000 * iteration + k)
                    losses.append(float(loop.move(player, batch)))
                apart = abs(losses[0] - losses[1]) / max(1.0, abs(losses[0]))
                worst, steps = max(worst, apart), steps + 1
        how = "each from equal weights" if equal else "left alone"
        print(f"largest relative difference of a loss in {steps} optimizer steps, {how}: {worst:.1e}", flush=True)


def build(changes: list[str]) -> CWGANGP:
    """Return the GAN of the paper, the same in every process."""
    torch.manual_seed(0)
    gan = build_gan(load_recipe("c-wgan-gp", ["augmentation.policy=none", *changes]), CLASSES)
    assert isinstance(gan, CWGANGP)
    return gan


def work(name: str, changes: list[str], batch_size: int, connection: Connection) -> None:
    """Time an iteration whenever one is asked for: in a process of its own, as how memory is kept is the process's."""
    gan = build(changes)
    loop: CopiedLoop | Ours = CopiedLoop(gan)
    if name == "ours":
        keep_freed_memory()
        loop = Ours(gan, bf16=has_bf16(torch.device("cpu")))
    while (iteration := connection.recv()) is not None:
        moves = draw(gan, batch_size, iteration)
        start = time.perf_counter()
        for player, batch in moves:
            loop.move(player, batch)
        connection.send(time.perf_counter() - start)


def start_worker(name: str, changes: list[str], batch_size: int) -> Connection:
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    context.Process(target=work, args=(name, changes, batch_size, there), daemon=True).start()
    return here


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--pairs", type=int, default=5, help="interleaved pairs of iterations to time")
    parser.add_argument("--check", action="store_true", help="compare the losses of ten iterations in float32 instead")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=C", help="change the recipe c-wgan-gp")
    options = parser.parse_args()
    if options.check:
        gan = build(options.set)
        check(CopiedLoop(gan), Ours(gan, bf16=False), gan, options.batch_size)
        return
    workers = {name: start_worker(name, options.set, options.batch_size) for name in ("copied loop", "ours")}
    ratios, times = [], {name: [] for name in workers}
    for pair in range(options.pairs + 1):
        spent = {}
        for name, connection in workers.items():
            connection.send(pair)
            spent[name] = connection.recv()
        if pair:  # the first pair warms up
            ratios.append(spent["copied loop"] / spent["ours"])
            for name, seconds in spent.items():
                times[name].append(seconds)
        print(f"pair {pair}: " + ", ".join(f"{name} {s:.2f} s" for name, s in spent.items()), flush=True)
    for connection in workers.values():
        connection.send(None)
    precision = "bf16" if has_bf16(torch.device("cpu")) else "float32"
    low, high = min(ratios), max(ratios)
    theirs, ours = (statistics.median(times[name]) for name in ("copied loop", "ours"))
    print(
        f"one iteration, batch {options.batch_size}, {torch.get_num_threads()} threads: copied loop "
        f"{theirs:.2f} s, ours ({precision}) {ours:.2f} s; "
        f"{statistics.median(ratios):.2f} times as fast ({low:.2f} to {high:.2f} in {len(ratios)} pairs)"
    )


if __name__ == "__main__":
    main()
