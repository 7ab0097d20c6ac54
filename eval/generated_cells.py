"""Are the generated cells the classes they should be, varied, and no copies? A run held against its data set.

    python eval/generated_cells.py DATA RUN --out DIR

prints one table (Markdown) and writes it with every number as ``figures.json`` and a sheet of real and generated cells.

* *recognised*: share of images that a classifier gives the right class. It is trained here, on the real training images
  only, and is neither the run's third player nor the classifier that screens its images. Beside it the same share of
  held-out real images.
* *diversity*: mean distance between two images of a class, in that classifier's features and in pixels (root mean
  square grey levels), as a share of the same between held-out real images. 1 is as varied as real.
* *nearest training image*: median distance in the run's fingerprints (grey levels), generated and held-out real; and
  the AUC of the memorisation test. 0.5 is no nearer than real images are; towards 1 the generator repeats its training
  images.

Held-out are the test images, and the validation images with them, which decide nothing here.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gansynth.data import CellDataset, open_dataset
from gansynth.errors import InputError
from gansynth.files.atomic import whole_file, write_json, write_text
from gansynth.gans import Run, open_run
from gansynth.gans.engine.showing import FONT, class_sheet
from gansynth.gans.independent_classifier import IndependentClassifier, train_independent_classifier
from gansynth.metrics.agreement import class_agreement
from gansynth.metrics.diversity import class_diversity
from gansynth.metrics.memorisation import class_memorisation

JUDGE_SEED = 20_000
"""The judge's seed: any but that of the run's own classifier."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="the data set that the run was trained on, with its splits.csv")
    parser.add_argument("run", help="a run folder or a model of the zoo")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=200, help="generated images of each class (default 200)")
    parser.add_argument("--min-confidence", type=float, help="judge only what the run's own classifier accepts")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    try:
        study(options.data, options.run, options.out, options.count, options.min_confidence, options.device)
    except InputError as error:
        sys.exit(f"error: {error}")


def study(data: str, run_name: str, out: Path, count: int, min_confidence: float | None, device: str) -> None:
    run = open_run(run_name)
    dataset = open_dataset(data, size=run.resolution)
    training, held_out = parts(dataset, run)
    judge = train_independent_classifier(
        training, seed=JUDGE_SEED, device=torch.device(device), width=48, images=25 * len(training)
    )
    made = [generated(run, name, count, min_confidence, device) for name in training.class_names]
    images = np.concatenate(made)
    labels = np.repeat(np.arange(len(made)), [len(part) for part in made])
    figures = measure(run, judge, held_out, images, labels)
    table = markdown(figures)
    print(table)
    write_text(out / "table.md", table)
    write_json(out / "figures.json", figures)
    with whole_file(out / "real_and_generated.png") as temporary:
        sheet(held_out, made, run).save(temporary)


def parts(dataset: CellDataset, run: Run) -> tuple[CellDataset, CellDataset]:
    """Return training and held-out images, and refuse a split that the run has not kept to."""
    training = dataset.part("train")
    held_out = dataset.select((dataset.records["split"].isin(["test", "val"])).to_numpy())
    if dataset.class_names != run.class_names:
        raise InputError(f"data and run {run.name} have different classes; give the data the run was trained on")
    seen = int(held_out.records["sha256"].isin(run.training_sha256).sum())
    if seen:
        raise InputError(
            f"{seen} held-out images are training images of run {run.name}; give the split it was trained on"
        )
    return training, held_out


def generated(run: Run, name: str, count: int, min_confidence: float | None, device: str) -> NDArray[np.uint8]:
    """Return the first images of a class, screened by the run's own classifier only where asked."""
    index, generator = run.class_index(name), run.generator(device)
    if min_confidence is None:
        return generator(index, np.arange(count))
    screen = run.independent_classifier(device)
    if screen is None:
        raise InputError(f"run {run.name} has no independent classifier to screen with")
    kept: list[NDArray[np.uint8]] = []
    for start in range(0, 20 * count, 256):
        images = generator(index, np.arange(start, start + 256))
        kept.append(images[screen(images)[:, index] >= min_confidence])
        if sum(map(len, kept)) >= count:
            break
    return np.concatenate(kept)[:count]


