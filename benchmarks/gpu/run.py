"""What one GPU does with a training, in at most twelve minutes: right, fast, and then put to use.

1. Check: moves replayed as CUDA graphs against the same moves made by Python, in float32: losses over 20 steps.
2. Time: milliseconds an iteration, images a second, and the share of the time in which the GPU computes.
3. Sample: images a second, made, and made and written as PNG.
4. Train: each recipe asked for, longest first. At every checkpoint the weights are copied to the results, so that a
   machine that is taken away early still leaves some.

    python benchmarks/gpu/run.py --out results --minutes 12 --data cells --train projected-c-wgan-gp-64=5
    python benchmarks/gpu/run.py --out results --tiny        # every step in small, also without a GPU

Everything is printed, and kept in OUT/results.json as it comes.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from gansynth.data import CellDataset, open_dataset, split_dataset
from gansynth.data.phantom import phantom_dataset
from gansynth.errors import InputError
from gansynth.gans import build_gan, train_gan
from gansynth.gans.engine.budget import Budget
from gansynth.gans.engine.ema import Ema
from gansynth.gans.engine.graphs import best_play, play_in_python
from gansynth.gans.engine.loop import Batches, Callbacks, build_optimizers, train
from gansynth.gans.run import Run
from gansynth.recipes import GanRecipe, load_recipe, recipe_names
from gansynth.runs.device import allow_fast_arithmetic, keep_freed_memory
from gansynth.runs.state_files import Progress
from gansynth.synthesis import Provenance, generate
from gansynth.synthesis.provenance import encode_png

NEW = ("projected-c-gan-64", "projected-c-wgan-gp-64", "projected-c-wgan-gp-128", "edm-64")
TIMED = (("c-wgan-gp-64", 32), ("c-wgan-gp-64", 128), ("c-wgan-gp", 64), *((name, 32) for name in NEW))
CHECKED = ("c-wgan-gp-64", "projected-c-wgan-gp-64")
TOLERANCE = 1e-4
TINY_16 = (
    "resolution=16", "latent=8", "networks.generator=[8,8,8]", "networks.critic=[8,8]", "networks.classifier=[8,8]",
    "networks.style=8", "networks.projected_edge=32", "networks.channels=[8,16]", "networks.attention=[8]",
    "networks.sampling_steps=3",
)  # fmt: skip
TINY_32 = ("resolution=32", "latent=8", "networks.width=4")
TINY = (
    "reports.classifier_images=32", "reports.watch_images=2", "reports.sheet_columns=2", "reports.save_every=2",
    "reports.pretrained_judge=false",
)  # fmt: skip


class Results:
    """What was found, on the terminal and in a file that is whole after each line."""

    def __init__(self, out: Path) -> None:
        self.path, self.rows = out / "results.json", []
        out.mkdir(parents=True, exist_ok=True)

    def add(self, what: str, **values: Any) -> None:
        self.rows.append({"what": what, **values})
        self.path.write_text(json.dumps(self.rows, indent=1), encoding="utf-8")
        shown = "  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in values.items())
        print(f"{what}: {shown}", flush=True)


class Game:
    """A training without a run folder, of which single steps can be asked for."""

    def __init__(
        self, recipe: GanRecipe, data: CellDataset, device: torch.device, precision: str, *, graphs: bool
    ) -> None:
        torch.manual_seed(0)
        reports = recipe.reports.model_copy(update={"log_every": 10**9})  # at the end of what is asked for only
        recipe = recipe.model_copy(update={"reports": reports})
        self.device, self.said = device, []
        self.gan = build_gan(recipe, data.class_names)
        self.gan.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = Ema(self.gan.generator, recipe.training.ema_half_life, recipe.training.ema_ramp)
        self.optimizers = build_optimizers(self.gan, recipe)
        self.batches = Batches(data, recipe, recipe.training.batch_size, device)
        self.fabric = Fabric(accelerator=device.type, devices=1, precision=precision)
        self.at = 0
        self.play = play_in_python
        if graphs:
            self.play = best_play(
                self.fabric, [self.gan, self.ema.network], list(self.optimizers.values()),
                on_device=self.batches.on_device is not None, say=self.said.append,
            )  # fmt: skip

    def step(self, n: int = 1) -> dict[str, float]:
        """Make `n` iterations; return the means of their terms, read once at the end."""
        logged: list[dict[str, float]] = []
        train(
            self.gan, self.ema, self.optimizers, self.batches, Budget(self.at + n, None, None), self.fabric,
            seed=0, start=Progress(self.at), play=self.play,
            callbacks=Callbacks(on_log=lambda at, terms: logged.append(terms)),
        )  # fmt: skip
        self.at += n
        return logged[-1]

    def tensors(self) -> list[Tensor]:
        """Weights, buffers and moments."""
        moments = [
            optimizer.state[p][key]
            for optimizer in self.optimizers.values()
            for p in optimizer.param_groups[0]["params"]
            for key in sorted(optimizer.state.get(p, {}))
        ]
        return [*self.gan.state_dict().values(), *self.ema.network.state_dict().values(), *moments]

    @torch.no_grad()
    def follow(self, other: Game) -> None:
        """Take over all that the other is."""
        for mine, yours in zip(self.tensors(), other.tensors(), strict=True):
            mine.copy_(yours)


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """Float32 as it is, and one algorithm for each convolution."""
    cudnn = torch.backends.cudnn
    before = cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic, torch.get_float32_matmul_precision()
    cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic = False, False, True
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic = before[:3]
        torch.set_float32_matmul_precision(before[3])


def check(name: str, recipe: GanRecipe, data: CellDataset, device: torch.device, results: Results, steps: int) -> None:
    """Compare losses: each step from equal weights, and left alone. Adam makes rounding grow, in the same program
    too, so the tolerance is that of equal weights."""
    for equal in (True, False):
        with exact_arithmetic():
            python, graphs = (Game(recipe, data, device, "32-true", graphs=g) for g in (False, True))
            worst = 0.0
            for k in range(steps):
                if equal and k:
                    graphs.follow(python)
                a, b = python.step(), graphs.step()
                assert a.keys() == b.keys()
                worst = max([worst, *(abs(a[t] - b[t]) / max(1.0, abs(a[t])) for t in a)])
        found: dict[str, Any] = {"recipe": name, "steps": steps, "largest relative difference of a loss": worst}
        if equal:
            found["within 1e-4"] = worst < TOLERANCE
        how = "each step from equal weights" if equal else "left alone"
        results.add(f"graphs against Python, {how}", **found, **said_by(graphs))


def said_by(game: Game) -> dict[str, Any]:
    if game.play is play_in_python:
        return {"graphs": "none: they need a GPU"}
    return {"not replayed": game.said} if game.said else {}


def time_it(
    name: str, recipe: GanRecipe, data: CellDataset, device: torch.device, results: Results, seconds: float
) -> None:
    """Time iterations in bfloat16, made by Python and replayed, for about so many seconds each."""
    for graphs in (False, True):
        if graphs and device.type != "cuda":
            results.add("time, CUDA graphs", recipe=name, skipped="they need a GPU")
            continue
        game = Game(recipe, data, device, "bf16-mixed", graphs=graphs)
        begin, few = time.perf_counter(), 4 if device.type == "cuda" else 1
        game.step(2 * few + 1)  # every turn in every form, recorded
        warm = time.perf_counter() - begin
        _, once = measured(game, few)
        steps = max(few, min(400, int(seconds / max(once, 1e-6))))
        _, each = measured(game, steps)
        busy = {"GPU busy": min(1.0, busy_seconds(game, min(steps, 16)) / each)} if device.type == "cuda" else {}
        results.add(
            f"time, {'CUDA graphs' if graphs else 'Python'}",
            recipe=name,
            batch=recipe.training.batch_size,
            **{
                "ms an iteration": 1e3 * each,
                "images/s": recipe.training.batch_size / each,
                "seconds to warm up": warm,
            },
            **busy,
            **said_by(game),
        )


def measured(game: Game, steps: int) -> tuple[dict[str, float], float]:
    """Return the last terms and the seconds an iteration took; reading the terms has waited for the GPU."""
    begin = time.perf_counter()
    terms = game.step(steps)
    return terms, (time.perf_counter() - begin) / steps


def busy_seconds(game: Game, steps: int) -> float:
    """Return the seconds an iteration's kernels take, as the profiler counts them."""
    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        game.step(steps)
    return sum(event.self_device_time_total for event in profiler.key_averages()) / 1e6 / steps


