"""Where the time of an iteration goes on a processor: by kind of work, by operation, and by turn.

One thread, after a warm-up. What is counted is the thread's own time around each operation, forward and backward:
torch.profiler counts wall time, in which other programs on the machine take part.

    python benchmarks/iteration_profile.py [--recipe c-wgan-gp-64] [--iterations 12]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from typing import Any

import torch
from lightning_fabric import Fabric
from torch.utils._python_dispatch import TorchDispatchMode

from gansynth.data.phantom import phantom_dataset
from gansynth.gans import build_gan
from gansynth.gans.engine.ema import Ema
from gansynth.gans.engine.loop import Batches, _move, build_optimizers
from gansynth.recipes import load_recipe
from gansynth.runs.device import has_bf16, keep_freed_memory

KINDS = {
    "convolution": ("convolution", "conv2d"),
    "linear": ("addmm", "mm", "bmm", "linear"),
    "scaling and shifting images": ("upsample", "pad", "index", "gather", "flip", "avg_pool", "lerp", "where"),
    "activation": ("leaky_relu", "tanh", "softmax", "sigmoid"),
    "sums and deviations": ("sum", "mean", "var", "std"),
    "optimizer": ("adam", "foreach"),
    "copies and casts": ("copy", "to", "clone", "cat", "fill", "empty", "zero"),
    "products and additions": ("mul", "add", "sub", "div", "rsqrt", "sqrt", "pow", "neg"),
}


def kind_of(operation: str) -> str:
    name = operation.removeprefix("aten::").removeprefix("_").lower()
    return next((kind for kind, parts in KINDS.items() if any(part in name for part in parts)), "all else")


class Clock(TorchDispatchMode):
    """Sums the thread's time in each operation."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: dict[str, float] = defaultdict(float)
        self.calls: dict[str, int] = defaultdict(int)

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        begin = time.thread_time()
        out = function(*args, **(kwargs or {}))
        name = function._schema.name
        self.seconds[name] += time.thread_time() - begin
        self.calls[name] += 1
        return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="c-wgan-gp-64")
    parser.add_argument("--iterations", type=int, default=12, help="a multiple of losses.penalty_every")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=C", help="change the recipe")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    keep_freed_memory()
    recipe = load_recipe(options.recipe, options.set)
    counts = {"eosinophil": 60, "lymphocyte": 60, "neutrophil": 60, "basophil": 20}
    data = phantom_dataset(counts, size=recipe.resolution)
    gan = build_gan(recipe, data.class_names).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    device = torch.device("cpu")
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed" if has_bf16(device) else "32-true")
    batches = Batches(data, recipe, recipe.training.batch_size, device)
    optimizers, ema = build_optimizers(gan, recipe), Ema(gan.generator, 10_000, 0.05)

    def iteration(step: int) -> dict[str, float]:
        spent: dict[str, float] = defaultdict(float)
        for turn in (turn for turn in gan.turns() if turn.is_due(step)):
            for _ in range(turn.repeats):
                begin = time.process_time()
                terms = _move(gan, turn, batches.draw(turn, step), optimizers[turn.player], fabric)
                spent[turn.player + (" with penalty" if "penalty" in terms else "")] += time.process_time() - begin
        begin = time.process_time()
        ema.update(batches.batch_size, (step + 1) * batches.batch_size)
        spent["slow generator"] = time.process_time() - begin
        return spent

    for step in range(4):
        iteration(step)
    turns = [iteration(step) for step in range(options.iterations)]
    with Clock() as clock:
        for step in range(options.iterations):
            iteration(step)
    kinds: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for name, seconds in clock.seconds.items():
        kinds[kind_of(name)][0] += seconds
        kinds[kind_of(name)][1] += clock.calls[name]
    total, n = sum(clock.seconds.values()), options.iterations
    print("| work | share | ms an iteration | calls |\n|---|---|---|---|")
    for kind, (seconds, calls) in sorted(kinds.items(), key=lambda item: -item[1][0]):
        print(f"| {kind} | {seconds / total:.0%} | {1e3 * seconds / n:.0f} | {calls / n:.0f} |")
    print("\n| operation | ms an iteration | calls |\n|---|---|---|")
    for name in sorted(clock.seconds, key=lambda name: -clock.seconds[name])[:16]:
        print(f"| `{name}` | {1e3 * clock.seconds[name] / n:.1f} | {clock.calls[name] / n:.0f} |")
    print("\n| turn | processor time, ms (median) |\n|---|---|")
    for turn in sorted({turn for spent in turns for turn in spent}):
        print(f"| {turn} | {1e3 * statistics.median(s[turn] for s in turns if turn in s):.1f} |")
    print(f"| an iteration (mean) | {1e3 * sum(sum(s.values()) for s in turns) / len(turns):.0f} |")


if __name__ == "__main__":
    main()
