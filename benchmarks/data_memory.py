"""Peak memory of `data info`, `data split`, `balance` and a sampled `quality` for 1,000 and for 100,000 images.

It shall hardly grow.

Each call runs in a process of its own. What is measured is the memory that belongs to the process alone (anonymous
pages): pages of the decoded images are mapped from a file, and the system takes them back when it needs them. The
generator and the encoder are tiny ones with random weights; what could grow (paths, rows, hashes, the journal) is the
same for any. `quality` measures what `balance` added, at most 500 images of each class.

    python benchmarks/data_memory.py [--counts 1000,100000]
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
from generate_memory import write_tiny_run
from PIL import Image
from quality_memory import write_tiny_encoder

EDGE = 16
SHARES = {"monoblast": 0.45, "promyelocyte": 0.55}
"""Of the images; balancing fills the first class up to the second."""
SAMPLE = 500


def write_images(folder: Path, count: int) -> None:
    """Write blotchy squares, no two alike."""
    rng = np.random.default_rng(0)
    for name, share in SHARES.items():
        (folder / name).mkdir(parents=True)
        for i in range(round(count * share)):
            coarse = rng.integers(60, 255, (4, 4, 3), dtype=np.uint8)
            picture = Image.fromarray(coarse).resize((EDGE, EDGE), Image.Resampling.BICUBIC)
            picture.save(folder / name / f"{i:06d}.png", compress_level=1)


def call(what: str, root: Path) -> None:
    """Do one of the four."""
    import torch

    torch.set_num_threads(1)
    if what == "data info":
        from gansynth.data.info import dataset_info

        dataset_info(root / "cells", size=32)
    elif what == "data split":
        from gansynth.data import open_dataset, split_dataset, write_splits

        write_splits(split_dataset(open_dataset(root / "cells", EDGE)), root / "cells")
    elif what == "quality":
        from gansynth.studies.quality.study import quality

        quality(
            root / "cells", root / "balanced", encoder=root / "encoder", pretrained=(), sample=SAMPLE, progress=False
        )
    else:
        from gansynth.synthesis import balance

        balance(root / "cells", root / "run", root / "balanced", keep_copies=True, device="cpu", progress=False)


def measure(what: str, root: Path) -> None:
    """Print the peak of anonymous memory in MiB, and seconds."""
    peak, stop = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not stop.wait(0.02):
            status = Path("/proc/self/status").read_text()
            peak = max(peak, int(status.split("RssAnon:")[1].split()[0]))

    thread = threading.Thread(target=watch)
    thread.start()
    began = time.monotonic()
    try:
        call(what, root)
    finally:
        stop.set()
        thread.join()
    print(json.dumps([peak / 1024, time.monotonic() - began]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", default="1000,100000")
    parser.add_argument("--measure", nargs=2, metavar=("WHAT", "ROOT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure[0], Path(options.measure[1]))
        return
    for count in (int(text) for text in options.counts.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_images(root / "cells", count)
            write_tiny_run(root / "run")
            write_tiny_encoder(root / "encoder", tuple(SHARES))
            for what in ("data info", "data split", "balance", "quality"):
                done = subprocess.run(
                    [sys.executable, __file__, "--measure", what, str(root)],
                    env=os.environ | {"GANSYNTH_CACHE": str(root / "cache")},
                    capture_output=True,
                    text=True,
                )
                if done.returncode:
                    sys.exit(done.stderr)
                peak, seconds = json.loads(done.stdout.splitlines()[-1])
                print(f"{what:10}  {count:>8,} images: {peak:,.0f} MiB, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
