"""Does FD-cell see what goes wrong? Real cells with planted faults, dose by dose, held against other real cells.

    python eval/planted_degradations.py DATA --out DIR [--encoder pbc-encoder|FOLDER|own]

Held-out real cells are parted at random into two halves without a common image. One half stays as it is; into the other
a fault is planted, at six doses each:

* faults of the picture: *blur*, *noise*, *stain strength* (optical density times 1 + dose), *stain hue* (colours turned
  by the dose), *JPEG*;
* faults of the set: *class swap* (a share of labels is wrong), *class mix* (a share of the images comes from five
  classes only), *mode collapse* (k images of each class, repeated), *copies of few* (a share is copies of three
  training images of each class), *copies* (a share is training images, each once).

A distance is worth having if it rises with the dose. The last fault is there because no distance between distributions
should see it: a training image is a real image. Finding it is what `memorisation` is for.

Each point is the mean over random partings; the floor is the same with no fault. FD-cell and KD-cell are computed over
all classes, and FD-cell inside each class (mean over the classes), which alone can see swapped labels. Beside the
encoder stand two sets of features that cost no training: the same network with random weights, and the first principal
components of the pixels.

Writes ``figures.json``, ``table.md`` and ``curves.png``, and ``degraded.png`` to see what a dose looks like.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.colors import hsv_to_rgb, rgb_to_hsv
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr
from sklearn.decomposition import PCA

from budget import Budget, parsed
from gansynth.classifiers import CellEncoder, open_encoder, train_cell_encoder
from gansynth.data import CellDataset, open_dataset
from gansynth.errors import InputError
from gansynth.files.atomic import whole_file, write_json, write_text
from gansynth.metrics.frechet import frechet_distance
from gansynth.metrics.kernel_distance import kernel_distance
from gansynth.networks.cell_encoder import CellEncoderNetwork

Images = NDArray[np.uint8]
Features = NDArray[np.float32]
Extractor = Callable[[Images], Features]

PER_CLASS = 144
"""Held-out images of each class that take part, at most; half of them on each side. PBC's smallest class has 144."""

FEW = 3
"""Different images among the "copies of few", in each class."""


# ---- faults of the picture: uint8 [n, 3, H, W] and a dose in, the same shape out


def blur(images: Images, sigma: float) -> Images:
    """Gaussian blur; `sigma` in pixels."""
    return _levels(gaussian_filter(images.astype(np.float32), (0, 0, sigma, sigma)))


def noise(images: Images, sd: float) -> Images:
    """Add normal noise; `sd` in grey levels."""
    grain = np.random.default_rng(0).standard_normal(images.shape, dtype=np.float32)
    return _levels(images + np.float32(sd) * grain)


def stain_strength(images: Images, more: float) -> Images:
    """Multiply optical density, -log(I / 255), by 1 + `more`: a longer stain (Beer-Lambert)."""
    return _levels(255 * np.power(images.astype(np.float32) / 255, 1 + more))


def stain_hue(images: Images, degrees: float) -> Images:
    """Turn every colour's hue by so many degrees."""
    turned = np.empty_like(images)
    for start in range(0, len(images), 256):
        part = slice(start, start + 256)
        hsv = rgb_to_hsv(np.moveaxis(images[part], 1, -1) / np.float32(255))
        hsv[..., 0] = (hsv[..., 0] + degrees / 360) % 1
        turned[part] = _levels(255 * np.moveaxis(hsv_to_rgb(hsv), -1, 1))
    return turned


def jpeg(images: Images, loss: float) -> Images:
    """Store as JPEG of quality 100 - `loss` and read again."""
    read = np.empty_like(images)
    for i, image in enumerate(images):
        stream = io.BytesIO()
        Image.fromarray(image.transpose(1, 2, 0)).save(stream, "JPEG", quality=round(100 - loss))
        read[i] = np.asarray(Image.open(stream)).transpose(2, 0, 1)
    return read


def _levels(values: NDArray[Any]) -> Images:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


PICTURE_FAULTS: dict[str, tuple[Callable[[Images, float], Images], tuple[float, ...], str]] = {
    "blur": (blur, (0.3, 0.5, 0.75, 1, 1.5, 2), "sigma, px"),
    "noise": (noise, (2, 4, 8, 12, 16, 24), "s.d., grey levels"),
    "stain strength": (stain_strength, (0.05, 0.1, 0.15, 0.2, 0.3, 0.4), "more optical density"),
    "stain hue": (stain_hue, (2, 5, 10, 15, 20, 30), "degrees"),
    "JPEG": (jpeg, (10, 25, 50, 70, 80, 90), "100 - quality"),
}


