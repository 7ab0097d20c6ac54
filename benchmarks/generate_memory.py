"""Peak memory while generating 1,000 and 100,000 images: it shall not grow with the count.

Each count runs in a process of its own, with a tiny generator so that it ends; what could grow (rows, names,
journal, images waiting for the disk) is the same for any generator. Every image goes to the disk.

    python benchmarks/generate_memory.py [--counts 1000,100000]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OVERRIDES = ("resolution=16", "latent=8", "networks.width=2")


def write_tiny_run(folder: Path) -> None:
    """Write a run of a tiny generator with random weights, with the parts that screening needs."""
    import numpy as np
    import torch

    from gansynth.gans import build_gan
    from gansynth.gans.fingerprints import TrainingFingerprints
    from gansynth.gans.independent_classifier import IndependentClassifier
    from gansynth.networks.small_cnn import SmallCNN
    from gansynth.recipes import load_recipe
    from gansynth.runs.weights import state_tensors, write_weights

    torch.manual_seed(0)
    classes = ["monoblast", "promyelocyte"]
    recipe = load_recipe("c-wgan-gp", OVERRIDES)
    folder.mkdir(parents=True)
    (folder / "recipe.yaml").write_text(recipe.to_yaml(), encoding="utf-8")
    info = {"class_names": classes, "parent": None, "training_sha256": ["0" * 64]}
    (folder / "run.json").write_text(json.dumps(info), encoding="utf-8")
    generator = build_gan(recipe, classes).generator
    write_weights(folder / "model.safetensors", state_tensors(generator, "generator"), {})
    real = np.random.default_rng(0).integers(0, 256, (50, 3, 16, 16), dtype=np.uint8)
    TrainingFingerprints.of(real[:40], real[40:]).save(folder / "training_fingerprints.safetensors")
    IndependentClassifier(SmallCNN(2, 2), torch.device("cpu")).save(folder / "independent_classifier.safetensors")


def measure(run: Path, count: int, out: Path) -> None:
    """Generate `count` images and print the peak resident memory of this process in MiB."""
    import torch

    from gansynth.synthesis import generate

    torch.set_num_threads(1)
    report = generate(run, {"promyelocyte": count}, out, device="cpu", progress=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    print(json.dumps([peak / (1024 if sys.platform != "darwin" else 1024**2), report.complete]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", default="1000,100000")
    parser.add_argument("--measure", nargs=3, metavar=("RUN", "COUNT", "OUT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        run, count, out = arguments.measure
        measure(Path(run), int(count), Path(out))
        return
    peaks = {}
    with tempfile.TemporaryDirectory() as temporary:
        run = Path(temporary) / "run"
        write_tiny_run(run)
        for count in [int(text) for text in arguments.counts.split(",")]:
            start = time.perf_counter()
            command = [sys.executable, __file__, "--measure", str(run), str(count), str(Path(temporary) / str(count))]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            peaks[count], complete = json.loads(done.stdout)
            seconds = time.perf_counter() - start
            print(f"{count:7d} images: peak {peaks[count]:.1f} MiB, {seconds:.0f} s, complete: {complete}", flush=True)
    first, *_, last = peaks.values()
    print(f"ratio: {last / first:.3f} (wanted: at most 1.1)")


if __name__ == "__main__":
    main()