def sample(run: Run, device: torch.device, results: Results, images: int, folder: Path) -> None:
    """Time what makes images, what encodes and writes them, and both together."""
    name, seeds = run.class_names[0], np.arange(images)
    generator = run.generator(device)
    generator(0, seeds[:64])
    begin = time.perf_counter()
    made = generator(0, seeds)
    making = images / (time.perf_counter() - begin)
    few = made[: min(images, 256)]
    begin = time.perf_counter()
    for i, image in enumerate(few):
        png = encode_png(image, Provenance(run.name, run.model_sha256, run.recipe.name, name, i))
        (folder / f"{i}.png").write_bytes(png)
    writing = len(few) / (time.perf_counter() - begin)
    begin = time.perf_counter()
    generate(run, {name: images}, folder / "images", device=device.type, progress=False)
    both = images / (time.perf_counter() - begin)
    slower = "making them" if making < writing else "encoding and writing PNG, in one thread"
    results.add(
        "sampling, images a second",
        **{"run": run.name, "made": making, "written by one thread": writing, "generate": both, "bottleneck": slower},
    )


class Copies(threading.Thread):
    """Copies a run's weights, log and newest sheet whenever there are new ones: whole files, put in place at once."""

    def __init__(self, run: Path, out: Path) -> None:
        super().__init__(daemon=True)
        self.run_folder, self.out, self.ended = run, out, threading.Event()
        self.seen: dict[str, int] = {}
        out.mkdir(parents=True, exist_ok=True)

    def run(self) -> None:
        while not self.ended.wait(5):
            self.copy()

    def copy(self) -> None:
        sheets = sorted(self.run_folder.glob("samples/*.png"))[-1:]
        wanted = [self.run_folder / n for n in ("model.safetensors", "recipe.yaml", "run.json", "log.jsonl")]
        for path in [*wanted, *sheets]:
            if path.is_file() and (changed := path.stat().st_mtime_ns) != self.seen.get(path.name):
                part = self.out / f".{path.name}.part"
                shutil.copyfile(path, part)
                part.replace(self.out / path.name)
                self.seen[path.name] = changed

    def finish(self) -> None:
        self.ended.set()
        self.join()
        self.copy()