# ---- faults of the set: which image stands at each place, and what it is said to be


@dataclass(frozen=True)
class Side:
    """One side of a comparison: rows of a table of features, and the class each is said to belong to."""

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]


def class_swap(side: Side, share: float, pool: Side, rng: np.random.Generator) -> Side:
    """Give a share of the images another's label, from another class; every class keeps its number of images."""
    labels = side.labels.copy()
    chosen = rng.permutation(len(labels))[: round(share * len(labels))]
    chosen = chosen[np.argsort(labels[chosen], kind="stable")]
    # Sorted by class and moved on by the largest class's number, no label meets its own class.
    largest = int(np.bincount(labels[chosen]).max()) if len(chosen) else 0
    labels[chosen] = np.roll(labels[chosen], largest)
    return Side(side.rows, labels)


def class_mix(side: Side, share: float, pool: Side, rng: np.random.Generator) -> Side:
    """Replace a share of the images by more images of the first five classes; half the size, so that none repeats."""
    favoured = side.labels < 5
    n = int(favoured.sum())
    natural = n / len(side.labels)
    from_favoured = round(n * (natural + share * (1 - natural)))
    rows = np.concatenate(
        [
            rng.permutation(np.flatnonzero(favoured))[:from_favoured],
            rng.permutation(np.flatnonzero(~favoured))[: n - from_favoured],
        ]
    )
    return Side(side.rows[rows], side.labels[rows])


def mode_collapse(side: Side, inverse_k: float, pool: Side, rng: np.random.Generator) -> Side:
    """Keep k = 1 / `inverse_k` images of each class and repeat them."""
    rows = side.rows.copy()
    for c in np.unique(side.labels):
        own = np.flatnonzero(side.labels == c)
        rows[own] = side.rows[np.resize(rng.permutation(own)[: round(1 / inverse_k)], len(own))]
    return Side(rows, side.labels)


def copies_of_few(side: Side, share: float, pool: Side, rng: np.random.Generator) -> Side:
    """Replace a share of each class by copies of `FEW` of its training images."""
    return _replaced(side, share, pool, rng, FEW)


def copies(side: Side, share: float, pool: Side, rng: np.random.Generator) -> Side:
    """Replace a share of each class by as many of its training images, no image twice."""
    return _replaced(side, share, pool, rng, None)


def _replaced(side: Side, share: float, pool: Side, rng: np.random.Generator, different: int | None) -> Side:
    rows = side.rows.copy()
    for c in np.unique(side.labels):
        own = rng.permutation(np.flatnonzero(side.labels == c))
        own = own[: round(share * len(own))]
        source = rng.permutation(pool.rows[pool.labels == c])[:different]
        rows[own] = np.resize(source, len(own))
    return Side(rows, side.labels)


_SHARES = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
SET_FAULTS: dict[str, tuple[Callable[..., Side], tuple[float, ...], str]] = {
    "class swap": (class_swap, (0.02, 0.05, 0.1, 0.2, 0.4, 0.8), "share"),
    "class mix": (class_mix, (0.1, 0.2, 0.4, 0.6, 0.8, 1.0), "share"),
    "mode collapse": (mode_collapse, (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2), "1 / k"),
    "copies of few": (copies_of_few, _SHARES, "share"),
    "copies": (copies, _SHARES, "share"),
}
FAULTS = [*PICTURE_FAULTS, *SET_FAULTS]


# ---- the study

MINUTES = 3.0
"""Of two cores for a draw of PBC. Estimated."""

DRAWS: dict[Budget, dict[str, float]] = {"quick": {"draws": 2}, "day": {"draws": 5}, "full": {"draws": 20}}


def minutes(options: argparse.Namespace) -> float:
    """Return how long it takes on two processor cores."""
    return options.draws * MINUTES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a data set with its splits.csv")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--encoder", default="pbc-encoder", help="a cell encoder, or 'own': trained here on the split")
    parser.add_argument("--draws", type=int, help="random partings, instead of the budget's")
    parser.add_argument("--device", default="cpu")
    options = parsed(parser, DRAWS, minutes)
    try:
        study(options.data, options.out, options.encoder, options.draws, options.device)
    except InputError as error:
        sys.exit(f"error: {error}")


