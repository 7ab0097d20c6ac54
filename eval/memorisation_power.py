"""Does the memorisation test find planted copies, and does it leave honest images alone? A study on real cells.

    python eval/memorisation_power.py DATA --out DIR

plays held-out real images as synthetic ones, class by class, a thousand times: as they are (every alarm is false),
and with a share of them replaced by copies of training images (every silence is a miss). It prints Markdown tables
and writes them with every figure as ``figures.json`` and the power curves as ``power.png``.

* *n*: synthetic images of a class, against as many held-out ones (fewer where a class has fewer).
* *class*: one class is tested, at 5%. *report*: all classes together (`memorisation_alarm`), copies in every class.
  *one class*: all classes together, copies in one only.
* *copies*: exact; turned (one of the seven other orientations); JPEG (quality 50); brighter (grey levels times 1.1);
  and all of these at once, shifted by a pixel along both axes.

Distances are computed once. Which held-out images play is drawn anew each time, which is all that chance does here:
the training images are those of the split.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from budget import Budget, parsed
from gansynth.data import CellDataset, open_dataset
from gansynth.errors import InputError
from gansynth.files.atomic import whole_file, write_json, write_text
from gansynth.metrics.agreement import wilson_interval
from gansynth.metrics.appearance import appearance, nearest_in_any_orientation
from gansynth.metrics.memorisation import alarm_p_value, copy_tests, copy_threshold, either
from gansynth.metrics.memorisation import nearest as nearest_features

SIZES = (20, 50, 100, 200)
SHARES = (0.1, 0.2, 0.3)
LEVEL = 0.05
COLUMNS = ("class", "report", "one class")
Images = NDArray[np.uint8]
Distances = NDArray[np.float32]


BEGINNING, MINUTES = 0.25, 0.0001
"""Of two cores: to read and to measure distances, and for a repetition, measured."""

REPEATED: dict[Budget, dict[str, float]] = {
    "quick": {"repetitions": 100},
    "day": {"repetitions": 1000},
    "full": {"repetitions": 4000},
}


def minutes(options: argparse.Namespace) -> float:
    """Return how long it takes on two processor cores."""
    return BEGINNING + options.repetitions * MINUTES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a data set with its splits.csv")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=64, help="image size in pixels (default 64)")
    parser.add_argument("--repetitions", type=int, help="of honest images, instead of the budget's")
    parser.add_argument("--features", help="run whose classifier's features are tried as a distance, beside appearance")
    parser.add_argument("--seed", type=int, default=0)
    options = parsed(parser, REPEATED, minutes)
    try:
        figures = study(options.data, options.size, options.repetitions, options.features, options.seed)
    except InputError as error:
        sys.exit(f"error: {error}")
    table = markdown(figures)
    print(table)
    write_text(options.out / "table.md", table)
    write_json(options.out / "figures.json", figures)
    with whole_file(options.out / "power.png") as temporary:
        draw(figures, temporary)


def study(data: str, size: int, repetitions: int, features: str | None, seed: int) -> dict[str, Any]:
    dataset = open_dataset(data, size=size)
    rng = np.random.default_rng(seed)
    known = [distances_of_class(dataset, c, rng) for c in range(len(dataset.class_names))]
    held_out, copies = [part[0] for part in known], [part[1] for part in known]
    honest = {n: play(held_out, None, n, 0.0, repetitions, rng) for n in SIZES}
    few = max(1, repetitions // 5)
    figures: dict[str, Any] = {
        "data": {
            "images": size,
            "classes": {
                name: {"training": len(copies[c]["exact"]), "held_out": len(held_out[c])}
                for c, name in enumerate(dataset.class_names)
            },
        },
        "repetitions": repetitions,
        "level": LEVEL,
        "honest": {str(n): alarms(honest[n]) for n in SIZES},
        "copies": {
            kind: {
                str(share): {
                    str(n): alarms(play(held_out, [c[kind] for c in copies], n, share, few, rng), honest[n])
                    for n in SIZES
                }
                for share in SHARES
            }
            for kind in copies[0]
        },
        "distance": {"appearance": separation(held_out, copies)},
    }
    if features is not None:
        figures["distance"]["classifier features"] = separation(
            *feature_distances(dataset, features, np.random.default_rng([seed, 1]))
        )
    return figures


def distances_of_class(
    dataset: CellDataset, label: int, rng: np.random.Generator
) -> tuple[Distances, dict[str, Distances]]:
    """Return the distances to the nearest training image: of held-out images, and of copies of training images."""
    training, held_out = parts(dataset, label)
    references = appearance(training)

    def distance(images: Images) -> Distances:
        return nearest_in_any_orientation(appearance(images), references)[0]

    return distance(held_out), {kind: distance(images) for kind, images in copied(training, rng).items()}


def feature_distances(
    dataset: CellDataset, run_name: str, rng: np.random.Generator, most: int = 60
) -> tuple[list[Distances], list[dict[str, Distances]]]:
    """Return the same in the features of a run's classifier, for a few images of each class: a network is slow."""
    from gansynth.gans import open_run

    classifier = open_run(run_name).independent_classifier("cpu")
    if classifier is None:
        raise InputError(f"run {run_name} has no independent classifier; name one that has, such as pbc-64")
    held, copies = [], []
    for label in range(len(dataset.class_names)):
        training, held_out = parts(dataset, label)
        few = np.sort(rng.choice(len(training), min(most, len(training)), replace=False))
        references = classifier.features(training[few])
        held.append(nearest_features(classifier.features(held_out[:most]), references)[0])
        copies.append(
            {
                kind: nearest_features(classifier.features(images), references)[0]
                for kind, images in copied(training[few], rng).items()
            }
        )
    return held, copies


