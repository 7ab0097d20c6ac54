"""Peak memory of `quality` for 5,000 + 5,000 and for 50,000 + 50,000 images: it shall not grow, features aside.

Each count runs in a process of its own. What is measured is the memory that belongs to the process alone (anonymous
pages): pages of the decoded images are mapped from a file, and the system takes them back when it needs them. The
feature matrices (32 numbers for an image, and 192 for its appearance) are listed beside it and subtracted. The encoder
is a tiny one with random weights, so that it ends; what could grow is the same for any.

    python benchmarks/quality_memory.py [--counts 5000,50000]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

WIDTH = 4
CLASSES = ("eosinophil", "lymphocyte", "monocyte", "platelet")


def write_images(folder: Path, count: int, seed: int, *, split: bool) -> None:
    """Write blotchy squares of 32 px, as many of each class; half of the real ones for training, half held out."""
    rng, lines = np.random.default_rng(seed), ["file_name,split"]
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
    for i in range(count):
        name = f"{CLASSES[i % len(CLASSES)]}/{i:06d}.png"
        coarse = rng.integers(60, 255, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((32, 32), Image.Resampling.BICUBIC).save(folder / name, compress_level=1)
        lines.append(f"{name},{'train' if i // len(CLASSES) % 2 else 'test'}")
    if split:
        (folder / "splits.csv").write_text("\n".join(lines) + "\n")


def write_tiny_encoder(folder: Path, classes: tuple[str, ...] = CLASSES) -> None:
    """Write an encoder of some classes with random weights."""
    from gansynth.classifiers import CellEncoder
    from gansynth.networks.cell_encoder import CellEncoderNetwork

    CellEncoder(CellEncoderNetwork(len(classes), WIDTH), {"class_names": list(classes)}).save(folder)


def measure(root: Path) -> None:
    """Run `quality` and print peak anonymous memory and feature matrices in MiB, and seconds."""
    import gansynth

    peak, stop = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not stop.wait(0.05):
            status = Path("/proc/self/status").read_text()
            peak = max(peak, int(status.split("RssAnon:")[1].split()[0]))

    thread = threading.Thread(target=watch)
    thread.start()
    began = time.monotonic()
    found = gansynth.quality(root / "real", root / "made", encoder=root / "encoder", progress=False)
    stop.set()
    thread.join()
    images = found.about.real.n + found.about.synthetic.n
    print(json.dumps([peak / 1024, images * (8 * WIDTH + 192) * 4 / 2**20, time.monotonic() - began]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", default="5000,50000", help="held-out real images, and synthetic ones")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    left = []
    for count in (int(text) for text in options.counts.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_images(root / "real", 2 * count, 0, split=True)
            write_images(root / "made", count, 1, split=False)
            write_tiny_encoder(root / "encoder")
            output = subprocess.run(
                [sys.executable, __file__, "--measure", str(root)],
                env=os.environ | {"GANSYNTH_CACHE": str(root / "cache")},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        peak, features, seconds = json.loads(output.splitlines()[-1])
        left.append(peak - features)
        print(f"{count:>7,} + {count:,}: peak {peak:,.0f} MiB, features {features:,.0f} MiB, {seconds:.0f} s")
    print(f"without features: {left[-1]:,.0f} against {left[0]:,.0f} MiB, a factor of {left[-1] / left[0]:.3f}")


if __name__ == "__main__":
    main()