def study(data: str, out: Path, encoder_name: str, draws: int, device: str) -> None:
    if draws < 2:
        raise InputError(f"{draws} draws have no spread; give --draws 2 or more")
    dataset = open_dataset(data, size=64)
    training = few_of_each(dataset.part("train"), 2 * PER_CLASS)
    held_out = dataset.select(dataset.records["split"].isin(["test", "val"]).to_numpy())
    held_out = few_of_each(held_out, PER_CLASS)
    if encoder_name == "own":
        encoder = train_cell_encoder(dataset.part("train"), seed=0, device=device)
    else:
        encoder = open_encoder(encoder_name, device)
    seen = int(held_out.records["sha256"].isin(encoder.training_sha256).sum())
    if seen:
        raise InputError(f"{seen} held-out images are training images of the encoder; give the split it was trained on")
    extractors = {
        "cell": lambda images: encoder(images)["features"],
        "random weights": random_weights(encoder, training),
        "pixels": pixel_components(training),
    }
    figures: dict[str, Any] = {
        "encoder": encoder_name,
        "encoder_sha256": encoder.sha256,
        "draws": draws,
        "held_out": held_out.counts(),
        "features": {},
    }
    for name, extractor in extractors.items():
        begun = time.monotonic()
        figures["features"][name] = curves(extractor, training, held_out, draws)
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    text = markdown(figures)
    print(text)
    write_text(out / "table.md", text)
    write_json(out / "figures.json", figures)
    with whole_file(out / "curves.png") as temporary:
        draw(figures).savefig(temporary, dpi=110)
    with whole_file(out / "degraded.png") as temporary:
        sheet(held_out).save(temporary)


def few_of_each(dataset: CellDataset, n: int) -> CellDataset:
    """Return at most `n` images of each class, drawn at random."""
    rng = np.random.default_rng(0)
    kept = [rng.permutation(np.flatnonzero(dataset.labels == c))[:n] for c in range(len(dataset.class_names))]
    return dataset.select(np.sort(np.concatenate(kept)))


