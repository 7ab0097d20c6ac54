"""Folders as `quality` and `benchmark` write them, with invented numbers and drawn cells."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansynth.metrics.estimate import Estimate
from gansynth.studies.benchmark.ranking import Lead, Place, Spread, spread
from gansynth.studies.benchmark.result import Benchmark, BenchmarkRun, Budget, Curve
from gansynth.studies.quality.result import Missing

NAMES = ("basophil", "eosinophil <x>", "smudge cell")
WEIGHTS = "weights-inception-2015-12-05-6726825d.pth"
ALEX = "alexnet-owt-7be5be79.pth"
MISSING = [
    *(
        {"metric": name, "file": WEIGHTS, "looked_in": "/weights", "how": "Download it and pass --weights-dir."}
        for name in ("FID", "KID", "IS", "improved-precision", "improved-recall", "density", "coverage")
    ),
    *(
        {"metric": name, "file": ALEX, "looked_in": "/weights", "how": "Download it and pass --weights-dir."}
        for name in ("LPIPS", "LPIPS-diversity")
    ),
]
WARNINGS = ["Fewer than 20 held-out images of smudge cell <&>: its numbers say little."]

# Metric: what real cells score, what a useless generator scores.
_SCALES = {
    "KD-cell": (0.002, 3.0),
    "FD-cell": (6.2, 210.0),
    "precision": (0.957, 0.1),
    "recall": (0.955, 0.1),
    "F1": (0.956, 0.1),
    "improved-precision-cell": (0.93, 0.2),
    "improved-recall-cell": (0.92, 0.05),
    "density-cell": (1.0, 0.1),
    "coverage-cell": (0.95, 0.05),
    "PSNR": (17.2, 12.0),
    "SSIM": (0.41, 0.12),
    "MS-SSIM": (0.38, 0.1),
    "l1": (0.089, 0.2),
    "l2": (0.021, 0.07),
    "diversity-cell": (14.2, 1.0),
    "memorisation": (0.5, 0.62),
}
_CLASS_MEAN = {"PSNR": 19.1, "SSIM": 0.52, "MS-SSIM": 0.44, "l1": 0.071, "l2": 0.013}


def cells(names: Sequence[str] = NAMES, k: int = 4, size: int = 16, seed: int = 0) -> NDArray[np.uint8]:
    """Discs in a colour of their class, uint8 [C, k, 3, size, size]."""
    random = np.random.default_rng(seed)
    grid = np.hypot(*(np.mgrid[:size, :size] - size / 2))
    made = np.full((len(names), k, 3, size, size), 236.0)
    for c in range(len(names)):
        for i in range(k):
            disc = grid < size * random.uniform(0.25, 0.42)
            made[c, i][:, disc] = random.uniform(60, 200, 3)[:, None] + 25 * c
    return np.clip(made + random.normal(0, 6, made.shape), 0, 255).astype(np.uint8)


def estimate(metric: str, good: float, n: int, floor_n: int, random: np.random.Generator) -> dict[str, Any]:
    """One invented figure: `good` 1 is as real, 0 useless."""
    real, bad = _SCALES[metric]
    value = real + (bad - real) * (1 - good) + random.normal(0, 0.01) * abs(real)
    half = 1.5 * abs(bad - real) / math.sqrt(n) * 0.35
    found = {"value": value, "n": n, "interval": [value - half, value + half], "floor": real, "floor_n": floor_n}
    if metric in _CLASS_MEAN:
        found["class_mean"] = _CLASS_MEAN[metric]
    return found


def write_quality_folder(
    folder: Path,
    *,
    names: Sequence[str] = NAMES,
    real: NDArray[np.uint8] | None = None,
    synthetic: NDArray[np.uint8] | None = None,
    good: float = 0.8,
    copies: int = 2,
    points: int = 30,
    seed: int = 0,
    missing: Sequence[dict[str, str]] = MISSING,
    warnings: Sequence[str] = WARNINGS,
) -> Path:
    """Write a folder of `quality`; `good` 1 makes synthetic images score as real ones do, 0 useless ones."""
    random = np.random.default_rng(seed)
    real = cells(names, seed=1) if real is None else real
    synthetic = cells(names, seed=2 + seed) if synthetic is None else synthetic
    c, k, _, _, size = real.shape
    folder.mkdir(parents=True, exist_ok=True)
    skills = np.clip(good + random.normal(0, 0.1, c), 0.02, 1.0)
    held_out = [int(n) for n in np.geomspace(300, 12, c)]
    classes = {
        name: {m: estimate(m, skill, 100, n, random) for m in _SCALES}
        | {"copies": {"value": 0, "n": 100, "interval": [0, 3.7], "floor": 0.0}}
        for name, skill, n in zip(names, skills, held_out, strict=True)
    }
    classes[names[0]]["copies"] |= {"value": copies, "interval": [copies / 2, copies * 2 + 3.7]}
    few = {
        "value": None,
        "n": 100,
        "interval": None,
        "floor": None,
        "note": "KD-cell needs at least 20 images; there are 12",
    }
    classes[names[-1]]["KD-cell"] = few
    shares = (1 - skills[:, None]) / (c - 1) * (1 - np.eye(c)) + np.diag(skills)
    confusion = [random.multinomial(100, row).tolist() for row in shares]
    metrics = {m: estimate(m, float(skills.mean()), 100 * c, sum(held_out), random) for m in _SCALES}
    metrics["copies"] = {"value": copies, "n": 100 * c, "interval": [copies / 2, copies * 2 + 3.7], "floor": 0.0}
    results = {
        "gansynth": "0.2.0",
        "real": {
            "path": "my cells",
            "n": 9 * sum(held_out),
            "n_held_out": sum(held_out),
            "n_training": 8 * sum(held_out),
        }
        | {"data_sha256": "ab" * 32},
        "synthetic": {"path": "made/", "n": 100 * c},
        "size": size,
        "seed": seed,
        "pairing": "one-to-one",
        "encoder": {"name": "pbc-encoder", "sha256": "cd" * 32, "n_training": 9442, "recall_of_held_out": 0.955},
        "class_names": list(names),
        "counts": {
            name: {"held_out": n, "training": 8 * n, "synthetic": 100, "compared": min(n, 100)}
            for name, n in zip(names, held_out, strict=True)
        },
        "metrics": metrics,
        "classes": classes,
        "controls": {},
        "missing": list(missing),
        "warnings": list(warnings),
        "memorisation": {"alarm": copies > 0, "p": 0.001 if copies else 0.4},
        "confusion": [[*row, 0] for row in confusion],
        "real_confusion": (np.eye(c, c + 1, dtype=int) * 100).tolist(),
        "seconds": {"reading": 3.2, "features": 41.0, "statistics": 75.0},
    }
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    count = np.full(c, k)
    np.savez(folder / "sheet.npz", real=real, synthetic=synthetic, real_count=count, synthetic_count=count)
    _write_pairs(folder, names, real, synthetic, copies)
    _write_map(folder, names, points, float(good), random)
    return folder


def _write_pairs(
    folder: Path, names: Sequence[str], real: NDArray[np.uint8], synthetic: NDArray[np.uint8], copies: int
) -> None:
    rows, made, near = [], [], []
    for c, name in enumerate(names):
        for i in range(min(5, real.shape[1])):
            copy = c == 0 and i < copies
            made.append(real[c, i] if copy else synthetic[c, i])
            near.append(real[c, i])
            rows.append([name, f"{name}/{i}.png", f"{name}/t{i}.png", 0.4 if copy else 11.0 + i + c, 24.5, int(copy)])
    with (folder / "nearest.csv").open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(["class", "synthetic", "training", "distance", "held_out_median", "copy"])
        writer.writerows(rows)
    np.savez(folder / "nearest.npz", synthetic=np.stack(made), training=np.stack(near))


def _write_map(folder: Path, names: Sequence[str], points: int, good: float, random: np.random.Generator) -> None:
    with (folder / "map.csv").open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(["x", "y", "class", "origin"])
        for c, name in enumerate(names):
            angle = 2 * math.pi * c / len(names)
            centre = np.array([9 * math.cos(angle), 7 * math.sin(angle)])
            for origin, scale, where in (("real", 1.4, centre), ("synthetic", 0.9, centre * good)):
                for x, y in random.normal(where, scale, (points, 2)):
                    writer.writerow([f"{x:.4f}", f"{y:.4f}", name, origin])


def write_benchmark_folder(
    folder: Path,
    *,
    names: Sequence[str] = NAMES,
    recipes: Sequence[str] = ("c-wgan-gp", "ac-gan", "dc-gan"),
    seeds: Sequence[int] = (0, 1),
    real: NDArray[np.uint8] | None = None,
    synthetic: dict[str, NDArray[np.uint8]] | None = None,
    points: int = 20,
    failing: str = "info-gan",
) -> Path:
    """Write a folder of `benchmark`: the first recipe is the best, the last the worst, and `failing` fails."""
    random = np.random.default_rng(0)
    runs: list[BenchmarkRun] = []
    curves: list[Curve] = []
    found: dict[str, list[dict[str, Any]]] = {}
    for r, recipe in enumerate(recipes):
        good = 0.92 - 0.7 * r / max(len(recipes) - 1, 1)
        for seed in seeds:
            run = f"runs/{recipe}/seed-{seed}"
            place = write_quality_folder(
                folder / run / "quality",
                names=names,
                real=real,
                synthetic=None if synthetic is None else synthetic[recipe],
                good=good,
                copies=2 if r == 1 else 0,
                points=points,
                seed=seed,
            )
            found.setdefault(recipe, []).append(json.loads((place / "results.json").read_text(encoding="utf-8")))
            cost: dict[str, Any] = {"images": 64_000, "steps": 1000, "seconds": 610.0 + 30 * seed + 100 * r}
            cost |= {"generating_seconds": 3.5 + r, "parameters": {"generator": 1_200_000 + r, "critic": 900_000}}
            runs.append(BenchmarkRun(recipe, recipe.upper(), seed, "done", **cost, run=run, quality=f"{run}/quality"))
            steps = np.linspace(1, 20, 12)
            rise = np.clip(good * (1 - np.exp(-steps / 5)) + random.normal(0, 0.01, 12), 0, 1)
            minutes, diversity = steps * (0.5 + 0.1 * r), good * np.exp(-steps / 200)
            watched = [list(map(float, one)) for one in (minutes, rise, diversity)]
            curves.append(Curve(recipe, seed, [int(3200 * step) for step in steps], *watched, [0.955] * 11 + [None]))
    runs.append(BenchmarkRun(failing, "x", 0, "failed", error="the loss is not finite <nan>"))
    ranks = ("KD-cell", "recall", "diversity-cell")
    Benchmark(
        data={"path": "my cells", "sha256": "ab" * 32},
        recipes=[*recipes, failing],
        seeds=list(seeds),
        size=64,
        images_per_class=100,
        budget=Budget(64_000, None),
        class_names=list(names),
        encoder=None,
        missing=[Missing(**one) for one in MISSING],
        warnings=["Seeds measure the noise of training only <&>.", *WARNINGS],
        curves=curves,
        runs=runs,
        primary="KD-cell",
        verdict=f"{recipes[0]} comes first in 3 of 3 metrics; {recipes[-1]} last.",
        ranking=[Place(recipe, r + 1.0, dict.fromkeys(ranks, r + 1.0)) for r, recipe in enumerate(recipes)],
        best={name: Lead(recipes[0], "KD-cell", 0.21, recipes[1], c > 0) for c, name in enumerate(names)},
        summary={recipe: _summary([one["metrics"] for one in several]) for recipe, several in found.items()},
        summary_classes={
            recipe: {name: _summary([one["classes"][name] for one in several]) for name in names}
            for recipe, several in found.items()
        },
    ).write(folder)
    return folder


def _summary(seeds: Sequence[dict[str, Any]]) -> dict[str, Spread]:
    found = {metric: spread([Estimate.from_json(one[metric]) for one in seeds]) for metric in seeds[0]}
    return {metric: one for metric, one in found.items() if one is not None}