def put_to_use(
    name: str, recipe: GanRecipe, data: CellDataset, device: torch.device, out: Path, scratch: Path, results: Results,
    **budget: Any,
) -> Run:  # fmt: skip
    """Train, leaving at every checkpoint what there is."""
    copies = Copies(scratch / name, out / name)
    copies.start()
    begin = time.perf_counter()
    try:
        run = train_gan(data, recipe, scratch / name, device=device.type, **budget)
    finally:
        copies.finish()
    seconds = time.perf_counter() - begin
    seen = {key: run.info[key] for key in ("step", "images")}
    results.add("trained", recipe=name, **seen, **{"seconds, preparation included": seconds})
    return run


def recipe_of(name: str, tiny: bool, *changes: str) -> GanRecipe:
    if not tiny:
        return load_recipe(name, changes)
    has = load_recipe(name).networks.model_dump()
    small = TINY_32 if "width" in has else TINY_16
    small = tuple(c for c in small if not c.startswith("networks.") or c.partition("=")[0].split(".")[1] in has)
    try:
        return load_recipe(name, [*changes, *small, *TINY, "training.batch_size=8"])
    except InputError:  # networks of another shape: as they are, for the few steps that are made
        return load_recipe(name, [*changes, *TINY, "training.batch_size=8"])


def cells(size: int, data: str | None) -> CellDataset:
    """Return training images: those given, or phantom cells, which cost as much to learn from."""
    if data is None:
        counts = {"eosinophil": 96, "lymphocyte": 64, "neutrophil": 96, "basophil": 32}
        return split_dataset(phantom_dataset({k: n if size > 32 else 12 for k, n in counts.items()}, size=size))
    dataset = open_dataset(data, size=size)
    return dataset if (dataset.records["split"] == "train").any() else split_dataset(dataset)


def asked(text: str) -> tuple[str, float]:
    name, _, minutes = text.partition("=")
    return name, float(minutes or 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--minutes", type=float, default=12, help="for everything; what no longer fits is left out")
    parser.add_argument("--data", help="cells to train on (default: phantom cells)")
    parser.add_argument("--train", action="append", default=[], metavar="RECIPE=MINUTES", type=asked)
    parser.add_argument("--time", action="append", default=[], metavar="RECIPE", help="recipes to time besides")
    parser.add_argument("--tiny", action="store_true", help="every step in small, also on the CPU")
    options = parser.parse_args()
    end, tiny = time.monotonic() + 60 * options.minutes, options.tiny
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu" and not tiny:
        parser.error("no GPU that torch can use on this machine; --tiny tries the script without one")
    results, known = Results(options.out), recipe_names()
    where = torch.cuda.get_device_name() if device.type == "cuda" else platform.processor() or "CPU"
    results.add("machine", device=where, torch=torch.__version__)
    keep_freed_memory()
    training_minutes = sum(minutes for _, minutes in options.train)
    left_for_training = end - 60 * training_minutes

    for name in CHECKED:
        recipe = recipe_of(name, tiny)
        check(name, recipe, cells(recipe.resolution, None).part("train"), device, results, 3 if tiny else 20)
    allow_fast_arithmetic(device)
    for name, batch in [*TIMED, *((name, 32) for name in options.time)]:
        if name not in known:
            results.add("time", recipe=name, skipped="not in the zoo")
        elif time.monotonic() > left_for_training and not tiny:
            results.add("time", recipe=name, batch=batch, skipped="no time left")
        else:
            recipe = recipe_of(name, tiny, f"training.batch_size={batch}")
            time_it(name, recipe, cells(recipe.resolution, None).part("train"), device, results, 0.1 if tiny else 3)

    with tempfile.TemporaryDirectory() as temporary:
        scratch, last = Path(temporary), None
        for name, minutes in sorted(options.train or [("c-wgan-gp-64", 0.5)], key=lambda pair: -pair[1]):
            recipe = recipe_of(name, tiny, "reports.save_every=250", "reports.sheet_every=1000")
            minutes = min(minutes, (end - time.monotonic()) / 60 - 0.3)
            if minutes <= 0 and not tiny:
                results.add("trained", recipe=name, skipped="no time left")
                continue
            budget: dict[str, Any] = {"steps": 4, "progress": False} if tiny else {"minutes": minutes}
            data = cells(recipe.resolution, options.data)
            last = put_to_use(name, recipe, data, device, options.out, scratch, results, **budget)
        if last is not None:
            (scratch / "png").mkdir()
            sample(last, device, results, 40 if tiny else 4000, scratch / "png")


if __name__ == "__main__":
    main()
