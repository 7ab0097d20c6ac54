"""One epoch of the sequential CNN: ours against ImageFolder, a DataLoader of two workers and eager float32.

    python benchmarks/classifier_epoch.py DATA --images 10000      # DATA: a class-folder tree of 128 px cells
    python benchmarks/classifier_epoch.py                          # phantom cells, drawn first (some minutes)

The network, its initial weights, the batch size and the loss are the same. The other side is what most repositories
write: files decoded by two workers, contiguous tensors, layer after layer, Adam, the loss read at every step. Neither
side augments. The sides take turns, each in a process of its own; opening the data set, which the first time decodes it
for ours, is given by itself. Beside wall time the processor time of both sides is compared, which other work on the
machine touches less.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision import transforms
from torchvision.datasets import ImageFolder

from gansynth.classifiers.batches import Batches
from gansynth.classifiers.neural import build_network
from gansynth.classifiers.neural_training import Course, build_optimizer, train_network
from gansynth.data import open_dataset
from gansynth.networks.sequential_cnn import Stage
from gansynth.recipes.classifier import NeuralRecipe, load_classifier_recipe
from gansynth.remedies.treatment import Treatment
from gansynth.runs.device import keep_freed_memory

LEAST = 2.0

SAME = ("training.learning_rate=1e-3", "training.schedule=constant", "training.warm_up=0", "training.weight_decay=0")
"""What the other side does."""


class Usual:
    """ImageFolder, a DataLoader of two workers, layer after layer."""

    def __init__(self, folder: Path, recipe: NeuralRecipe, index: np.ndarray) -> None:
        edge = (recipe.resolution, recipe.resolution)
        steps = [transforms.Resize(edge), transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
        self.images = Subset(ImageFolder(str(folder), transforms.Compose(steps)), index.tolist())
        self.batch_size = recipe.training.batch_size
        torch.manual_seed(0)
        self.network = build_network(recipe, len(self.images.dataset.classes))
        for stage in self.network.modules():
            if isinstance(stage, Stage):
                stage.forward = stage.in_turn  # type: ignore[method-assign]
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-3)

    def epoch(self, number: int) -> float:
        """Return the mean loss of one epoch."""
        losses = []
        self.network.train()
        # In a spawned process workers would be spawned too, and import everything anew for each epoch.
        loader = DataLoader(
            self.images, self.batch_size, shuffle=True, num_workers=2, drop_last=True, multiprocessing_context="fork"
        )
        for images, labels in loader:
            self.optimizer.zero_grad()
            loss = nn.CrossEntropyLoss()(self.network(images), labels)
            loss.backward()
            self.optimizer.step()
            losses.append(loss.item())
        return statistics.fmean(losses)


class Ours:
    """The training loop of `gansynth.classifiers` over the memory-mapped pack."""

    def __init__(self, folder: Path, recipe: NeuralRecipe, index: np.ndarray) -> None:
        keep_freed_memory()
        began = time.perf_counter()
        cells = open_dataset(folder, recipe.resolution)
        print(f"opening the pack: {time.perf_counter() - began:.1f} s", flush=True)
        self.recipe, device = recipe, torch.device("cpu")
        self.batches = Batches(Treatment(cells, index), recipe.training, 0, device)
        torch.manual_seed(0)
        self.network = build_network(recipe, len(cells.class_names)).to(memory_format=torch.channels_last)
        self.optimizer = build_optimizer(self.network, recipe.training)
        self.steps = len(index) // recipe.training.batch_size

    def epoch(self, number: int) -> float:
        """Return the mean loss of one epoch."""
        course = Course(step=number * self.steps)
        train_network(
            self.network, self.batches, self.recipe, self.optimizer, course,
            steps=(number + 1) * self.steps, steps_per_epoch=self.steps, patience=0, validation=None, seed=0,
            on_check=lambda point: None, on_save=lambda: None,
        )  # fmt: skip
        return course.curve[-1].train_loss


def work(side: str, folder: Path, changes: list[str], images: int, connection: Connection) -> None:
    """Train for an epoch whenever one is asked for: in a process of its own, as how memory is kept is the process's."""
    recipe = load_classifier_recipe("sequential-cnn", [*SAME, *changes])
    assert isinstance(recipe, NeuralRecipe)
    n = len(ImageFolder(str(folder)))
    index = np.random.default_rng(0).permutation(n)[:images]
    loop = (Ours if side == "ours" else Usual)(folder, recipe, index)
    while (number := connection.recv()) is not None:
        wall, processor = time.perf_counter(), _processor_seconds()
        loss = loop.epoch(number)
        connection.send((time.perf_counter() - wall, _processor_seconds() - processor, loss))


def _processor_seconds() -> float:
    """Return the processor time of this process and of its workers that have ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, help="class-folder tree; default: phantom cells")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=3, help="interleaved pairs of epochs, after one that warms up")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=C", help="change the recipe")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        measure(chosen.data or _phantom(Path(temporary) / "phantom", chosen.images), chosen)


def measure(folder: Path, chosen: argparse.Namespace) -> None:
    """Let both sides take turns; print each time, the median ratio and its spread."""
    context = multiprocessing.get_context("spawn")
    ends = {}
    for side in ("usual", "ours"):
        ends[side], there = multiprocessing.Pipe()
        # Not a daemon: the usual side has workers of its own.
        context.Process(target=work, args=(side, folder, chosen.set, chosen.images, there)).start()
    walls, processors = [], []
    for number in range(chosen.epochs + 1):
        spent = {}
        for side, connection in ends.items():
            connection.send(number)
            spent[side] = connection.recv()
        (w1, p1, l1), (w2, p2, l2) = spent["usual"], spent["ours"]
        print(
            f"{'warm-up' if number == 0 else number}: usual {w1:.1f} s ({p1:.1f} s of processor, loss {l1:.2f}), "
            f"ours {w2:.1f} s ({p2:.1f} s, loss {l2:.2f}); {w1 / w2:.2f} times as fast, {p1 / p2:.2f} in processor",
            flush=True,
        )
        if number:
            walls.append(w1 / w2)
            processors.append(p1 / p2)
    for connection in ends.values():
        connection.send(None)
    ratio = statistics.median(walls)
    print(
        f"one epoch of {chosen.images:,} images, {os.cpu_count()} cores: {ratio:.2f} times as fast "
        f"({min(walls):.2f} to {max(walls):.2f}), {statistics.median(processors):.2f} in processor time; "
        f"least wanted {LEAST:.0f}"
    )
    raise SystemExit(0 if ratio >= LEAST else 1)


def _phantom(folder: Path, images: int) -> Path:
    from gansynth.data.phantom import PHANTOM_COUNTS, write_phantom

    total = sum(PHANTOM_COUNTS.values())
    counts = {name: max(n * images // total, 1) for name, n in PHANTOM_COUNTS.items()}
    counts["neutrophil"] += images - sum(counts.values())
    write_phantom(folder, counts, 128, 0)
    return folder


if __name__ == "__main__":
    main()
