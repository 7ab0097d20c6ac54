"""Where the time of an iteration goes on a processor, as torch.profiler sees it: a table by kind of work.

One thread, after a warm-up. The second table is by turn: seconds of the processor, which other programs beside it do
not change.

    python benchmarks/iteration_profile.py [--recipe c-wgan-gp-64] [--iterations 12]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict

import torch
from lightning_fabric import Fabric
from torch.profiler import ProfilerActivity, profile

from gansynth.data.phantom import phantom_dataset
from gansynth.gans import build_gan
from gansynth.gans.device import has_bf16
from gansynth.gans.ema import Ema
from gansynth.gans.loop import Batches, _move, build_optimizers
from gansynth.gans.memory import keep_freed_memory
from gansynth.recipes import load_recipe

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
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        for step in range(options.iterations):
            iteration(step)
    found: dict[str, list[float]] = defaultdict(lambda: [0.0, 0])
    for event in profiler.key_averages():
        if event.key.startswith("aten::"):
            found[kind_of(event.key)][0] += event.self_cpu_time_total / 1e3 / options.iterations
            found[kind_of(event.key)][1] += event.count / options.iterations
    total = sum(ms for ms, _ in found.values())
    print("| work | share | calls an iteration |\n|---|---|---|")
    for kind, (ms, calls) in sorted(found.items(), key=lambda item: -item[1][0]):
        print(f"| {kind} | {ms / total:.0%} | {calls:.0f} |")
    print("\n| turn | processor time, ms (median) |\n|---|---|")
    for turn in sorted({turn for spent in turns for turn in spent}):
        print(f"| {turn} | {1e3 * statistics.median(s[turn] for s in turns if turn in s):.1f} |")
    print(f"| an iteration (mean) | {1e3 * sum(sum(s.values()) for s in turns) / len(turns):.0f} |")


if __name__ == "__main__":
    main()
