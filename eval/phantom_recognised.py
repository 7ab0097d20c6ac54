"""How many drawn cells of each class does a classifier recognise: those of a generator, and fresh ones?

    python eval/phantom_recognised.py phantom-64 --count 240

The classifier is the run's independent one, which learned from the generator's training cells and took no part in its
training. Fresh cells are drawn with a seed of their own: of drawn cells there are always more. It prints a Markdown
table.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

from gansynth.data.phantom import phantom_dataset
from gansynth.errors import InputError
from gansynth.gans import Run, open_run
from gansynth.metrics.agreement import wilson_interval

FRESH_SEED = 20_001


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="a run of phantom cells, or a model of the zoo")
    parser.add_argument("--count", type=int, default=240, help="cells of each class, generated and fresh (default 240)")
    parser.add_argument("--seed", type=int, default=0, help="of the first generated cell of each class (default 0)")
    options = parser.parse_args()
    try:
        print(markdown(open_run(options.run), options.count, options.seed))
    except InputError as error:
        parser.exit(2, f"{error}\n")


def markdown(run: Run, count: int, seed: int = 0) -> str:
    """Return the table of recognition, class by class."""
    shares = recognised(run, count, seed)
    rows = ["| class | generated | fresh |", "|---|---|---|"]
    for name, pair in shares.items():
        rows.append(f"| {name} | " + " | ".join(_share(hits, count) for hits in pair) + " |")
    total = np.sum(list(shares.values()), axis=0)
    rows.append("| all | " + " | ".join(_share(int(hits), count * len(shares)) for hits in total) + " |")
    return "\n".join(rows)


def recognised(run: Run, count: int, seed: int = 0) -> dict[str, tuple[int, int]]:
    """Return, by class, how many of `count` generated and of as many fresh cells are recognised."""
    device = torch.device("cpu")
    classify, generate = run.independent_classifier(device), run.generator(device)
    if classify is None:
        raise InputError(f"{run.name}: has no independent classifier")
    fresh = phantom_dataset(dict.fromkeys(run.class_names, count), run.resolution, FRESH_SEED)
    said = classify(fresh.images).argmax(axis=1)
    seeds = np.arange(seed, seed + count, dtype=np.int64)
    return {
        name: (
            int((classify(np.asarray(generate(c, seeds))).argmax(axis=1) == c).sum()),
            int((said[fresh.labels == c] == c).sum()),
        )
        for c, name in enumerate(run.class_names)
    }


def _share(hits: int, n: int) -> str:
    low, high = wilson_interval(hits, n)
    return f"{hits / n:.0%} ({low:.0%}-{high:.0%})"


if __name__ == "__main__":
    main()