def parts(dataset: CellDataset, label: int) -> tuple[Images, Images]:
    """Return training and held-out images of a class; validation images count as held out, and decide nothing here."""
    training = (dataset.records["split"] == "train").to_numpy()
    of_class = dataset.labels == label
    found = np.array(dataset.images[of_class & training]), np.array(dataset.images[of_class & ~training])
    if min(map(len, found)) < 10:
        raise InputError(
            f"class '{dataset.class_names[label]}': fewer than 10 training or held-out images; use a larger data set"
        )
    return found


def copied(images: Images, rng: np.random.Generator) -> dict[str, Images]:
    turned = np.stack([turn(image, k) for image, k in zip(images, rng.integers(1, 8, len(images)), strict=True)])
    shifted = np.pad(turned, ((0, 0), (0, 0), (1, 0), (1, 0)), mode="edge")[:, :, :-1, :-1]
    return {
        "exact": images,
        "turned": turned,
        "JPEG": recompressed(images),
        "brighter": brighter(images),
        "all at once": recompressed(brighter(shifted)),
    }


def turn(image: Images, k: int) -> Images:
    turned = np.rot90(image, k % 4, (1, 2))
    return turned[:, :, ::-1] if k >= 4 else turned


def brighter(images: Images) -> Images:
    return np.rint(images * 1.1).clip(0, 255).astype(np.uint8)


def recompressed(images: Images, quality: int = 50) -> Images:
    found = np.empty_like(images)
    for i, image in enumerate(images):
        with io.BytesIO() as file:
            Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0))).save(file, "JPEG", quality=quality)
            found[i] = np.asarray(Image.open(file)).transpose(2, 0, 1)
    return found


def alarms(p_values: NDArray[np.float64], honest: NDArray[np.float64] | None = None) -> dict[str, dict[str, Any]]:
    """Return the share of repetitions with an alarm: of a class, of all, and of all with copies in one class only.

    Parameters
    ----------
    p_values, honest : float arrays, shape [repetitions, classes, 2]
        What `play` returned: of the images that are judged, and of honest ones in the other classes.
    """
    of_class = either(p_values[..., 0], p_values[..., 1])
    found = {
        "class": rate(of_class <= LEVEL),
        "Mann-Whitney alone": rate(p_values[..., 0] <= LEVEL),
        "report": rate(alarm_p_value(of_class) <= LEVEL),
    }
    if honest is not None:
        rows = np.arange(len(p_values))
        mixed = either(honest[: len(rows), :, 0], honest[: len(rows), :, 1])
        mixed[rows, rows % mixed.shape[1]] = of_class[rows, rows % mixed.shape[1]]
        found["one class"] = rate(alarm_p_value(mixed) <= LEVEL)
    return found


