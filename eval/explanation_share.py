"""Does a classifier look at the cell more, once the data are balanced? The share of its attribution inside the cell.

Two classifiers learn from the same real training images, in which one class is rare: one from them as they are, one
from what a remedy makes of them. Both are asked about the rare class in its test images.

    python eval/explanation_share.py DATA --class promyelocyte --out DIR

DATA is a data set with its split. Runs that lie finished in DIR are not trained again.
"""

from __future__ import annotations

import argparse
import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budget import Budget, parsed
from gansynth.cells.segmentation import segment_cell
from gansynth.classifiers import Classifier, open_classifier, train_classifier
from gansynth.classifiers.explain import explain
from gansynth.classifiers.explain.share import mean_share, share_inside
from gansynth.data import open_dataset
from gansynth.data.dataset import CellDataset
from gansynth.files.atomic import whole_file, write_text
from gansynth.metrics.estimate import Estimate
from gansynth.recipes.classifier import load_classifier_recipe
from gansynth.remedies.arm import parse_arm
from gansynth.remedies.remedy import Workplace


@dataclass(frozen=True)
class Row:
    """One method and one seed: mean shares inside the cell before and after, and their difference."""

    method: str
    seed: int
    before: Estimate
    after: Estimate
    difference: Estimate
    area: Estimate


def rare_split(cells: CellDataset, rare: int, keep: int, others: int) -> CellDataset:
    """Return the training split with `keep` images of the rare class and `others` of all the rest."""
    rng, train = np.random.default_rng(0), cells.part("train")
    kept = rng.choice(np.flatnonzero(train.labels == rare), keep, replace=False)
    rest = rng.permutation(np.flatnonzero(train.labels != rare))[:others]
    return train.select(np.sort(np.concatenate([rest, kept])))


def shares(
    classifier: Classifier, images: NDArray[np.uint8], masks: list[NDArray[np.bool_] | None], c: int, method: str
) -> NDArray[np.float64]:
    """Return the share inside each cell, NaN where it was not found."""
    maps = explain(classifier, images, method, np.full(len(images), c)).maps
    found = [math.nan if m is None else share_inside(one, m) for one, m in zip(maps, masks, strict=True)]
    return np.array(found)


def shown(estimate: Estimate) -> str:
    """Return value and interval as a table shows them."""
    if estimate.value is None or estimate.interval is None:
        return "-"
    return f"{estimate.value:.3f} ({estimate.interval[0]:.3f} to {estimate.interval[1]:.3f})"


MINUTES, EXPLAINED = 0.001, 0.01
"""Of two cores: for an image learned from once, in both arms, and for a cell that both explain. Estimated."""

TRAINED: dict[Budget, dict[str, float]] = {
    "quick": {"others": 600, "epochs": 2, "seeds": 1},
    "day": {"others": 3000, "epochs": 5, "seeds": 3},
    "full": {"others": 10_000, "epochs": 30, "seeds": 5},
}


def minutes(options: argparse.Namespace) -> float:
    """Return how long it takes on two processor cores."""
    return options.seeds * (options.others * options.epochs * MINUTES + options.tested * EXPLAINED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--class", dest="rare", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", default="sequential-cnn")
    parser.add_argument("--before", default="augmentation", help="an arm without balancing")
    parser.add_argument("--after", default="augmentation+oversample", help="an arm with it")
    parser.add_argument("--methods", nargs="+", default=["grad-cam", "score-cam"])
    parser.add_argument("--keep", type=int, default=40, help="training images of the rare class")
    parser.add_argument("--others", type=int, help="training images of all other classes, instead of the budget's")
    parser.add_argument("--epochs", type=int, help="instead of the budget's")
    parser.add_argument("--seeds", type=int, help="instead of the budget's")
    parser.add_argument("--tested", type=int, default=60, help="test images of the rare class")
    given = parsed(parser, TRAINED, minutes)

    recipe = load_classifier_recipe(given.recipe, [f"training.epochs={given.epochs}"])
    cells = open_dataset(given.data, size=recipe.resolution)
    c = cells.class_names.index(given.rare)
    train, val, test = rare_split(cells, c, given.keep, given.others), cells.part("val"), cells.part("test")
    validation = val.select(np.arange(0, len(val), 5))
    asked = test.images[np.flatnonzero(test.labels == c)][: given.tested]
    cuts = [segment_cell(image) for image in asked]
    masks = [None if cut.problem else cut.cell for cut in cuts]
    area = mean_share([math.nan if m is None else float(m.mean()) for m in masks])

    rows, recalls = [], []
    for seed in range(given.seeds):
        trained = []
        for arm in (given.before, given.after):
            place = given.out / "runs" / f"{arm}-{seed}"
            if not (place / "model.safetensors").is_file():
                treatment = parse_arm(arm).treat(train, Workplace(given.out, lambda _: train, seed=seed))
                resume = place.is_dir()
                train_classifier(treatment, recipe, place, validation=validation, seed=seed, resume=resume)
            trained.append(open_classifier(place))
            said = trained[-1].probabilities(asked).argmax(axis=1)
            recalls.append((seed, arm, float((said == c).mean())))
        for method in given.methods:
            a, b = (shares(classifier, asked, masks, c, method) for classifier in trained)
            difference = mean_share(b - a, lowest=-1.0)
            rows.append(Row(method, seed, mean_share(a), mean_share(b), difference, area))

    text = f"Share of the attribution inside the cell, {given.rare}, {recipe.name} ({given.epochs} epochs), "
    text += f"{given.keep} training images of the class and {given.others} of the others, {len(asked)} test images, "
    text += (
        f"{sum(m is None for m in masks)} of them without a mask. Even attribution: {shown(area)}. 95% intervals are "
    )
    text += "over test images; they say nothing of other trainings.\n\n"
    text += f"| method | seed | n | {given.before} | {given.after} | difference |\n|---|---|---|---|---|---|\n"
    for row in rows:
        estimates = " | ".join(shown(e) for e in (row.before, row.after, row.difference))
        text += f"| {row.method} | {row.seed} | {row.difference.n} | {estimates} |\n"
    text += "\n| seed | arm | recall of the class |\n|---|---|---|\n"
    text += "".join(f"| {seed} | {arm} | {recall:.3f} |\n" for seed, arm, recall in recalls)
    write_text(given.out / "table.md", text)
    with whole_file(given.out / "shares.csv") as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["method", "seed", "n", "before", "after", "difference", "low", "high", "area"])
        for row in rows:
            low, high = row.difference.interval or (None, None)
            values = (row.before.value, row.after.value, row.difference.value, low, high, row.area.value)
            table.writerow(
                [row.method, row.seed, row.difference.n, *(None if v is None else round(v, 6) for v in values)]
            )
    print(text)


if __name__ == "__main__":
    main()