def measure(
    run: Run, judge: IndependentClassifier, held_out: CellDataset, images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> dict[str, object]:
    names, n = run.class_names, len(run.class_names)
    made, real = class_agreement(judge(images), labels), class_agreement(judge(held_out.images), held_out.labels)
    prints = run.fingerprints
    if prints is None:
        raise InputError(f"run {run.name} has no training fingerprints to measure distances with")
    distance, real_distance = prints.distance(images), prints.distance(held_out.images)
    memory = class_memorisation(distance, labels, real_distance, held_out.labels, n)
    varied = spread(judge.features(images), labels, n)
    varied_real = spread(judge.features(held_out.images), held_out.labels, n)
    in_pixels, in_pixels_real = spread(pixels(images), labels, n), spread(pixels(held_out.images), held_out.labels, n)
    classes = {
        name: {
            "training_images": int(run.info["training_counts"][name]),
            "recognised": {
                "value": float(made.per_class[c]),
                "interval": made.interval_per_class[c].tolist(),
                "n": int(made.n_per_class[c]),
            },
            "recognised_real": {
                "value": float(real.per_class[c]),
                "interval": real.interval_per_class[c].tolist(),
                "n": int(real.n_per_class[c]),
            },
            "diversity_features": varied[c] / varied_real[c],
            "diversity_pixels": in_pixels[c] / in_pixels_real[c],
            "nearest_training": memory[c].median_generated,
            "nearest_training_real": memory[c].median_held_out,
            "memorisation_auc": {"value": memory[c].value, "interval": list(memory[c].interval)},
            "copies": int((distance[labels == c] < prints.copy_threshold).sum()),
        }
        for c, name in enumerate(names)
    }
    return {
        "run": run.name,
        "model_sha256": run.model_sha256,
        "recognised": {"value": made.value, "n": made.n, "interval": list(made.interval)},
        "recognised_real": {"value": real.value, "n": real.n, "interval": list(real.interval)},
        "confusion_generated": made.confusion.tolist(),
        "confusion_real": real.confusion.tolist(),
        "copy_threshold": prints.copy_threshold,
        "classes": classes,
    }


def spread(points: NDArray[np.float32], labels: NDArray[np.int64], n: int) -> list[float]:
    return [d.value for d in class_diversity(points, labels, n, resamples=1)]


def pixels(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return images as rows whose Euclidean distance is the root mean square difference in grey levels."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    return flat / np.float32(np.sqrt(flat.shape[1]))


def markdown(figures: dict[str, object]) -> str:
    rows = [
        "| class | training images | recognised: generated | real | diversity: features | pixels "
        "| nearest training image: generated | real | AUC | copies |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]

    def share(entry: dict) -> str:  # type: ignore[type-arg]
        low, high = entry["interval"]
        return f"{entry['value']:.0%} ({low:.0%}-{high:.0%})"

    for name, c in figures["classes"].items():  # type: ignore[attr-defined]
        rows.append(
            f"| {name} | {c['training_images']:,} | {share(c['recognised'])} | {share(c['recognised_real'])} "
            f"| {c['diversity_features']:.2f} | {c['diversity_pixels']:.2f} | {c['nearest_training']:.1f} "
            f"| {c['nearest_training_real']:.1f} | {c['memorisation_auc']['value']:.2f} | {c['copies']} |"
        )
    rows.append(f"| all | | {share(figures['recognised'])} | {share(figures['recognised_real'])} | | | | | | |")  # type: ignore[arg-type]
    return "\n".join(rows) + "\n"


def sheet(held_out: CellDataset, made: list[NDArray[np.uint8]], run: Run, columns: int = 7) -> Image.Image:
    """Lay real held-out cells (left) beside generated ones (right), one class a row; nothing is picked by hand."""
    n = len(made)
    real = [held_out.images[np.flatnonzero(held_out.labels == c)[:columns]] for c in range(n)]
    halves = []
    for side in (real, [part[:columns] for part in made]):
        labels = np.repeat(np.arange(n), [len(part) for part in side])
        halves.append(class_sheet(np.concatenate(side), labels.tolist(), run.class_names))
    left, right = halves
    strip = right.crop((right.width - columns * (run.resolution + 2), 0, right.width, right.height))
    joined = Image.new("RGB", (left.width + 16 + strip.width, left.height + 24), "white")
    joined.paste(left, (0, 24))
    joined.paste(strip, (left.width + 16, 24))
    draw = ImageDraw.Draw(joined)
    middle = columns * (run.resolution + 2) // 2
    draw.text((left.width - middle, 12), "real", fill="black", font=FONT, anchor="mm")
    draw.text((left.width + 16 + middle, 12), "synthetic", fill="black", font=FONT, anchor="mm")
    return joined


if __name__ == "__main__":
    main()