def play(
    held_out: list[Distances],
    copies: list[Distances] | None,
    n: int,
    share: float,
    repetitions: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Test classes whose synthetic images are held-out ones, a share of them replaced by copies of training images.

    Returns
    -------
    float64 array, shape [repetitions, classes, 2]
        p values of the Mann-Whitney test and of the count of nearer images.
    """
    found = np.empty((repetitions, len(held_out), 2))
    for c, free in enumerate(held_out):
        size = min(n, len(free) // 2)
        drawn = rng.permuted(np.tile(free, (repetitions, 1)), axis=1)
        synthetic, fresh = drawn[:, :size], drawn[:, size : 2 * size]
        if copies is not None:
            planted = round(share * size)
            synthetic[:, :planted] = rng.choice(copies[c], (repetitions, planted))
        _, found[:, c, 0], _, found[:, c, 1] = copy_tests(synthetic, fresh)
    return found


def rate(outcomes: NDArray[np.bool_]) -> dict[str, Any]:
    n, hits = outcomes.size, int(outcomes.sum())
    return {"value": hits / n, "n": n, "interval": wilson_interval(hits, n).tolist()}


def separation(held_out: list[Distances], copies: list[dict[str, Distances]]) -> dict[str, dict[str, float]]:
    """Return the share of copies nearer than the nearest 1% of held-out images, and below the threshold."""
    found = {}
    for kind in copies[0]:
        parts = list(zip((c[kind] for c in copies), held_out, strict=True))
        found[kind] = {
            "nearer_than_99_percent": float(np.mean([np.mean(d < np.quantile(free, 0.01)) for d, free in parts])),
            "below_copy_threshold": float(np.mean([np.mean(d <= copy_threshold(free)) for d, free in parts])),
        }
    return found


def markdown(figures: dict[str, Any]) -> str:
    def cell(entry: dict[str, Any]) -> str:
        low, high = entry["interval"]
        return f"{entry['value']:.1%} ({low:.1%}-{high:.1%})"

    lines = [
        f"False alarms at {figures['level']:.0%}, honest held-out images ({figures['repetitions']:,} repetitions):",
        "",
        "| n | class | class, Mann-Whitney alone | report |",
        "|---|---|---|---|",
    ]
    for n, row in figures["honest"].items():
        lines.append(f"| {n} | {cell(row['class'])} | {cell(row['Mann-Whitney alone'])} | {cell(row['report'])} |")
    lines += [
        "",
        "Copies found:",
        "",
        "| copies | share | n | class | class, Mann-Whitney alone | report | report, copies in one class only |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, shares in figures["copies"].items():
        for share, sizes in shares.items():
            for n, row in sizes.items():
                cells = " | ".join(
                    f"{row[k]['value']:.1%}" for k in ("class", "Mann-Whitney alone", "report", "one class")
                )
                lines.append(f"| {kind} | {float(share):.0%} | {n} | {cells} |")
    lines += [
        "",
        "Copies nearer to the training images than 99% of held-out images, by distance (in brackets: below the copy "
        "threshold):",
        "",
        f"| distance | {' | '.join(figures['copies'])} |",
        "|---|" + "---|" * len(figures["copies"]),
    ]
    for name, kinds in figures["distance"].items():
        cells = " | ".join(
            f"{k['nearer_than_99_percent']:.1%} ({k['below_copy_threshold']:.1%})" for k in kinds.values()
        )
        lines.append(f"| {name} | {cells} |")
    return "\n".join(lines) + "\n"


def draw(figures: dict[str, Any], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    style: Callable[[str], str] = {"0.1": ":", "0.2": "--", "0.3": "-"}.__getitem__
    titles = {
        "class": "one class tested",
        "report": "all classes, copies in all",
        "one class": "all classes, copies in one",
    }
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), sharey=True, constrained_layout=True)
    colors = dict(zip(figures["copies"], plt.get_cmap("tab10").colors, strict=False))
    for axis, column in zip(axes, COLUMNS, strict=True):
        for kind, shares in figures["copies"].items():
            for share, sizes in shares.items():
                points = [row[column]["value"] for row in sizes.values()]
                label = kind if share == "0.3" else None
                axis.plot(SIZES, points, style(share), color=colors[kind], label=label, marker=".", lw=1.2)
        if column in figures["honest"]["20"]:
            points = [row[column]["value"] for row in figures["honest"].values()]
            axis.plot(SIZES, points, color="0.4", marker=".", label="honest")
        axis.axhline(0.9, color="0.85", lw=0.8, zorder=0)
        axis.axhline(LEVEL, color="0.85", lw=0.8, zorder=0)
        axis.set(title=titles[column], xlabel="images of a class", xscale="log", xticks=SIZES, ylim=(-0.02, 1.03))
        axis.set_xticks([], minor=True)
        axis.set_xticklabels([str(n) for n in SIZES])
    axes[0].set_ylabel("share of repetitions with an alarm")
    # In the middle, where no curve is: copies in all classes are found at once.
    axes[1].legend(
        *axes[0].get_legend_handles_labels(), fontsize=8, loc="center right", title_fontsize=8,
        title="copies: 30%, 20% (dashed), 10% (dotted)",
    )  # fmt: skip
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
