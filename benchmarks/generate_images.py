"""Images generated and written as PNG by the 128 px generator on the CPU: gansynth beside the loop people copy.

The copied loop: batches of 16 through the generator in float32, then `torchvision.utils.save_image` for one
image after the other. Both sides run in turns, so that a busy machine slows both.

    python benchmarks/generate_images.py [--images 96] [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch
from plain import plain
from torchvision.utils import save_image

from gansynth.gans import Run, build_gan, open_run
from gansynth.networks.images import to_uint8
from gansynth.recipes import load_recipe
from gansynth.runs.weights import state_tensors, write_weights
from gansynth.synthesis import Provenance, generate
from gansynth.synthesis.provenance import encode_png

CLASSES = tuple(f"class {i:02d}" for i in range(12))


def write_untrained_run(folder: Path, recipe_name: str = "c-wgan-gp") -> Run:
    """Write a run with random weights: speed does not depend on what they are."""
    torch.manual_seed(0)
    recipe = load_recipe(recipe_name)
    gan = build_gan(recipe, CLASSES)
    folder.mkdir(parents=True)
    (folder / "recipe.yaml").write_text(recipe.to_yaml(), encoding="utf-8")
    info = {"class_names": CLASSES, "parent": None, "training_sha256": ["0" * 64]}
    (folder / "run.json").write_text(json.dumps(info), encoding="utf-8")
    write_weights(folder / "model.safetensors", state_tensors(gan.generator, "generator"), {})
    return open_run(folder)


@torch.no_grad()
def copied_loop(generator: torch.nn.Module, latent: int, images: int, folder: Path) -> None:
    """Generate and write as most repositories do."""
    folder.mkdir()
    done = 0
    while done < images:
        n = min(16, images - done)
        made = generator(torch.randn(n, latent), torch.full((n,), 3))
        for image in made:
            save_image(image, folder / f"{done:06d}.png", normalize=True, value_range=(-1, 1))
            done += 1


def copied_process(connection: Connection) -> None:
    """Run the copied loop in a process of its own, since how memory is kept is the process's."""
    torch.manual_seed(0)
    recipe = load_recipe("c-wgan-gp")
    generator = plain(build_gan(recipe, CLASSES).generator).eval()
    while (asked := connection.recv()) is not None:
        images, folder = asked
        copied_loop(generator, recipe.latent, images, folder)
        connection.send(None)


def copied_loop_there(connection: Connection, images: int, folder: Path) -> None:
    connection.send((images, folder))
    connection.recv()


def milliseconds(call: Callable[[], object], images: int, rounds: int = 5) -> float:
    """Return the median time per image."""
    call()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times) / images


def where_the_time_goes(run: Run, folder: Path) -> dict[str, float]:
    """Return milliseconds per image of each stage of gansynth's way, one after the other in one thread of Python."""
    generator = run.generator("cpu")
    seeds = np.arange(32)
    images = generator(3, seeds)
    forward = milliseconds(lambda: generator(3, seeds), 32)
    raw = torch.rand(32, 3, 128, 128, dtype=generator.dtype).to(memory_format=torch.channels_last) * 2 - 1
    quantise = milliseconds(lambda: np.ascontiguousarray(to_uint8(raw).numpy()), 32)
    origin = Provenance(run.name, run.model_sha256, run.recipe.name, "class 03", 0)
    encoded = [encode_png(image, origin) for image in images]
    folder.mkdir()
    return {
        "forward": forward - quantise,
        "quantise": quantise,
        "encode": milliseconds(lambda: [encode_png(image, origin) for image in images], 32),
        "write": milliseconds(lambda: [(folder / f"{i}.png").write_bytes(png) for i, png in enumerate(encoded)], 32),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=96, help="images per round and side")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        run = write_untrained_run(root / "run")
        here, there = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=copied_process, args=(there,), daemon=True)
        process.start()
        copied_loop_there(here, 16, root / "warm-copied")
        generate(run, {"class 03": 32}, root / "warm", device="cpu", progress=False)
        copied, ours = [], []
        for i in range(arguments.rounds):
            start = time.perf_counter()
            copied_loop_there(here, arguments.images, root / f"copied-{i}")
            between = time.perf_counter()
            generate(run, {"class 03": arguments.images}, root / f"ours-{i}", device="cpu", progress=False)
            copied.append((between - start) / arguments.images)
            ours.append((time.perf_counter() - between) / arguments.images)
            ratio = copied[-1] / ours[-1]
            print(
                f"round {i + 1}: copied {1e3 * copied[-1]:.1f}, gansynth {1e3 * ours[-1]:.1f} ms/image: {ratio:.2f} x"
            )
        ratios = sorted(a / b for a, b in zip(copied, ours, strict=True))
        here.send(None)
        stages = where_the_time_goes(run, root / "stages")
    print(
        f"ratio: {statistics.median(ratios):.2f} (least {ratios[0]:.2f}, most {ratios[-1]:.2f}; {len(ratios)} rounds)"
    )
    print("gansynth's stages alone, ms/image: " + ", ".join(f"{name} {t:.2f}" for name, t in stages.items()))
    slowest = max(stages, key=stages.__getitem__)
    print(f"bottleneck left: {slowest} ({stages[slowest] / sum(stages.values()):.0%} of the sum)")
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}")


if __name__ == "__main__":
    main()
