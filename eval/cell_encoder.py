"""Train the cell encoder that ships, and measure it on held-out cells.

    python eval/cell_encoder.py DATA --out models/pbc-encoder [--seed 0]

trains on the real training images of DATA (120,000 images seen, then 38,400 more at 64 px only), rounds the weights
to 16 bits, writes the folder, and prints the share of held-out images (validation and test, which decide nothing here)
that get their class, with Wilson intervals.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from gansynth.classifiers import CellEncoder, train_cell_encoder
from gansynth.data import CellDataset, open_dataset
from gansynth.errors import InputError
from gansynth.metrics.agreement import class_agreement


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a data set with its splits.csv")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    try:
        dataset = open_dataset(options.data, size=64)
        train, seed, device = dataset.part("train"), options.seed, options.device
        first = train_cell_encoder(train, seed=seed, device=device, images=120_000, on_step=_progress)
        encoder = train_cell_encoder(
            train, seed=seed + 1, device=device, images=38_400, begin_with=first, on_step=_progress
        ).rounded()
        encoder.info["held_out"] = held_out_accuracy(encoder, dataset)
        encoder.save(options.out)
        print(markdown(encoder.info))
    except InputError as error:
        sys.exit(f"error: {error}")


def held_out_accuracy(encoder: CellEncoder, dataset: CellDataset) -> dict[str, Any]:
    """Return accuracy on the validation and test images, overall and for each class, with confusion."""
    held_out = dataset.select(dataset.records["split"].isin(["test", "val"]).to_numpy())
    found = class_agreement(encoder(held_out.images)["logits"], held_out.labels)
    return {
        "accuracy": {"value": found.value, "n": found.n, "interval": list(found.interval)},
        "balanced_accuracy": float(found.per_class.mean()),
        "classes": {
            name: {
                "value": float(found.per_class[c]),
                "n": int(found.n_per_class[c]),
                "interval": found.interval_per_class[c].tolist(),
            }
            for c, name in enumerate(encoder.class_names)
        },
        "confusion": found.confusion.tolist(),
    }


def markdown(info: dict[str, Any]) -> str:
    """Return one row for each class."""
    rows = ["| class | training images | held-out images | recognised |", "|---|---|---|---|"]
    held_out = info["held_out"]
    every = [(name, info["training_counts"][name], held_out["classes"][name]) for name in info["class_names"]]
    for name, n, found in [*every, ("all", sum(info["training_counts"].values()), held_out["accuracy"])]:
        low, high = found["interval"]
        rows.append(f"| {name} | {n:,} | {found['n']:,} | {found['value']:.1%} ({low:.1%}-{high:.1%}) |")
    return "\n".join(rows)


def _progress(done: int, steps: int) -> None:
    if done % 200 == 0 or done == steps:
        print(f"step {done} of {steps}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
