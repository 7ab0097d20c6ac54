"""Peak memory of whole commands for 10,000 and for 100,000 images, as they are typed: `data info`, `data split`,
`generate`, `balance`, and `quality --sample 500`.

It shall hardly grow.

Each command runs in a process of its own. What is measured is the memory that belongs to the process alone (anonymous
pages). Beside it stands all that is resident, pages of the decoded images included: these are mapped from a file, and
the system takes them back when it needs them. The generator and the encoder are tiny ones with random weights; what
could grow (paths, rows, hashes, the journal) is the same for any. `generate` makes as many images as there are real
ones; `quality` measures what `balance` added.

    python benchmarks/data_memory.py [--counts 10000,100000] [--commands "data info,balance"] [--folder DIR]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from generate_memory import write_tiny_run
from PIL import Image
from quality_memory import write_tiny_encoder

EDGE = 16
SHARES = {"monoblast": 0.45, "promyelocyte": 0.55}
"""Of the images; balancing fills the first class up to the second."""


def commands(root: Path, count: int) -> dict[str, list[str]]:
    """Return what is typed, by name, in an order in which each finds what it needs."""
    cells, run, balanced = str(root / "cells"), str(root / "run"), str(root / "balanced")
    cpu = ["--device", "cpu"]
    return {
        "data info": ["data", "info", cells],
        "data split": ["data", "split", cells, "--force"],
        "generate": [
            "generate", run, "--class", "promyelocyte", "--count", str(count), "--out", str(root / "made"), *cpu,
        ],
        "balance": ["balance", cells, run, "--out", balanced, *cpu],
        "quality": [
            "quality", cells, balanced, "--sample", "500", "--encoder", str(root / "encoder"),
            "--out", str(root / "quality"), *cpu,
        ],
    }  # fmt: skip


def write_images(folder: Path, count: int) -> None:
    """Write blotchy squares, no two alike."""
    rng = np.random.default_rng(0)
    for name, share in SHARES.items():
        (folder / name).mkdir(parents=True)
        for i in range(round(count * share)):
            coarse = rng.integers(60, 255, (4, 4, 3), dtype=np.uint8)
            picture = Image.fromarray(coarse).resize((EDGE, EDGE), Image.Resampling.BICUBIC)
            picture.save(folder / name / f"{i:06d}.png", compress_level=1)


def prepare(root: Path, count: int) -> None:
    """Make what the commands are about, unless an earlier call has."""
    if not (root / "encoder").exists():
        write_images(root / "cells", count)
        write_tiny_run(root / "run")
        write_tiny_encoder(root / "encoder", tuple(SHARES))


def measure(typed: list[str]) -> None:
    """Type a command line, and print the peaks of anonymous and of resident memory in MiB, and seconds."""
    import torch

    from gansynth.cli import run

    torch.set_num_threads(1)
    peak, stop = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not stop.wait(0.02):
            status = Path("/proc/self/status").read_text()
            peak = max(peak, int(status.split("RssAnon:")[1].split()[0]))

    thread = threading.Thread(target=watch)
    thread.start()
    began = time.monotonic()
    status = run(typed)
    seconds = time.monotonic() - began
    stop.set()
    thread.join()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print("\n" + json.dumps([peak / 1024, resident / 1024, seconds]))
    sys.exit(status)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", default="10000,100000")
    parser.add_argument("--commands", default=",".join(commands(Path(), 0)), help="a part of them")
    parser.add_argument("--folder", type=Path, help="keep what is made there, for another part of the commands")
    parser.add_argument("--measure", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
    with tempfile.TemporaryDirectory() as temporary:
        for count in (int(text) for text in options.counts.split(",")):
            root = (options.folder or Path(temporary)) / str(count)
            prepare(root, count)
            for name in options.commands.split(","):
                done = subprocess.run(
                    [sys.executable, __file__, "--measure", *commands(root, count)[name]],
                    env=os.environ | {"GANSYNTH_CACHE": str(root / "cache")},
                    capture_output=True,
                    text=True,
                )
                if done.returncode:
                    sys.exit(done.stdout + done.stderr)
                peak, resident, seconds = json.loads(done.stdout.splitlines()[-1])
                memory = f"{peak:,.0f} MiB, with mapped pages {resident:,.0f} MiB"
                print(f"{name:10}  {count:>8,} images: {memory}, {seconds:,.0f} s", flush=True)


if __name__ == "__main__":
    main()
