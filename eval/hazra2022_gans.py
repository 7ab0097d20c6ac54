"""Tables 6 and 7 of hazra2022: the paper's figures beside those of a benchmark, and whether its ranking holds.

    python eval/hazra2022_gans.py DATA --out DIR [--budget quick|day|full] [--images N] [--seeds N]
    python eval/hazra2022_gans.py gans --out DIR          the tables of a folder that `gansynth benchmark` wrote

With a data set it runs the benchmark of the six compact recipes first, in DIR/benchmark, at their full width, where
all have equal weights; a benchmark that was stopped is gone on with. Prints the tables as Markdown and writes them
(``tables.md``) with every figure (``figures.json``), cells of all GANs beside real ones (``sheet.png``), and the
figures of every class (``classes.png``). For each metric that both have, the order of the models is compared by
Kendall's tau: 1 is the paper's order, -1 the opposite, and with six models a tau below 0.87 is no more than chance
may give (two-sided p above 0.05).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.stats import kendalltau

import gansynth
from budget import Amount, Budget, add_budget, announced
from gansynth.errors import InputError
from gansynth.files.atomic import whole_file, write_json, write_text
from gansynth.metrics.catalogue import METRICS
from gansynth.report.benchmark.page import write_benchmark_page
from gansynth.studies.benchmark.ranking import Spread
from gansynth.studies.benchmark.result import Benchmark, BenchmarkRun

Ours = Mapping[str, Mapping[str, Spread]]
"""What our benchmark found, by the paper's model and the metric."""

MODELS = {
    "ac-gan": "AC-GAN",
    "cwgan-gp": "CWGAN-GP",
    "infogan": "InfoGAN",
    "dcgan": "DCGAN",
    "cgan": "CGAN",
    "c-wgan-gp": "C-WGAN-GP",
}

RECIPES = tuple(f"{name}-64" for name in MODELS)

TABLE_6: dict[str, dict[str, float]] = {
    "AC-GAN": {"FID": 64.36, "precision": 94.33, "F1": 93.42, "recall": 93.67, "LPIPS": 0.25, "IS": 11.32},
    "CWGAN-GP": {"FID": 77.57, "precision": 88.15, "F1": 88.10, "recall": 88.67, "LPIPS": 0.38, "IS": 8.23},
    "InfoGAN": {"FID": 75.44, "precision": 90.23, "F1": 88.36, "recall": 89.91, "LPIPS": 0.35, "IS": 9.22},
    "DCGAN": {"FID": 78.91, "precision": 87.36, "F1": 87.16, "recall": 88.11, "LPIPS": 0.40, "IS": 8.01},
    "CGAN": {"FID": 71.02, "precision": 93.65, "F1": 92.55, "recall": 93.03, "LPIPS": 0.31, "IS": 10.59},
    "C-WGAN-GP": {"FID": 60.33, "precision": 97.10, "F1": 96.16, "recall": 96.99, "LPIPS": 0.23, "IS": 14.52},
}
"""hazra2022, table 6; precision, F1 and recall in percent."""

TABLE_7: dict[str, dict[str, float]] = {
    "AC-GAN": {"PSNR": 33.46, "SSIM": 0.9012, "l1": 13.7, "l2": 6.1},
    "CWGAN-GP": {"PSNR": 31.22, "SSIM": 0.8956, "l1": 13.9, "l2": 6.3},
    "InfoGAN": {"PSNR": 30.22, "SSIM": 0.9288, "l1": 11.6, "l2": 5.8},
    "DCGAN": {"PSNR": 31.42, "SSIM": 0.9260, "l1": 12.8, "l2": 6.3},
    "CGAN": {"PSNR": 30.22, "SSIM": 0.9400, "l1": 13.9, "l2": 6.5},
    "C-WGAN-GP": {"PSNR": 38.01, "SSIM": 0.9714, "l1": 8.7, "l2": 3.8},
}
"""hazra2022, table 7; l1 and l2 in percent."""

