"""Memory that opening a data set takes for what is known of each image, for 100,000 and for 1,000,000 images.

Paths, sizes, hashes, the split: what remains in memory when the pixels do not. No picture is decoded: scanning and
decoding are replaced by what they give for so many files, since writing and reading a million of them takes hours; the
pack, the tables and the records are made as always. `data_memory.py` measures whole commands.

    python benchmarks/rows_memory.py [--counts 100000,1000000]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

CLASSES = tuple(f"class {k}" for k in range(11))
EDGE = 16


def file_name(k: int) -> str:
    return f"{CLASSES[k % len(CLASSES)]}/slide_{k // 100:05d}_{k:07d}.png"


def measure(root: Path, count: int) -> None:
    """Print the anonymous memory at the peak and after it, less what was there before, in MiB; and seconds."""
    from gansynth.data import open_dataset, pack
    from gansynth.data.folders import FolderScan, ImageFile

    pixels = np.zeros((EDGE, EDGE, 3), np.uint8)
    hashes = (hashlib.sha256(str(k).encode()).hexdigest() for k in range(count))

    def scanned(*_: Any) -> FolderScan:
        files = [ImageFile(CLASSES[k % len(CLASSES)], file_name(k), 20_000 + k, 10**18 + k) for k in range(count)]
        return FolderScan(root, list(CLASSES), files)

    def read(scan: FolderScan, use: Callable[..., None], *_: Any) -> dict[int, str]:
        for k in range(len(scan.files)):
            use(k, pixels)
        return {}

    pack.scan_folders, pack.read_all = scanned, read  # type: ignore[assignment]
    pack.square = lambda pixels, _: pixels.transpose(2, 0, 1)
    pack.pixel_sha256 = lambda _: next(hashes)
    pack.declared_origin = lambda _: ""
    before = anonymous()
    peak, stop = 0.0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not stop.wait(0.02):
            peak = max(peak, anonymous())

    thread = threading.Thread(target=watch)
    thread.start()
    began = time.monotonic()
    dataset = open_dataset(root, EDGE, cache_dir=root / "cache")
    made = time.monotonic() - began
    stop.set()
    thread.join()
    assert len(dataset) == count and set(dataset.records["split"]) == {"train", "test"}
    print(json.dumps([peak - before, anonymous() - before, made]))


def anonymous() -> float:
    return int(Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", default="100000,1000000")
    parser.add_argument("--measure", nargs=2, metavar=("ROOT", "COUNT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(Path(options.measure[0]), int(options.measure[1]))
        return
    for count in (int(text) for text in options.counts.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            with (Path(folder) / "splits.csv").open("w") as table:
                table.write("file_name,split\n")
                table.writelines(f"{file_name(k)},{'train' if k % 5 else 'test'}\n" for k in range(count))
            done = subprocess.run(
                [sys.executable, __file__, "--measure", folder, str(count)], capture_output=True, text=True
            )
        if done.returncode:
            sys.exit(done.stderr)
        peak, after, seconds = json.loads(done.stdout.splitlines()[-1])
        print(
            f"{count:>9,} images: {peak:,.0f} MiB at the peak, {after:,.0f} MiB after it, {seconds:.0f} s", flush=True
        )


if __name__ == "__main__":
    main()