def random_weights(encoder: CellEncoder, training: CellDataset) -> Extractor:
    """Return the features of an untrained network of the encoder's shape."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = CellEncoderNetwork(len(encoder.class_names), encoder.network.width)
    untrained = CellEncoder(network, encoder.info, encoder.device)
    untrained.fit_scale(training.images)
    return lambda images: untrained(images)["features"]


def pixel_components(training: CellDataset, n: int = 256) -> Extractor:
    """Return projections on the training pixels' first principal components."""
    pca = PCA(n, svd_solver="randomized", random_state=0).fit(_flat(training.images[:: len(training) // 2000 or 1]))
    scale = np.float32(np.sqrt(pca.explained_variance_.mean()))
    return lambda images: (pca.transform(_flat(images)) / scale).astype(np.float32)


def _flat(images: Images) -> Features:
    return images.reshape(len(images), -1).astype(np.float32)


def curves(extractor: Extractor, training: CellDataset, held_out: CellDataset, draws: int) -> dict[str, Any]:
    """Return for each fault its doses and, for each of them, the distances of every draw."""
    n = len(held_out)
    clean = extractor(held_out.images)
    table = np.concatenate([clean, extractor(training.images)])
    pool = Side(n + np.arange(len(training)), training.labels)
    parted = [halves(held_out.labels, draw) for draw in range(draws)]
    floor = [distances(table, table, real, other) for real, other in parted]
    found: dict[str, Any] = {"floor": _by_metric(floor)}
    for fault, (plant, doses, unit) in PICTURE_FAULTS.items():
        rows = []
        for dose in doses:
            degraded = extractor(plant(held_out.images, dose))
            rows.append(_by_metric([distances(table, degraded, real, other) for real, other in parted]))
        found[fault] = {"doses": doses, "unit": unit, "floor": found["floor"], "distances": rows}
    for fault, (rearrange, doses, unit) in SET_FAULTS.items():
        rows, at_zero = [], []
        for i, dose in enumerate((0.0, *doses)):
            values = []
            for draw, (real, other) in enumerate(parted):
                rng = np.random.default_rng([draw, i])
                # At dose zero only the mix of classes differs in size from the common floor.
                changed = rearrange(other, dose, pool, rng) if dose or fault == "class mix" else other
                against = class_mix(real, 0.0, pool, rng) if fault == "class mix" else real
                values.append(distances(table, table, against, changed))
            (rows if dose else at_zero).append(_by_metric(values))
        found[fault] = {"doses": doses, "unit": unit, "floor": at_zero[0], "distances": rows}
    return found


def halves(labels: NDArray[np.int64], seed: int) -> tuple[Side, Side]:
    """Part images at random into two halves with equally many of each class and none in common."""
    rng = np.random.default_rng(seed)
    sides: tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]] = ([], [])
    for c in np.unique(labels):
        own = rng.permutation(np.flatnonzero(labels == c))
        half = len(own) // 2
        sides[0].append(own[:half])
        sides[1].append(own[half : 2 * half])
    first, second = (np.concatenate(side) for side in sides)
    return Side(first, labels[first]), Side(second, labels[second])


def distances(real_table: Features, other_table: Features, real: Side, other: Side) -> dict[str, float]:
    """Return FD and KD over all classes, and the mean over classes of FD inside a class."""
    x, y = real_table[real.rows], other_table[other.rows]
    inside = []
    for c in np.unique(real.labels):
        own, others = x[real.labels == c], y[other.labels == c]
        if len(own) != len(others):
            break
        inside.append(frechet_distance(own, others))
    found = {"FD": frechet_distance(x, y), "KD": kernel_distance(x, y)}
    # Inside a class, sets of unequal size are not compared: the distance's bias depends on n.
    if len(inside) == len(np.unique(real.labels)):
        found["FD in class"] = float(np.mean(inside))
    return found


def _by_metric(draws: list[dict[str, float]]) -> dict[str, list[float]]:
    every = [metric for metric in draws[0] if all(metric in found for found in draws)]
    return {metric: [found[metric] for found in draws] for metric in every}


# ---- what is said of it


@dataclass(frozen=True)
class Rise:
    """How a metric follows the dose of a fault.

    Attributes
    ----------
    multiple, sd : list of float
        Mean and standard deviation over the draws at each dose, as multiples of the floor's mean.
    above : list of float
        Mean at each dose minus the floor's mean, in standard deviations of the floor.
    rank : float or None
        Spearman's correlation of dose and mean, the floor being dose zero; None where the metric does not move.
    steps : float
        Share of steps from dose to next dose that rise, over all draws.
    seen : float or None
        The first dose from which on every draw lies above every draw of the floor.
    """

    multiple: list[float]
    sd: list[float]
    above: list[float]
    rank: float | None
    steps: float
    seen: float | None


def rise(features: dict[str, Any], fault: str, metric: str) -> Rise:
    """Return how a metric follows the dose of a fault in one set of features."""
    found = features[fault]
    floor = np.array(found["floor"][metric])
    values = np.array([row[metric] for row in found["distances"]])
    path = np.vstack([floor, values])
    means = path.mean(axis=1)
    below = np.flatnonzero(values.min(axis=1) <= floor.max())
    first = int(below[-1]) + 1 if len(below) else 0
    moves = np.ptp(means) > 1e-9 * abs(means[0])
    return Rise(
        multiple=(means[1:] / means[0]).tolist(),
        sd=(values.std(axis=1, ddof=1) / means[0]).tolist(),
        above=((means[1:] - means[0]) / floor.std(ddof=1)).tolist(),
        rank=float(spearmanr(range(len(path)), means).statistic) if moves else None,
        steps=float((np.diff(path, axis=0) > 0).mean()),
        seen=found["doses"][first] if first < len(values) else None,
    )


def markdown(figures: dict[str, Any]) -> str:
    """Return three tables: FD-cell dose by dose, its rivals, and KD-cell with the distances inside classes."""
    cell = figures["features"]["cell"]
    lines = [
        "FD-cell over all classes, as a multiple of its floor (mean over the draws); *class swap* inside classes:",
        "",
        "| fault | doses | FD-cell / floor | rank | steps that rise |",
        "|---|---|---|---|---|",
    ]
    for fault in FAULTS:
        found = rise(cell, fault, _telling(fault))
        doses = f"{', '.join(_dose(fault, d) for d in cell[fault]['doses'])} ({cell[fault]['unit']})"
        lines.append(
            f"| {fault} | {doses} | {', '.join(f'{m:.3g}' for m in found.multiple)} "
            f"| {_number(found.rank)} | {found.steps:.0%} |"
        )
    names = list(figures["features"])
    lines += [
        "",
        "The first dose from which on every draw lies above every draw of the floor, and the multiple of the floor at "
        "the highest dose:",
        "",
        f"| fault | {' | '.join(names)} | {' | '.join(f'{name}, highest dose' for name in names)} |",
        "|---|" + "---|" * (2 * len(names)),
    ]
    for fault in FAULTS:
        found = [rise(figures["features"][name], fault, _telling(fault)) for name in names]
        seen, highest = [_dose(fault, f.seen) for f in found], [f"{f.multiple[-1]:.3g}" for f in found]
        lines.append(f"| {fault} | {' | '.join(seen)} | {' | '.join(highest)} |")
    lines += [
        "",
        "KD-cell, in standard deviations of its floor above it (a KD's floor is about zero), and the mean over classes "
        "of FD-cell inside a class, as a multiple of its floor:",
        "",
        "| fault | KD-cell | rank | first dose seen | inside classes | rank | first dose seen |",
        "|---|---|---|---|---|---|---|",
    ]
    for fault in FAULTS:
        kernel = rise(cell, fault, "KD")
        row = f"| {fault} | {', '.join(f'{m:.3g}' for m in kernel.above)} "
        row += f"| {_number(kernel.rank)} | {_dose(fault, kernel.seen)} "
        if "FD in class" in cell[fault]["floor"]:
            inside = rise(cell, fault, "FD in class")
            row += f"| {', '.join(f'{m:.3g}' for m in inside.multiple)} | {_number(inside.rank)} "
            row += f"| {_dose(fault, inside.seen)} |"
        else:
            row += "| (unequal numbers) | | |"
        lines.append(row)
    return "\n".join(lines) + "\n"


def _telling(fault: str) -> str:
    """Swapped labels leave the set of images as it was: only inside the classes can they be seen."""
    return "FD in class" if fault == "class swap" else "FD"


def _dose(fault: str, dose: float | None) -> str:
    return f"1/{round(1 / dose)}" if fault == "mode collapse" and dose else _number(dose)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}"