AMOUNTS: dict[Budget, Amount] = {
    "quick": Amount(64, 1, seeds=2, images=1_920),
    "day": Amount(64, 1, seeds=3, images=96_000),
    "full": Amount(None, None, seeds=3, images=640_000),
}
"""Real images that each training sees; an epoch is not a GAN's unit."""
TIMED = None

PERCENT = {"precision", "F1", "recall", "l1", "l2"}
OURS_BESIDE = ("KID", "KD-cell", "FD-cell", "coverage-cell", "diversity-cell", "memorisation")
"""What the paper does not ask."""

CANNOT_COMPARE = """\
## What cannot be compared, and why

- **Other data.** The paper's 12 classes come from three sources, one of them private, at 128 px; ours are the classes
  of the benchmark's own data, at its own size. FID, IS, LPIPS, PSNR, SSIM, l1 and l2 all depend
  on the images and their size.
- **IS asks an ImageNet classifier**, which knows no blood cells. 12 classes distinguished perfectly, and nothing else,
  give an IS of 12; a value of 14.5 says that it sees other differences than those between the classes.
- **PSNR, SSIM, LPIPS, l1 and l2 need pairs**, and the paper does not say which real image a synthetic one is compared
  with. Ours are matched one to one inside the class, against held-out images, with what real images score beside. A
  PSNR of 38 dB and an SSIM of 0.97 are what near copies score: two real cells of one class do not.
- **Table 7 contradicts itself**: with pixels in [0, 1], a mean square (l2) of 3.8% is a PSNR of 14 dB, not of 38; and a
  root mean square of 3.8% cannot stand beside a mean difference (l1) of 8.7%, which it is never below.
- **n is not given** for FID, which falls with n; nor is any seed, so that no difference between two models has an
  uncertainty.
- **The classifier's training images are not named.** Ours learns from real training images only, and its score on
  held-out real images stands beside.
- **Budgets are not given.** Ours are equal, in real images seen, and small: the order of trained-out models may be
  another.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="a data set with its split, or a folder that `gansynth benchmark` wrote")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--images", type=int, help="real images that each training sees, instead of the budget's")
    parser.add_argument("--seeds", type=int, help="trainings of each GAN, instead of the budget's")
    parser.add_argument("--device", default="auto")
    add_budget(parser)
    given = parser.parse_args()
    own = AMOUNTS[given.budget]
    amount = replace(own, images=given.images or own.images, seeds=given.seeds or own.seeds)
    try:
        folder = Path(given.source)
        if not Benchmark.is_in(folder):
            print(announced(given.budget, amount, TIMED), flush=True)
            folder = benchmarked(given.source, given.out / "benchmark", amount, given.device)
        study(folder, given.out)
    except InputError as error:
        sys.exit(f"error: {error}")


def benchmarked(
    data: str, folder: Path, amount: Amount, device: str = "auto", *, recipes: Sequence[str] = RECIPES, **more: Any
) -> Path:
    """Carry out or continue the benchmark of the paper's six GANs, write its page, and return its folder.

    Parameters
    ----------
    data : str
        A data set with its split.
    folder : path-like
    amount : Amount
        `images` real images are seen by each of `seeds` trainings.
    device : str
    recipes : sequence of str
        Default: the compact recipes of the six.
    **more
        As `gansynth.benchmark` takes it.
    """
    gansynth.benchmark(
        data,
        recipes,
        folder,
        seeds=amount.seeds,
        images=int(amount.images),
        device=device,
        resume=folder.is_dir() and any(folder.iterdir()),
        **more,
    )
    write_benchmark_page(folder)
    return folder


def study(folder: Path, out: Path) -> None:
    """Write and print the tables of a benchmark folder."""
    found = Benchmark.read(folder)
    ours = {model_of(run): found.summary[run.recipe] for run in found.runs if run.recipe in found.summary}
    text = "\n".join(
        [
            "# hazra2022: six GANs",
            "",
            facts(found),
            "",
            "## Table 6 (paper / ours)",
            "",
            table(TABLE_6, ours),
            "",
            "## Table 7 (paper / ours)",
            "",
            table(TABLE_7, ours),
            "",
            "## What the paper does not ask",
            "",
            beyond(ours),
            "",
            "## Does the paper's ranking hold?",
            "",
            agreement(ours),
            "",
            f"Our verdict: {found.verdict}",
            "",
            by_class(found),
            "",
            CANNOT_COMPARE,
        ]
    )
    print(text)
    with whole_file(out / "sheet.png") as temporary:
        sheet(folder, found).save(temporary)
    with whole_file(out / "classes.png") as temporary:
        draw_classes(found, temporary)
    write_text(out / "tables.md", text)
    held = found.to_json()
    kept = ("verdict", "primary", "ranking", "best", "budget", "seeds", "size", "summary", "summary_classes", "runs")
    write_json(out / "figures.json", {key: held[key] for key in kept} | {"kendall": taus(ours)})


def sheet(folder: Path, found: Benchmark, shown: int = 3) -> Image.Image:
    """Return a few cells of every class: held-out real ones, then the first of every GAN's first seed, none picked."""
    blocks = {}
    for run in found.done:
        if run.quality is not None and model_of(run) not in blocks:
            with np.load(folder / run.quality / "sheet.npz", allow_pickle=False) as arrays:
                blocks.setdefault("real", arrays["real"][:, :shown])
                blocks[model_of(run)] = arrays["synthetic"][:, :shown]
    names, size, gap, head, left = found.class_names, found.size, 2, 22, 150
    width = shown * (size + gap) + 10
    picture = Image.new("RGB", (left + width * len(blocks), head + len(names) * (size + gap)), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(13)
    for row, name in enumerate(names):
        pen.text((4, head + row * (size + gap) + size // 2 - 8), name, "black", font)
    for column, (model, cells) in enumerate(blocks.items()):
        pen.text((left + column * width, 3), model, "black", font)
        for row in range(len(names)):
            for k in range(shown):
                place = left + column * width + k * (size + gap), head + row * (size + gap)
                picture.paste(Image.fromarray(cells[row, k].transpose(1, 2, 0)), place)
    return picture


def draw_classes(found: Benchmark, path: Path) -> None:
    """Draw recall, KD-cell and diversity of every GAN and class; recall and diversity as a share of real cells'."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    recipes, names = list(found.summary_classes), found.class_names
    figure, axes = pyplot.subplots(1, 3, figsize=(13, 4.6), sharey=True, layout="constrained")
    kinds = (
        ("recall", "recall / real", True, "viridis"),
        ("KD-cell", "KD-cell", False, "viridis_r"),
        ("diversity-cell", "diversity / real", True, "PuOr"),
    )
    for ax, (metric, title, share, colours) in zip(axes, kinds, strict=True):
        table = np.full((len(names), len(recipes)), np.nan)
        for column, recipe in enumerate(recipes):
            for row, name in enumerate(names):
                one = found.summary_classes[recipe][name].get(metric)
                if one is not None:
                    table[row, column] = one.mean / (one.floor or np.nan) if share else one.mean
        limits = {"vmin": 0, "vmax": 2} if metric == "diversity-cell" else {}
        drawn = ax.imshow(table, aspect="auto", cmap=colours, **limits)
        middle = np.nanmean([drawn.norm.vmin, drawn.norm.vmax])
        for (row, column), value in np.ndenumerate(table):
            dark = (value > middle) == (colours == "viridis_r") and metric != "diversity-cell"
            ax.text(column, row, f"{value:.2g}", ha="center", va="center", size=8, color="white" if dark else "black")
        ax.set_title(title)
        labels = [recipe.removesuffix("-64") for recipe in recipes]
        ax.set_xticks(range(len(recipes)), labels, rotation=35, ha="right", size=9)
        ax.set_yticks(range(len(names)), names, size=9)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def model_of(run: BenchmarkRun) -> str:
    """Return the paper's name of a GAN; others keep their recipe's."""
    return MODELS.get(run.gan, run.recipe)


def facts(found: Benchmark) -> str:
    """Return what the benchmark was, in a sentence."""
    minutes = [run.seconds / 60 for run in found.done if run.seconds]
    budget = found.budget
    spent = f"{budget.images:,} real images seen" if budget.images else f"{budget.minutes} minutes"
    took = f", {min(minutes):.0f} to {max(minutes):.0f} minutes each" if minutes else ""
    return (
        f"{len(found.class_names)} classes at {found.size} px, {len(found.seeds)} seeds, {spent} by each run"
        f"{took}; {found.images_per_class} synthetic images of each class."
    )


def table(paper: dict[str, dict[str, float]], ours: Ours) -> str:
    """Return one of the paper's tables with our figures beside; the last rows are what real and mean images score."""
    metrics = list(next(iter(paper.values())))
    rows = [
        [model, *(f"{row[m]:g} / {_ours(ours.get(model, {}), m)}" for m in metrics)] for model, row in paper.items()
    ]
    some = next(iter(ours.values()), {})
    rows.append(["*held-out real images*", *(_value(some[m].floor if m in some else None, m) for m in metrics)])
    means = [some[m].class_mean if m in some else None for m in metrics]
    if any(value is not None for value in means):
        rows.append(["*mean image of the class*", *map(_value, means, metrics)])
    return markdown(["model", *(METRICS[m].title + (" (%)" if m in PERCENT else "") for m in metrics)], rows)


def beyond(ours: Ours) -> str:
    """Return our further metrics."""
    metrics = [m for m in OURS_BESIDE if any(m in row for row in ours.values())]
    rows = [[model, *(_ours(row, m) for m in metrics)] for model, row in ours.items()]
    some = next(iter(ours.values()), {})
    rows.append(["*held-out real images*", *(_value(some[m].floor if m in some else None, m) for m in metrics)])
    return markdown(["model", *(METRICS[m].title for m in metrics)], rows)


def taus(ours: Ours) -> dict[str, dict[str, float]]:
    """Return Kendall's tau between the paper's order of the models and ours, for each metric that both have."""
    found = {}
    for metric, paper in [(m, t) for t in (TABLE_6, TABLE_7) for m in next(iter(t.values()))]:
        models = [model for model in paper if metric in ours.get(model, {})]
        if len(models) > 2:
            tau = kendalltau([paper[m][metric] for m in models], [ours[m][metric].mean for m in models])
            found[metric] = {"tau": float(tau.statistic), "p": float(tau.pvalue), "models": len(models)}
    primary = next((m for m in ("KID", "KD-cell") if all(m in row for row in ours.values())), None)
    models = [model for model in TABLE_6 if model in ours]
    if primary is not None and len(models) > 2:
        tau = kendalltau([TABLE_6[m]["FID"] for m in models], [ours[m][primary].mean for m in models])
        found[f"the paper's FID against our {primary}"] = {
            "tau": float(tau.statistic), "p": float(tau.pvalue), "models": len(models),
        }  # fmt: skip
    return found


def agreement(ours: Ours) -> str:
    """Return the rank correlations as a table."""
    rows = [[name, f"{t['tau']:+.2f}", f"{t['p']:.2f}", str(int(t["models"]))] for name, t in taus(ours).items()]
    return markdown(["metric", "Kendall's tau", "p", "models"], rows)


def by_class(found: Benchmark) -> str:
    """Return which GAN is best for which class."""
    rows = [
        [name, lead.recipe, f"{lead.value:.3g}", lead.second or "-", "yes" if lead.clear else "no"]
        for name, lead in found.best.items()
    ]
    return markdown(["class", f"best by {found.primary}", "value", "next", "seeds separate them"], rows)


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _ours(row: Mapping[str, Spread], metric: str) -> str:
    if metric not in row:
        return "missing"
    sd = row[metric].sd
    return _value(row[metric].mean, metric) + (f" ± {_value(sd, metric)}" if sd is not None else "")


def _value(value: float | None, metric: str) -> str:
    if value is None:
        return "-"
    return f"{100 * value:.1f}" if metric in PERCENT else f"{value:.3g}"


if __name__ == "__main__":
    main()
