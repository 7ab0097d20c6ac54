"""One epoch of reading for training: gansynth's pack against ImageFolder, Resize and a DataLoader of two workers.

    python benchmarks/read_epoch.py DATA --size 64
    python benchmarks/read_epoch.py                 # 13,649 phantom cells, drawn first (some minutes)

Both sides read every image once, in random order, in batches of uint8 [64, 3, size, size]. Opening
(listing the files, here; listing and mapping the pack, there) is measured by itself; the first one,
which decodes, happens once. The sides take turns in one run, with all files in the system's cache.
ImageFolder's workers start anew for each epoch, as they do by default.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from gansynth.data import CellDataset, open_dataset
from gansynth.data.loader import BatchReader

LEAST = 10.0


def image_folder_epoch(images: ImageFolder, batch_size: int) -> tuple[float, int]:
    """Return seconds and images of one epoch the usual way."""
    began = time.perf_counter()
    read = sum(len(batch) for batch, _ in DataLoader(images, batch_size=batch_size, shuffle=True, num_workers=2))
    return time.perf_counter() - began, read


def pack_epoch(cells: CellDataset, batch_size: int) -> tuple[float, int]:
    """Return seconds and images of one epoch from the pack."""
    began = time.perf_counter()
    reader = BatchReader(cells, batch_size)
    read = sum(len(reader.read(index)) for index in torch.randperm(len(cells)).split(batch_size))
    return time.perf_counter() - began, read


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, help="class-folder tree; default: phantom cells")
    parser.add_argument("--size", type=int, default=64, help="edge length in pixels (default 64)")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--images", type=int, default=13_649, help="phantom cells to draw when DATA is not given")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        os.environ.setdefault("GANSYNTH_CACHE", str(Path(temporary) / "cache"))
        measure(chosen.data or _phantom(Path(temporary) / "phantom", chosen.images), chosen)


def measure(folder: Path, chosen: argparse.Namespace) -> None:
    """Let both sides take turns; print each time, the median ratio and its spread."""
    began = time.perf_counter()
    cells = open_dataset(folder, chosen.size, progress=True)
    print(f"{len(cells):,} images; first opening {time.perf_counter() - began:.1f} s")
    began = time.perf_counter()
    cells = open_dataset(folder, chosen.size)
    print(f"opening again {time.perf_counter() - began:.2f} s")
    resize = transforms.Compose([transforms.Resize((chosen.size, chosen.size)), transforms.PILToTensor()])
    folders = ImageFolder(str(folder), resize)
    ratios = []
    for repetition in range(chosen.repetitions):
        usual, n = image_folder_epoch(folders, chosen.batch_size)
        ours, m = pack_epoch(cells, chosen.batch_size)
        assert n == m == len(cells), "both sides read every image once"
        ratios.append(usual / ours)
        print(f"{repetition + 1}: ImageFolder {usual:.2f} s, pack {ours:.3f} s, ratio {ratios[-1]:.1f}")
    ratio = statistics.median(ratios)
    print(f"ratio {ratio:.1f} (from {min(ratios):.1f} to {max(ratios):.1f}); least wanted {LEAST:.0f}")
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