def draw(figures: dict[str, Any]) -> Figure:
    """Draw FD over its floor against the dose, a panel for each fault and a line for each set of features."""
    figure = Figure(figsize=(15, 6.4), layout="constrained")
    axes = figure.subplots(2, 5).ravel()
    for ax, fault in zip(axes, FAULTS, strict=True):
        metric = _telling(fault)
        for name, colour in zip(figures["features"], ("#b3364e", "#3c6fb0", "#8a8a8a"), strict=False):
            features = figures["features"][name]
            found, risen = features[fault], rise(features, fault, metric)
            places = range(len(found["doses"]) + 1)
            mean, sd = np.array([1.0, *risen.multiple]), np.array([0.0, *risen.sd])
            ax.plot(places, mean, "o-", color=colour, ms=3.5, lw=1.5, label=name)
            ax.fill_between(places, np.maximum(mean - sd, 1e-3), mean + sd, color=colour, alpha=0.2, lw=0)
        ax.axhline(1, color="black", lw=0.6, ls=":")
        ax.set_yscale("log")
        ax.set_ylim(bottom=0.4)
        ax.set_xticks(list(places), ["0", *(_dose(fault, d) for d in found["doses"])], fontsize=8)
        ax.set_title(f"{fault}" + (" (inside classes)" if metric != "FD" else ""), fontsize=10)
        ax.set_xlabel(found["unit"], fontsize=8)
        ax.tick_params(axis="y", labelsize=8, which="both")
        ax.spines[["top", "right"]].set_visible(False)
    for ax in (axes[0], axes[5]):
        ax.set_ylabel("FD / its floor", fontsize=9)
    axes[0].legend(fontsize=8, frameon=False)
    return figure


def sheet(held_out: CellDataset) -> Image.Image:
    """Lay out two cells at every dose of every fault of the picture."""
    cells = held_out.images[[int(np.flatnonzero(held_out.labels == c)[0]) for c in (1, 2)]]
    rows = []
    for plant, doses, _ in PICTURE_FAULTS.values():
        columns = [cells, *(plant(cells, dose) for dose in doses)]
        rows.append(np.concatenate([np.concatenate(list(column), axis=1) for column in columns], axis=2))
    picture = Image.fromarray(np.concatenate(rows, axis=1).transpose(1, 2, 0))
    return picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.NEAREST)


if __name__ == "__main__":
    main()
